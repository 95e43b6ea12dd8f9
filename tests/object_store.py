"""A real object store on loopback (moto's server), and a proxy before it that fails on purpose."""

import http.client
import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Faults", "Proxy", "Store", "run_proxy", "run_store"]

_ACCOUNT = "123456789012"  # moto's
_CHOSEN = ("AWS_", "GOOGLE_", "AZURE_")
_DROPPED = {"transfer-encoding", "connection", "content-length", "date", "server"}


@dataclass
class Store:
    """A running object store.

    Attributes
    ----------
    host : str
        ``127.0.0.1:PORT``.
    """

    host: str
    _backend: Any

    def bucket(self, name: str) -> None:
        """Make an empty bucket of a name, whatever was there."""
        if name not in self._backend.buckets:
            self._backend.create_bucket(name, "us-east-1")
        for key in self.keys(name):
            self._backend.delete_object(name, key)

    def put(self, bucket: str, key: str, content: bytes, *, public: bool = False) -> None:
        """Store an object, without a request."""
        from moto.s3.models import get_canned_acl

        stored = self._backend.put_object(bucket, key, content)
        stored.set_acl(get_canned_acl("public-read" if public else "private"))

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object, without a request."""
        self._backend.delete_object(bucket, key)

    def get(self, bucket: str, key: str) -> bytes | None:
        """Return an object's content, without a request."""
        found = self._backend.buckets[bucket].keys.get(key)
        return None if found is None else bytes(found.value)

    def etag(self, bucket: str, key: str) -> str:
        """Return an object's ETag, with its quotes."""
        return str(self._backend.buckets[bucket].keys[key].etag)

    def keys(self, bucket: str) -> list[str]:
        """Return the keys that are there."""
        return sorted(self._backend.buckets[bucket].keys)

    def environment(self, host: str = "") -> dict[str, str]:
        """Return an environment of programs that use the store, by a proxy if one is named."""
        bare = {name: value for name, value in os.environ.items() if not name.startswith(_CHOSEN)}
        return bare | {
            "AWS_ENDPOINT": f"http://{host or self.host}",
            "AWS_ACCESS_KEY_ID": "an-access-key",
            "AWS_SECRET_ACCESS_KEY": "a-secret-key",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextmanager
def run_store() -> Iterator[Store]:
    """Run a store in this process until the block ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries below moto
        from moto.s3.models import s3_backends
        from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Store(f"{host}:{port}", s3_backends[_ACCOUNT]["aws"])
    finally:
        server.stop()


@dataclass
class Faults:
    """What a proxy does to the requests that pass it.

    Attributes
    ----------
    every : int
        Each such request for an object fails: in turns by status 503, by an answer that is cut
        off, and by a connection that is closed; 0 for none.
    slow_s : float
        Seconds that every tenth request takes longer.
    denied : str
        Part of the keys that nobody may read.
    before : callable, optional
        Called with the path of each request for an object before it is passed on.
    lose : int
        How many requests that write are carried out, and their answers lost.
    requests : list of (str, str, dict)
        Method, path and headers of all requests so far.
    """

    every: int = 0
    slow_s: float = 0.0
    denied: str = "\0"
    before: Callable[[str], None] | None = None
    lose: int = 0
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def of_objects(self) -> list[tuple[str, str, dict[str, str]]]:
        """Return the requests that were not listings."""
        return [each for each in self.requests if "list-type" not in each[1]]


@dataclass
class Proxy:
    """A running proxy: its address, and what it does."""

    host: str
    faults: Faults


@contextmanager
def run_proxy(store: Store) -> Iterator[Proxy]:
    """Run a proxy before a store until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    proxy = Proxy(f"127.0.0.1:{server.server_port}", Faults())
    server.target, server.faults = store.host, proxy.faults  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that have gone."""


class _Handler(BaseHTTPRequestHandler):
    """Passes one connection's requests on."""

    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        faults: Faults = self.server.faults  # type: ignore[attr-defined]
        faults.requests.append((self.command, self.path, dict(self.headers)))
        number = len(faults.of_objects()) if faults.every else 0
        object_is_asked = "list-type" not in self.path
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if faults.slow_s and len(faults.requests) % 10 == 0:
            time.sleep(faults.slow_s)
        if object_is_asked and faults.before is not None:
            faults.before(self.path)
        if object_is_asked and faults.denied in self.path:
            self._answer(403, {}, b"<Error><Code>AccessDenied</Code></Error>")
            return
        fails = object_is_asked and faults.every and number % faults.every == 0
        kind = number // faults.every % 3 if fails else -1
        if kind == 0:
            self._answer(503, {}, b"<Error><Code>SlowDown</Code></Error>")
            return
        if kind == 1:
            self.close_connection = True
            return
        connection = http.client.HTTPConnection(self.server.target, timeout=30)  # type: ignore[attr-defined]
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        if faults.lose and self.command in ("PUT", "POST"):
            faults.lose -= 1
            answer.read()
            connection.close()
            self.close_connection = True
            return
        headers = {k: v for k, v in answer.getheaders() if k.lower() not in _DROPPED}
        self._answer(answer.status, headers, answer.read(), cut=kind == 2)
        connection.close()

    def _answer(
        self, status: int, headers: dict[str, str], body: bytes, *, cut: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _pass  # noqa: N815 - what http.server calls

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
