"""Objects that are whole or absent: written to object storage in one step.

A store shows an object when it has received all of it. What is written is kept beside until then,
and sent in one conditional request (If-None-Match, or If-Match for one that is replaced), so that
of two runs that write the same object one fails. A large one is sent in parts, for which stores
know no condition: it is asked for once more before it appears.
"""

import contextlib
import errno
import io
import tempfile
import time
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Final, cast

from emotool.errors import AudioError, InputError, MissingExtraError, OutputError
from emotool.files.destination import output_error
from emotool.files.remote import Remote, checked_remote, shown_url
from emotool.files.remote_reading import open_remote
from emotool.files.stores import NO_OBJECT, call, open_store, reason_of, store_errors

__all__ = ["RemoteFile", "RemotePlace", "checked_target", "read_object"]

_IN_MEMORY: Final = 16 << 20
_ONE_REQUEST: Final = 128 << 20  # bytes up to which an object is sent in one request
_PART: Final = 16 << 20
_TRIES: Final = 4
_WAIT: Final = 0.5  # seconds before the second; doubled for each further one


class RemoteFile:
    """An object that comes into being whole, when :meth:`commit` is called, or not at all.

    It has the methods of `emotool.files.atomic.AtomicFile`.

    Parameters
    ----------
    url : str
        ``s3://bucket/key``. An object there is replaced, unless another one is there by the end.
    text : bool, default False
        Open ``handle`` for text: UTF-8, line ends as written.

    Attributes
    ----------
    handle : IO
        What to write to; nothing is sent yet.
    shown : str
        The URL, for messages.
    streaming : bool
        False.

    Raises
    ------
    OutputError
        If the store refuses the credentials, or the URL cannot be an object's.
    """

    streaming = False

    def __init__(self, url: str, *, text: bool = False) -> None:
        self.shown = shown_url(url)
        self._remote = checked_target(url)
        self._store = open_store(self._remote.scheme, self._remote.bucket)
        self._before = self._version()
        self._spool = _Spool(self.shown)
        self.handle: IO[Any] = self._spool
        if text:
            self.handle = io.TextIOWrapper(self._spool, encoding="utf-8", newline="")

    def commit(self) -> None:
        """Make the object appear, complete.

        Raises
        ------
        OutputError
            If that fails, or another program has made or replaced it meanwhile.
        """
        try:
            self.handle.flush()
            if self._spool.tell() > _ONE_REQUEST:
                self._send_in_parts()
            else:
                self._spool.seek(0)
                self._send(self._spool.read())
        except OSError as error:
            raise self._error(error.strerror or str(error)) from error
        finally:
            self.discard()

    def _send(self, content: bytes) -> None:
        """Send the object in one request, which must find what was there before."""
        import obstore

        key = self._remote.key
        mode: Any = "create" if self._before is None else {"e_tag": self._before}
        number = 0
        while True:
            number += 1
            try:
                call(obstore.put, self._store, key, content, mode=mode, use_multipart=False)
            except store_errors() as error:
                # An answer can be lost, and the same request then finds its own object.
                if self._holds(content):
                    return
                refused = type(error).__name__ in ("AlreadyExistsError", "PreconditionError")
                denied = "Permission" in type(error).__name__
                if refused or denied or number == _TRIES:
                    reason = "another program has written it meanwhile"
                    raise self._error(reason if refused else reason_of(error)) from None
                time.sleep(_WAIT * 2 ** (number - 1))
            else:
                return

    def _send_in_parts(self) -> None:
        import obstore

        if self._version() != self._before:
            raise self._error("another program has written it meanwhile")
        self._spool.seek(0)
        try:
            call(obstore.put, self._store, self._remote.key, self._spool, chunk_size=_PART)
        except store_errors() as error:
            raise self._error(reason_of(error)) from None

    def _version(self) -> str | None:
        """Return the ETag of the object that is there; None if there is none."""
        import obstore

        try:
            return call(obstore.head, self._store, self._remote.key)["e_tag"]
        except FileNotFoundError:
            return None
        except store_errors() as error:
            raise self._error(reason_of(error)) from None

    def _holds(self, content: bytes) -> bool:
        try:
            return read_object(self._remote, len(content)) == content
        except OSError:
            return False

    def discard(self) -> None:
        """Forget what was written; what stood at the place before stays. Never raises."""
        with contextlib.suppress(OSError, ValueError):
            self._spool.close()

    def _error(self, reason: str) -> OutputError:
        return OutputError(f"cannot write {self.shown}: {reason}")

    def __enter__(self) -> IO[Any]:
        return self.handle

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self.discard()


class _Spool(tempfile.SpooledTemporaryFile[bytes]):
    """What is not sent yet, on the disk if it is long; failing writes name the output."""

    def __init__(self, shown: str) -> None:
        super().__init__(_IN_MEMORY)
        self._shown = shown

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise output_error(self._shown, error) from error


@dataclass(frozen=True, slots=True)
class RemotePlace:
    """An object's URL with the methods of a path that tables and their records need.

    Parameters
    ----------
    url : str

    Examples
    --------
    >>> place = RemotePlace("s3://calls/labels/part-1.csv")
    >>> str(place.with_name(place.name + ".json"))
    's3://calls/labels/part-1.csv.json'
    """

    url: str

    @property
    def name(self) -> str:
        """What stands behind the last ``/``."""
        return self.url.rpartition("/")[2]

    def with_name(self, name: str) -> "RemotePlace":
        """Return the place of another object beside it."""
        return RemotePlace(f"{self.url.rpartition('/')[0]}/{name}")

    def exists(self) -> bool:
        """Return whether there is an object; OSError if that cannot be said."""
        import obstore

        try:
            remote = checked_target(self.url)
            call(obstore.head, open_store(remote.scheme, remote.bucket), remote.key)
        except FileNotFoundError:
            return False
        except store_errors() as error:
            raise OSError(errno.EIO, reason_of(error)) from None
        return True

    def open(self, mode: str = "rb") -> io.BufferedReader:
        """Open the object to read its bytes; FileNotFoundError, or OSError that names no URL."""
        try:
            return cast("io.BufferedReader", open_remote(self.url)[0])
        except AudioError as error:
            if error.reason == NO_OBJECT:
                raise FileNotFoundError(errno.ENOENT, error.reason) from None
            raise OSError(errno.EIO, error.reason) from None

    def __fspath__(self) -> str:
        return self.url

    def __str__(self) -> str:
        return self.url


def checked_target(url: str) -> Remote:
    """Cut the URL of an object that is to be written into its parts; nothing is sent.

    Raises
    ------
    OutputError
        If it is none, or there are no credentials.
    MissingExtraError
        Without the extra ``cloud``.
    """
    try:
        remote = checked_remote(url)
        open_store(remote.scheme, remote.bucket)
    except MissingExtraError:
        raise
    except InputError as error:
        raise OutputError(error.message, hint=error.hint) from None
    if not remote.key or remote.key.endswith("/"):
        raise OutputError(f"cannot write {shown_url(url)}: it has no name of an object")
    return remote


def read_object(remote: Remote, most: int) -> bytes | None:
    """Return an object's content, None if there is more than ``most`` bytes of it.

    Raises
    ------
    FileNotFoundError
        If there is no such object.
    OSError
        If it cannot be read; its ``strerror`` names no URL.
    """
    import obstore

    try:
        store = open_store(remote.scheme, remote.bucket)
        got = call(obstore.get, store, remote.key)
        return bytes(call(got.bytes)) if got.meta["size"] <= most else None
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, NO_OBJECT) from None
    except store_errors() as error:
        raise OSError(errno.EIO, reason_of(error)) from None
