"""Clips of web servers: retries, ranges, bounds, and redirects that are not followed."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from emotool.errors import AudioError
from emotool.files import remote_reading, web
from emotool.files.remote_reading import open_remote

Answer = tuple[int, dict[str, str], bytes]


class Server(ThreadingHTTPServer):
    """A web server that answers what a test says; `asked` has path and headers of requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: Callable[[str, dict[str, str]], Answer] = lambda path, headers: (200, {}, b"x")
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        given = {name.title(): value for name, value in self.headers.items()}
        self.server.asked.append((self.path, given))
        status, headers, body = self.server.answer(self.path, given)
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Return a web server; what is tried again is tried at once."""
    monkeypatch.setattr(web, "_WAIT", 0.01)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def fetched(url: str) -> bytes:
    """Return what a URL gives, or raise why it gives nothing."""
    source, size = open_remote(url)
    content = source.read()
    if error := getattr(getattr(source, "raw", None), "error", None):
        raise error
    assert len(content) == size
    return content


def reason(url: str) -> str:
    """Return why a URL gives nothing."""
    with pytest.raises(AudioError) as caught:
        open_remote(url)
    assert caught.value.stage == "open"
    return caught.value.reason


def test_a_signed_link_is_sent_as_it_is(server: Server) -> None:
    """Its query goes into the request, its user information into a header."""
    assert fetched(server.url.replace("://", "://ann:w%40rd@") + "/a.wav?X-Sig=5e&b=2#t") == b"x"
    ((path, headers),) = server.asked
    assert path == "/a.wav?X-Sig=5e&b=2"
    assert headers["Authorization"] == "Basic YW5uOndAcmQ="


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "where", ["http://localhost:{port}/x", "https://127.0.0.1:{port}/x", "//h/x"]
)
def test_redirects_elsewhere_are_refused(server: Server, status: int, where: str) -> None:
    """Another host or protocol gets no request."""
    target = where.format(port=server.server_port)
    server.answer = lambda path, headers: (status, {"Location": target}, b"")
    expected = "the server redirects to another host or protocol"
    assert reason(f"{server.url}/a.wav?sig=SECRET") == expected
    assert len(server.asked) == 1


def test_redirects_within_a_host_are_followed(server: Server) -> None:
    """Up to a few."""

    def answer(path: str, headers: dict[str, str]) -> Answer:
        return (200, {}, b"sound") if path == "/b" else (302, {"Location": "/b"}, b"")

    server.answer = answer
    assert fetched(f"{server.url}/a") == b"sound"
    server.answer = lambda path, headers: (302, {"Location": path + "x"}, b"")
    assert reason(f"{server.url}/a") == "the server answered 302"
    assert len(server.asked) < 12


@pytest.mark.parametrize(
    ("status", "expected", "tries"),
    [
        (404, "there is no such file", 1),
        (403, "access denied, or the link has expired", 1),
        (418, "the server answered 418", 1),
        (503, "the server answered 503", 5),
        (429, "the server answered 429", 5),
    ],
)
def test_failures_that_may_pass_are_tried_again(
    server: Server, status: int, expected: str, tries: int
) -> None:
    """The others are not; no reason holds what the server says."""
    server.answer = lambda path, headers: (status, {}, b"SECRET")
    assert reason(f"{server.url}/a.wav") == expected
    assert len(server.asked) == tries


def test_an_answer_that_is_cut_off_is_asked_for_again(server: Server) -> None:
    """It is not taken for the whole."""

    def answer(path: str, headers: dict[str, str]) -> Answer:
        return (200, {"Content-Length": "10"}, b"0123456789"[: 4 * len(server.asked)])

    server.answer = answer
    assert fetched(f"{server.url}/a.wav") == b"0123456789"
    assert len(server.asked) == 3


def test_no_connection_is_said(server: Server) -> None:
    """After the last try."""
    assert reason("http://127.0.0.1:1/a.wav") == "no connection"
    assert reason("http://127.0.0.1:port/a.wav") == "not a valid URL"


def test_long_files_are_read_by_ranges_of_one_version(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the server gives them; otherwise whole, up to a bound."""
    monkeypatch.setattr(remote_reading, "WHOLE_BYTES", 1_000)
    monkeypatch.setattr(remote_reading, "_BLOCK", 700)
    content = bytes(np.random.default_rng(1).integers(0, 256, 5_000, np.uint8))
    etag = '"1"'

    def answer(path: str, headers: dict[str, str]) -> Answer:
        about = {"ETag": etag, "Accept-Ranges": "bytes" if "r" in path else ""}
        if "Range" not in headers:
            return 200, about, content
        start, stop = map(int, headers["Range"].removeprefix("bytes=").split("-"))
        about["Content-Range"] = f"bytes {start}-{stop}/{len(content)}"
        return 206, about, content[start : stop + 1]

    server.answer = answer
    assert fetched(f"{server.url}/r.wav") == content
    ranged = [headers for _, headers in server.asked if "Range" in headers]
    assert len(ranged) == 8
    assert all(headers["If-Match"] == etag for headers in ranged)
    assert fetched(f"{server.url}/w.wav") == content
    source, _ = open_remote(f"{server.url}/r.wav")
    source.read(100)
    etag = '"2"'
    assert len(source.read()) < len(content)
    assert "it changed while it was read" in str(source.raw.error)  # type: ignore[attr-defined]
    monkeypatch.setattr(web, "MAX_BYTES", 2_000)
    assert "does not send ranges" in reason(f"{server.url}/w.wav")


def test_a_server_that_names_no_length_is_bounded(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read is counted."""
    server.answer = lambda path, headers: (200, {"Content-Length": ""}, bytes(5 << 20))
    assert fetched(f"{server.url}/a.wav") == bytes(5 << 20)
    monkeypatch.setattr(web, "MAX_BYTES", 4 << 20)
    assert "does not send ranges" in reason(f"{server.url}/a.wav")


def test_links_may_have_blanks_and_letters_of_every_script(server: Server) -> None:
    """They are encoded; what is encoded already stays as it is."""
    assert fetched(f"{server.url}/a b/ü%20c.wav?x=é&y=%2F") == b"x"
    assert [path for path, _ in server.asked] == ["/a%20b/%C3%BC%20c.wav?x=%C3%A9&y=%2F"]


def test_an_answer_that_trickles_is_given_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often a byte comes."""
    monkeypatch.setattr(web, "_MOST_SECONDS", -1.0)
    assert reason(f"{server.url}/a.wav") == "no answer in time"
    assert len(server.asked) == 1
