"""Clips of object storage and of web servers, as files that decoders read.

A short clip is fetched whole, into memory; of a longer one blocks are fetched where a decoder
reads. An object that was listed is read in the version that was listed (If-Match), and one that
was not in the version that its first answer named.
"""

import errno
import functools
import io
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from emotool.errors import AudioError, EmotoolError
from emotool.files.remote import BUCKETS, Remote, split_remote, url_problem

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["WHOLE_BYTES", "RangeReader", "open_remote", "prefetch"]

WHOLE_BYTES: Final = 8 << 20
"""Bytes up to which a clip is fetched whole; of longer ones blocks are fetched."""

_BLOCK: Final = 4 << 20
_BLOCKS: Final = 4  # in memory, of a long clip
_AT_ONCE: Final = 16  # clips that are fetched before they are asked for

Opened = tuple[BinaryIO, int]
_prefetched: "dict[str, Future[Opened]]" = {}


class RangeReader(io.RawIOBase):
    """A remote file of which blocks are fetched where they are read.

    Parameters
    ----------
    fetch : callable
        Returns the bytes from one position up to another; raises OSError.
    size : int
        Bytes of the file.

    Attributes
    ----------
    error : OSError or None
        Why a block could not be fetched. Nothing is raised, since callbacks of C code cannot
        pass it on: the file seems to end there, and the caller must check.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        self._fetch = fetch
        self._size = size
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self.error: OSError | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the start of the file")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer up to the end of a block."""
        view = memoryview(buffer).cast("B")
        if self._position >= self._size or not view:
            return 0
        number, start = divmod(self._position, _BLOCK)
        try:
            content = self._block(number)[start : start + len(view)]
        except OSError as error:
            self.error = error
            return 0
        view[: len(content)] = content
        self._position += len(content)
        return len(content)

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            start = number * _BLOCK
            stop = min(start + _BLOCK, self._size)
            content = self._fetch(start, stop)
            if len(content) != stop - start:
                raise OSError(errno.EIO, "it changed while it was read")
            self._blocks[number] = content
            if len(self._blocks) > _BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]


def open_remote(path: str) -> Opened:
    """Open a remote clip, fetched before or now.

    Parameters
    ----------
    path : str
        A URL, or what `emotool.files.remote.listed_path` gives.

    Returns
    -------
    (file-like, int)
        The clip at its start, and its size in bytes.

    Raises
    ------
    AudioError
        If it cannot be read; stage ``open``.
    """
    future = _prefetched.pop(path, None)
    return _open(path) if future is None else future.result()


def prefetch(paths: Iterable[str]) -> None:
    """Begin to fetch the clips among some paths that are remote; `open_remote` waits for them."""
    for path in paths:
        if split_remote(path) is not None and path not in _prefetched:
            _prefetched[path] = _threads().submit(_open, path)


@functools.cache
def _threads() -> "ThreadPoolExecutor":
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(_AT_ONCE)


def _open(path: str) -> Opened:
    remote = split_remote(path)
    if remote is None:
        raise AudioError("open", "not a URL")
    if problem := url_problem(remote):
        raise AudioError("open", problem)
    try:
        if remote.scheme in BUCKETS:
            return _open_object(remote)
        from emotool.files.web import fetch_page

        fetched = fetch_page(remote.url, WHOLE_BYTES)
    except OSError as error:
        raise AudioError("open", error.strerror or "the connection broke") from None
    except EmotoolError as error:
        raise (
            error if isinstance(error, AudioError) else AudioError("open", error.message)
        ) from None
    return _whole(fetched) if isinstance(fetched, bytes) else _ranged(*fetched)


def _open_object(remote: Remote) -> Opened:
    """Open an object of a store; OSError if it cannot be read."""
    if remote.size is not None and remote.size > WHOLE_BYTES:
        return _ranged(functools.partial(_get_range, remote, remote.etag), remote.size)
    got = _get(remote, {"if_match": remote.etag} if remote.etag else {})
    size, etag = got.meta["size"], got.meta["e_tag"] or ""
    if size > WHOLE_BYTES:
        return _ranged(functools.partial(_get_range, remote, etag), size)
    content = _bytes_of(got)
    if len(content) != size:
        raise OSError(errno.EIO, "the connection broke")
    return _whole(content)


def _get_range(remote: Remote, etag: str, start: int, stop: int) -> bytes:
    options: dict[str, Any] = {"range": (start, stop)}
    if etag:
        options["if_match"] = etag
    return _bytes_of(_get(remote, options))


def _get(remote: Remote, options: dict[str, Any]) -> Any:
    import obstore

    from emotool.files.stores import call, open_store, reason_of, store_errors

    store = open_store(remote.scheme, remote.bucket)
    try:
        return call(obstore.get, store, remote.key, options=cast("Any", options))
    except store_errors() as error:
        raise OSError(errno.EIO, reason_of(error)) from None


def _bytes_of(got: Any) -> bytes:
    from emotool.files.stores import call, reason_of, store_errors

    try:
        return bytes(call(got.bytes))
    except store_errors() as error:
        raise OSError(errno.EIO, reason_of(error)) from None


def _whole(content: bytes) -> Opened:
    if not content:
        raise AudioError("open", "the file is empty (0 bytes)")
    return io.BytesIO(content), len(content)


def _ranged(fetch: Callable[[int, int], bytes], size: int) -> Opened:
    return io.BufferedReader(RangeReader(fetch, size), 1 << 16), size
