"""Objects that are written: whole or absent, and never over what another program has written."""

import pytest

from emotool.errors import OutputError
from emotool.files import remote_file
from emotool.files.atomic import AtomicFile, atomic_write, open_atomic
from emotool.files.remote_file import RemoteFile
from tests.object_store import Proxy, Store

URL = "s3://calls/out/labels.csv"
KEY = "out/labels.csv"


def test_an_object_appears_when_it_is_complete(cloud: Store, proxy: Proxy) -> None:
    """By one request with a condition; until then nothing is there."""
    with atomic_write(URL, text=True) as handle:
        handle.write("path,label\né,sad\n")
        assert cloud.get("calls", KEY) is None
    assert cloud.get("calls", KEY) == "path,label\né,sad\n".encode()
    (put,) = [headers for method, _, headers in proxy.faults.requests if method == "PUT"]
    assert put["if-none-match"] == "*"


def test_an_error_leaves_what_was_there(cloud: Store) -> None:
    """As with files."""
    cloud.put("calls", KEY, b"old")
    with pytest.raises(ValueError, match="stop"), atomic_write(URL) as handle:
        handle.write(b"new")
        raise ValueError("stop")
    assert cloud.get("calls", KEY) == b"old"


def test_an_object_is_replaced_in_the_version_that_was_there(cloud: Store, proxy: Proxy) -> None:
    """The condition names its ETag."""
    cloud.put("calls", KEY, b"old")
    etag = cloud.etag("calls", KEY)
    with atomic_write(URL) as handle:
        handle.write(b"new")
    assert cloud.get("calls", KEY) == b"new"
    (put,) = [headers for method, _, headers in proxy.faults.requests if method == "PUT"]
    assert put["if-match"] == etag


@pytest.mark.parametrize("before", [None, b"old"])
@pytest.mark.parametrize("large", [False, True])
def test_what_another_program_has_written_meanwhile_stays(
    cloud: Store, monkeypatch: pytest.MonkeyPatch, before: bytes | None, large: bool
) -> None:
    """Of two runs with one output, the later one fails."""
    if large:
        monkeypatch.setattr(remote_file, "_ONE_REQUEST", 10)
    if before is not None:
        cloud.put("calls", KEY, before)
    file = RemoteFile(URL)
    file.handle.write(b"mine, and more than ten bytes")
    cloud.put("calls", KEY, b"theirs")
    with pytest.raises(OutputError, match="another program has written it meanwhile"):
        file.commit()
    assert cloud.get("calls", KEY) == b"theirs"


def test_an_answer_that_is_lost_is_no_conflict(
    cloud: Store, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The object is there already, and is the same."""
    monkeypatch.setattr(remote_file, "_WAIT", 0.01)
    proxy.faults.lose = 1
    with atomic_write(URL) as handle:
        handle.write(b"mine")
    assert cloud.get("calls", KEY) == b"mine"


def test_requests_to_write_are_tried_again(
    cloud: Store, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every second fails, by status, connection or a cut answer."""
    monkeypatch.setattr(remote_file, "_WAIT", 0.01)
    proxy.faults.every = 2
    for number in range(6):
        with atomic_write(f"s3://calls/{number}.csv") as handle:
            handle.write(b"row %d" % number)
    assert [cloud.get("calls", f"{number}.csv") for number in range(6)] == [
        b"row %d" % number for number in range(6)
    ]


def test_a_large_object_is_sent_in_parts(
    cloud: Store, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It appears when the last one is there."""
    monkeypatch.setattr(remote_file, "_ONE_REQUEST", 1_000)
    monkeypatch.setattr(remote_file, "_PART", 5 << 20)
    content = bytes(range(256)) * (12 << 12)
    with atomic_write(URL) as handle:
        handle.write(content)
    assert cloud.get("calls", KEY) == content
    assert [method for method, path, _ in proxy.faults.requests if "uploadId" in path] == [
        *["PUT"] * 3,
        "POST",
    ]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("s3://calls/", "it has no name of an object"),
        ("s3://calls/out/", "it has no name of an object"),
        ("s3://", "not a URL of the form"),
        ("https://example.org/labels.csv?sig=SECRET", "is not in object storage"),
    ],
)
def test_what_cannot_be_written_is_said_before(cloud: Store, url: str, reason: str) -> None:
    """Without a request, and without secrets."""
    with pytest.raises(OutputError, match=reason) as caught:
        RemoteFile(url)
    assert "SECRET" not in str(caught.value)


def test_a_store_that_refuses_is_an_error(cloud: Store, proxy: Proxy) -> None:
    """When it is opened, not when all work is done."""
    proxy.faults.denied = "labels"
    with pytest.raises(OutputError, match=f"cannot write {URL}: access denied"):
        RemoteFile(URL)


def test_paths_are_files(tmp_path: object) -> None:
    """Only URLs are objects."""
    file = open_atomic(f"{tmp_path}/a.csv")
    assert isinstance(file, AtomicFile)
    file.discard()
