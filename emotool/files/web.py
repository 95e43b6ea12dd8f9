"""Clips of web servers, by the standard library: it can be kept from following redirects.

The library behind obstore follows redirects to every host, and has no setting for it. Here a
redirect is followed only to the same host, by HTTPS, so that neither a link's secrets nor a
request of this machine go where nobody has sent them.
"""

import base64
import errno
import functools
import http.client
import random
import re
import ssl
import string
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from typing import IO, Any, Final, TypeVar
from urllib.parse import quote, unquote, urlsplit

from emotool.files.remote import LOOPBACK
from emotool.files.zip_members import MAX_BYTES
from emotool.version import __version__

__all__ = ["fetch_page"]

_SECONDS: Final = 30.0  # without a byte
_MOST_SECONDS: Final = 300.0  # of an answer
_TRIES: Final = 5
_WAIT: Final = 0.2  # seconds before the second try; doubled for each further one
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK: Final = 1 << 20
_REASONS: Final = {
    401: "access denied",
    403: "access denied, or the link has expired",
    404: "there is no such file",
    410: "there is no such file any more",
    412: "it changed while it was read",
}

Range = Callable[[int, int], bytes]
Fetched = TypeVar("Fetched")


class _RefusedError(OSError):
    """What is not tried again."""


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows redirects within a host, from https to https."""

    max_redirections = 4

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if (old.scheme, old.hostname, old.port) != (new.scheme, new.hostname, new.port):
            fp.close()
            raise _RefusedError(errno.EIO, "the server redirects to another host or protocol")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def fetch_page(url: str, most: int) -> bytes | tuple[Range, int]:
    """Fetch what a URL names, or open it to be fetched in ranges.

    Parameters
    ----------
    url : str
        ``https://…``, with user information and query if it has them.
    most : int
        Bytes up to which it is fetched whole, whatever the server can do.

    Returns
    -------
    bytes, or (callable, int)
        The content; or what returns the bytes between two positions, and how many there are.

    Raises
    ------
    OSError
        If it cannot be fetched, or is larger than `emotool.files.zip_members.MAX_BYTES` and
        the server does not give ranges; its ``strerror`` names no URL.
    """
    return _tried(functools.partial(_fetch, url, most))


def _fetch(url: str, most: int) -> bytes | tuple[Range, int]:
    with _request(url, {}) as answer:
        length = answer.headers.get("Content-Length", "")
        size = int(length) if re.fullmatch(r"\d{1,18}", length, re.ASCII) else -1
        ranges = answer.headers.get("Accept-Ranges", "").strip().lower() == "bytes"
        etag = answer.headers.get("ETag", "")
        if size > most and ranges:
            return functools.partial(_fetch_range, url, etag, size), size
        if size > MAX_BYTES:
            raise _too_large()
        content, until = bytearray(), time.monotonic() + _MOST_SECONDS
        while chunk := answer.read1(_CHUNK):  # as much as has come
            content += chunk
            if len(content) > MAX_BYTES:
                raise _too_large()
            if time.monotonic() > until:
                raise _RefusedError(errno.EIO, "no answer in time")
    if size >= 0 and len(content) != size:
        raise OSError(errno.EIO, "the connection broke")
    return bytes(content)


def _fetch_range(url: str, etag: str, size: int, start: int, stop: int) -> bytes:
    headers = {"Range": f"bytes={start}-{stop - 1}"}
    if etag and not etag.startswith("W/"):
        headers["If-Match"] = etag
    wanted = f"bytes {start}-{stop - 1}/{size}"

    def fetch() -> bytes:
        with _request(url, headers) as answer:
            changed = etag and answer.headers.get("ETag", etag) != etag
            if answer.status != 206 or answer.headers.get("Content-Range") != wanted or changed:
                raise _RefusedError(errno.EIO, "it changed while it was read")
            content: bytes = answer.read(stop - start)
        if len(content) != stop - start:
            raise OSError(errno.EIO, "the connection broke")
        return content

    return _tried(fetch)


def _request(url: str, headers: dict[str, str]) -> Any:
    """Send a request; return the answer, to be closed."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    # Blanks and letters beyond ASCII are encoded, and what is encoded already stays.
    bare = quote(parts._replace(netloc=host, fragment="").geturl(), string.punctuation)
    request = urllib.request.Request(
        bare, headers={"User-Agent": f"emotool/{__version__}"} | headers
    )
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_header("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}")
    return _opener(parts.hostname in LOOPBACK).open(request, timeout=_SECONDS)


@functools.cache
def _opener(here: bool) -> urllib.request.OpenerDirector:
    """Return what sends requests, to this machine past any proxy."""
    handlers: list[Any] = [
        _SameHost,
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
    ]
    if here:
        handlers.append(urllib.request.ProxyHandler({}))
    opener = urllib.request.build_opener(*handlers)
    opener.addheaders = []
    return opener


def _tried(fetch: Callable[[], Fetched]) -> Fetched:
    """Return what a function returns, tried again after failures that may pass."""
    number = 0
    while True:
        number += 1
        try:
            return fetch()
        except _RefusedError:
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            if number == _TRIES or not _may_pass(error):
                raise _RefusedError(errno.EIO, _reason(error)) from None
        time.sleep(_WAIT * 2 ** (number - 1) * random.uniform(0.5, 1.5))


def _may_pass(error: Exception) -> bool:
    """Whether another try may succeed."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code in _PASSING
    lasting = (ValueError, http.client.InvalidURL, ssl.SSLCertVerificationError)
    return not isinstance(getattr(error, "reason", error), lasting)


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return _REASONS.get(error.code, f"the server answered {error.code}")
    cause = getattr(error, "reason", error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return "the server's certificate is not valid"
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, ValueError | http.client.InvalidURL):
        return "not a valid URL"
    return "no connection" if isinstance(error, urllib.error.URLError) else "the connection broke"


def _too_large() -> OSError:
    return _RefusedError(
        errno.EIO, f"more than {MAX_BYTES >> 20} MiB from a server that does not send ranges"
    )
