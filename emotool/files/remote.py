"""Names of clips and tables in object storage and on web servers.

A clip in object storage has the path ``s3://bucket/key``, which whatever opens clips understands.
A path of a listed object also holds its size and ETag, as ``URL NUL size NUL ETag``: no key of a
store and no file has a NUL in its name. User information and query strings of URLs are secrets,
since links are signed there: nothing shows them (`emotool.text.redacted_url`).
"""

import os
import re
from typing import Final, NamedTuple

from emotool.errors import InputError
from emotool.text import redacted_url

__all__ = [
    "BUCKETS",
    "LOOPBACK",
    "Remote",
    "checked_remote",
    "is_remote",
    "listed_path",
    "read_anonymously",
    "shown_url",
    "split_remote",
    "unsigned",
    "url_problem",
]

BUCKETS: Final = ("s3", "gs", "az")
"""Schemes of object storage, which can be listed and written."""

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts that may be reached without encryption."""

_URL: Final = re.compile(r"(s3|gs|az|https?)://", re.ASCII)
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,221}", re.ASCII)
_SKIP_SIGNATURE: Final = ("AWS_SKIP_SIGNATURE", "GOOGLE_SKIP_SIGNATURE", "AZURE_SKIP_SIGNATURE")
_SIZE: Final = re.compile(r"\d{1,18}", re.ASCII)
_MOST_KEY: Final = 1024  # bytes, of S3, GCS and Azure alike


class Remote(NamedTuple):
    """What a path in object storage or on a web server consists of.

    Parameters
    ----------
    url : str
        As typed or listed, secrets included.
    scheme : str
        ``s3``, ``gs``, ``az``, ``https`` or ``http``.
    bucket, key : str
        Bucket (Azure: container) and key; of a web server its host, and "".
    size : int or None
        Bytes, where it was listed.
    etag : str
        The version that was listed; "" where it was not.
    """

    url: str
    scheme: str
    bucket: str
    key: str
    size: int | None = None
    etag: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """Return what all URLs of one object in a bucket have in common."""
        return self.scheme, self.bucket, self.key


def is_remote(path: str) -> bool:
    """Return whether a path is a URL that can be read.

    Examples
    --------
    >>> is_remote("s3://bucket/a.wav"), is_remote("clips/a.wav")
    (True, False)
    """
    return _URL.match(path) is not None


def split_remote(path: str) -> Remote | None:
    """Cut a path into the parts of its URL; None for a file's.

    Examples
    --------
    >>> split_remote(listed_path("s3://calls/2024/a.wav", 12, "e1"))
    Remote(url='s3://calls/2024/a.wav', scheme='s3', bucket='calls', key='2024/a.wav', size=12, \
etag='e1')
    """
    if not _URL.match(path):
        return None
    url, _, listed = path.partition("\0")
    scheme, _, rest = url.partition("://")
    if scheme not in BUCKETS:
        from urllib.parse import urlsplit

        try:
            return Remote(url, scheme, urlsplit(url).hostname or "", "")
        except ValueError:  # an invalid IPv6 address
            return Remote(url, scheme, "", "")
    bucket, _, key = rest.partition("/")
    size, _, etag = listed.partition("\0")
    known = int(size) if _SIZE.fullmatch(size) else None
    return Remote(url, scheme, bucket, key, known, etag)


def listed_path(url: str, size: int, etag: str) -> str:
    """Return the path of an object that was listed."""
    return f"{url}\0{size}\0{etag}"


def shown_url(path: str) -> str:
    """Return a path's URL without its secrets.

    Examples
    --------
    >>> shown_url("https://ann:word@example.org/a.wav?signature=5e")
    'https://example.org/a.wav?...'
    """
    return redacted_url(path.partition("\0")[0])


def url_problem(remote: Remote) -> str | None:
    """Return why a URL names nothing that is read or written."""
    if remote.scheme in BUCKETS:
        if not _BUCKET.fullmatch(remote.bucket):
            return f"not a URL of the form {remote.scheme}://bucket/key"
        if len(remote.key.encode("utf-8", "surrogateescape")) > _MOST_KEY:
            return f"a key of more than {_MOST_KEY:,} bytes"
        return None
    if not remote.bucket:
        return "not a URL with a host"
    if remote.scheme == "http" and remote.bucket not in LOOPBACK:
        return "http:// is not encrypted: use https://"
    return None


def checked_remote(url: str) -> Remote:
    """Cut the URL of an object or a prefix into its parts.

    Raises
    ------
    InputError
        If it is not one of object storage.
    """
    remote = split_remote(url)
    if remote is None or remote.scheme not in BUCKETS:
        raise InputError(
            f"{redacted_url(url)} is not in object storage",
            hint="name a bucket and a prefix, such as s3://bucket/prefix/",
        )
    if problem := url_problem(remote):
        raise InputError(f"{redacted_url(url)}: {problem}")
    return remote


def read_anonymously() -> None:
    """Sign no request of this process and of those that it starts: buckets must be public."""
    os.environ.update(dict.fromkeys(_SKIP_SIGNATURE, "true"))


def unsigned() -> dict[str, str | None]:
    """Return the variables that `read_anonymously` has set, for processes on other machines."""
    return {name: os.environ[name] for name in _SKIP_SIGNATURE if name in os.environ}
