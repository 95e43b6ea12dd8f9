"""Objects below a prefix of a bucket, in the order of their keys and in flat memory.

A store lists a thousand keys a request. Where that takes long, several folders are listed side by
side: their names are found by asking for the first key behind each of them.
"""

import threading
from collections.abc import Iterator
from itertools import pairwise
from queue import Full, Queue
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from emotool.errors import InputError
from emotool.files.remote import Remote, checked_remote
from emotool.files.stores import call, open_store, reason_of, store_errors, wait_for
from emotool.text import printable

if TYPE_CHECKING:
    from obstore.store import ObjectStore

__all__ = ["Object", "list_objects"]

_PAGE: Final = 1_000
_PAGES_ALONE: Final = 10  # before folders are listed side by side
_AT_ONCE: Final = 8
_PAGES_HELD: Final = 8  # of each folder
_LAST: Final = "\U0010ffff"  # behind all that a folder's keys begin with
_WAIT_SECONDS: Final = 0.2


class Object(NamedTuple):
    """An object of a bucket.

    Parameters
    ----------
    key : str
    size : int
        Bytes.
    etag : str
        Names its version.
    """

    key: str
    size: int
    etag: str


Page = list[Object]


def list_objects(url: str) -> Iterator[Page]:
    """Yield the objects below a prefix, page by page.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``; a prefix ends where a part of keys ends, whether a ``/`` follows
        or not.

    Yields
    ------
    list of Object
        In the order of the store, which is that of the keys.

    Raises
    ------
    InputError
        If the URL is none of object storage, there are no credentials, or it cannot be listed.
    MissingExtraError
        Without the extra ``cloud``.
    """
    remote = checked_remote(url)
    try:
        yield from _Listing(remote).pages()
    except store_errors() as error:
        raise InputError(
            f"cannot list {printable(url)}: {reason_of(error)}", hint=_hint(error)
        ) from None


def _hint(error: Exception) -> str:
    if "Permission" in type(error).__name__ or "Unauthenticated" in type(error).__name__:
        return "the credentials need the right to list the bucket; a public one, --anonymous"
    return ""


class _Listing:
    """One listing."""

    def __init__(self, remote: Remote) -> None:
        self._store: ObjectStore = open_store(remote.scheme, remote.bucket)
        self._prefix = remote.key.rstrip("/")
        # Azure starts at the beginning whatever offset is asked for, and S3 Express has no order.
        self._ordered = remote.scheme != "az" and not remote.bucket.endswith("--x-s3")

    def pages(self) -> Iterator[Page]:
        last = ""
        while True:
            for number, page in enumerate(self._from(last), 1):
                yield page
                last = page[-1].key
                if number == _PAGES_ALONE and self._ordered and len(page) == _PAGE:
                    break
            else:
                return
            folders = list(self._folders(last))
            if len(folders) > 1:
                yield from self._side_by_side([last, *folders])
                last = folders[-1]

    def _from(self, offset: str, stop: str | None = None) -> Iterator[Page]:
        """Yield the pages behind a key, up to another."""
        import obstore

        options: dict[str, Any] = {"offset": offset} if offset else {}
        listed = obstore.list(self._store, self._prefix, chunk_size=_PAGE, **options)
        while (found := call(next, listed, None)) is not None:
            page = [Object(each["path"], each["size"], each["e_tag"] or "") for each in found]
            if stop is not None and page[-1].key > stop:
                if page := [each for each in page if each.key <= stop]:
                    yield page
                return
            yield page

    def _folders(self, last: str) -> Iterator[str]:
        """Yield what is behind the present folder and the next ones, while they are large."""
        depth = self._prefix.count("/") + bool(self._prefix)
        while depth < last.count("/"):
            behind = _behind(last, depth)
            if next(self._from(behind), None):  # at this depth there are others
                break
            depth += 1
        for _ in range(_AT_ONCE):
            if last.count("/") <= depth:
                return
            yield (behind := _behind(last, depth))
            page = next(self._from(behind), None)
            if page is None or _behind(page[0].key, depth) != _behind(page[-1].key, depth):
                return
            last = page[0].key

    def _side_by_side(self, bounds: list[str]) -> Iterator[Page]:
        """Yield the pages between bounds in order, listing all of them at once."""
        ended = threading.Event()
        queues: list[Queue[Page | BaseException | None]] = []
        for start, stop in pairwise(bounds):
            queues.append(Queue(_PAGES_HELD))
            arguments = (start, stop, queues[-1], ended)
            threading.Thread(None, self._fill, "listing", arguments, daemon=True).start()
        try:
            for queue in queues:
                while (page := wait_for(queue)) is not None:
                    if isinstance(page, BaseException):
                        raise page
                    yield page
        finally:
            ended.set()

    def _fill(
        self,
        start: str,
        stop: str,
        queue: "Queue[Page | BaseException | None]",
        ended: threading.Event,
    ) -> None:
        """List between two bounds into a queue; None, or an error, ends it."""
        try:
            for page in self._from(start, stop):
                if not _put(queue, page, ended):
                    return
            _put(queue, None, ended)
        except BaseException as error:  # raised where pages are taken
            _put(queue, error, ended)


def _put(queue: "Queue[Any]", page: Page | BaseException | None, ended: threading.Event) -> bool:
    """Put a page where there is room; False once nobody takes any more."""
    while not ended.is_set():
        try:
            queue.put(page, timeout=_WAIT_SECONDS)
        except Full:
            continue
        return True
    return False


def _behind(key: str, depth: int) -> str:
    """Return what comes behind all keys of the folder that a key is in, at a depth from 0."""
    return "/".join(key.split("/")[: depth + 1]) + "/" + _LAST
