"""Files that are whole or absent, and their fingerprints.

A result file is written beside its place under an unguessable name, flushed to the
disk and then moved over the old one in a single step: a crash, a full disk or a pulled plug
leaves either the old file or the new one, never half of one. Where the kernel has it
(Linux, most file systems) the file has no name at all until it is complete, so that not even
``kill -9`` leaves litter behind.

Only regular files can be replaced like that. Devices, FIFOs and the standard streams
(``/dev/stdout``, ``/dev/fd/3``) are written straight through.
"""

import contextlib
import errno
import hashlib
import io
import os
import secrets
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Literal, overload

from emotool.errors import InputError, OutputError
from emotool.files.destination import output_error, resolve, shown_place
from emotool.files.remote import is_remote
from emotool.text import printable

if TYPE_CHECKING:
    from emotool.files.remote_file import RemoteFile, RemotePlace

__all__ = ["AtomicFile", "atomic_write", "open_atomic", "place_of", "sha256_file"]

_OPEN_FLAGS = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
# Errors of a file system that cannot make a nameless file.
_NO_TMPFILE = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.ENOSYS}


class _ReportingFile(io.FileIO):
    """A raw file whose failing writes say which output they belong to."""

    def __init__(self, descriptor: int, shown: str) -> None:
        super().__init__(descriptor, "wb")
        self.shown = shown

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise  # the reader has gone: that is the command line's to end quietly
        except OSError as error:
            raise output_error(self.shown, error) from error


class AtomicFile:
    """A file that comes into being whole, when :meth:`commit` is called, or not at all.

    Parameters
    ----------
    path : str, os.PathLike or int
        The file's place. A symbolic link is followed and its target replaced. A number
        is an open descriptor (1 is standard output), which is duplicated and written through.
    text : bool, default False
        Open ``handle`` for text: UTF-8, line ends as written.
    durable : bool, default True
        Wait until the disk has it. Without, a loss of power may leave it empty: for many small
        files that the same command, given again, would make again.

    Attributes
    ----------
    handle : IO
        What to write to. A write that fails raises `OutputError` naming the file.
    streaming : bool
        Whether it is written straight through, to a reader who may be waiting for it.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """

    handle: IO[Any]

    def __init__(
        self, path: str | os.PathLike[str] | int, *, text: bool = False, durable: bool = True
    ) -> None:
        self._durable = durable
        self.shown = shown_place(path)
        self._temporary: Path | None = None  # the unfinished file, once it has a name
        self._target: Path | None = None  # what to replace; None: written straight through
        self._nameless = False
        try:
            descriptor = os.dup(path) if isinstance(path, int) else self._open(Path(path))
        except (OSError, ValueError) as error:
            raise output_error(self.shown, error) from error
        self.streaming = self._target is None
        self._raw = _ReportingFile(descriptor, self.shown)
        buffered = io.BufferedWriter(self._raw, 1 << 16)
        self.handle = io.TextIOWrapper(buffered, encoding="utf-8", newline="") if text else buffered

    def _open(self, path: Path) -> int:
        target, replaceable = resolve(path)
        if isinstance(target, int):
            return os.dup(target)
        if not replaceable:
            return os.open(target, os.O_WRONLY | getattr(os, "O_NOCTTY", 0))
        self._target = target
        if target.exists() and not os.access(target, os.W_OK):
            # The folder's rights would allow the move; the file is write-protected.
            raise PermissionError(errno.EACCES, "the file there is read-only")
        descriptor = _open_nameless(target.parent)
        self._nameless = descriptor is not None
        if descriptor is None:
            self._temporary = _unguessable(target.parent)
            # 0o666 is what open() asks for: the umask takes its share.
            descriptor = os.open(self._temporary, _OPEN_FLAGS | os.O_CREAT | os.O_EXCL, 0o666)
        return descriptor

    def commit(self) -> None:
        """Make the file appear under its name, complete and on the disk.

        Raises
        ------
        OutputError
            If that fails; the unfinished file is gone then and the old one untouched.
        """
        try:
            self.handle.flush()
            if self._target is not None:
                if self._durable:
                    os.fsync(self._raw.fileno())
                self._appear(self._target)
            self.handle.close()
        except BrokenPipeError:
            self.discard()
            raise
        except OSError as error:
            self.discard()
            raise output_error(self.shown, error) from error
        except OutputError:
            self.discard()
            raise

    def _appear(self, target: Path) -> None:
        if self._nameless:
            self._temporary = _unguessable(target.parent)
            _give_name(self._raw.fileno(), self._temporary)
        if sys.platform == "win32":
            self.handle.close()  # an open file cannot be moved there
        if self._temporary is not None:
            self._temporary.replace(target)
            self._temporary = None
        if self._durable:
            _sync_folder(target.parent)

    def discard(self) -> None:
        """Forget what was written; what stood at the place before stays. Never raises."""
        if self.streaming:  # what was written to a reader cannot be taken back: finish the line
            with contextlib.suppress(OSError, OutputError, ValueError):  # ValueError: done before
                self.handle.flush()
        # The raw file is closed first: closing the buffer would try to write once more.
        with contextlib.suppress(OSError):
            self._raw.close()
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                self._temporary.unlink()
            self._temporary = None

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


@overload
def atomic_write(path: str | os.PathLike[str]) -> contextlib.AbstractContextManager[IO[bytes]]: ...
@overload
def atomic_write(
    path: str | os.PathLike[str], *, text: Literal[True]
) -> contextlib.AbstractContextManager[IO[str]]: ...
def atomic_write(
    path: str | os.PathLike[str], *, text: bool = False
) -> contextlib.AbstractContextManager[IO[Any]]:
    """Write a file so that it is replaced whole, or left as it was when the block raises.

    Parameters
    ----------
    path : str or os.PathLike
        The file to write, or a URL of object storage.
    text : bool, default False
        Give a text handle (UTF-8, no translation of line ends) instead of a binary one.

    Returns
    -------
    context manager of IO
        The handle to write to.

    Raises
    ------
    OutputError
        If the file cannot be written; it names the file and the reason.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_write(folder / "note.txt", text=True) as handle:
    ...     _ = handle.write("whole or absent")
    >>> (folder / "note.txt").read_text()
    'whole or absent'
    """
    return open_atomic(path, text=text)


def open_atomic(
    path: str | os.PathLike[str] | int, *, text: bool = False
) -> "AtomicFile | RemoteFile":
    """Return a file, or for a URL an object, that comes into being whole or not at all."""
    if not isinstance(path, int) and is_remote(os.fspath(path)):
        from emotool.files.remote_file import RemoteFile

        return RemoteFile(os.fspath(path), text=text)
    return AtomicFile(path, text=text)


def place_of(path: str | os.PathLike[str]) -> "Path | RemotePlace":
    """Return a path, or the place of an object for a URL."""
    if is_remote(os.fspath(path)):
        from emotool.files.remote_file import RemotePlace

        return RemotePlace(os.fspath(path))
    return Path(path)


def sha256_file(path: str | os.PathLike[str]) -> str:
    """Fingerprint a file's content.

    Returns
    -------
    str
        SHA-256 as 64 hexadecimal digits.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        with place_of(path).open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"cannot read {printable(os.fspath(path))}: {error.strerror or error}"
        ) from error


def _open_nameless(folder: Path) -> int | None:
    """Open a file that has no name yet, or None where the system has no such thing."""
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(folder, _OPEN_FLAGS | os.O_TMPFILE, 0o666)
    except OSError as error:
        if error.errno in _NO_TMPFILE and folder.is_dir():
            return None
        raise


def _give_name(descriptor: int, name: Path) -> None:
    # linkat() follows the /proc link to the nameless file, link() would not; Python calls
    # linkat() only when a directory descriptor is given, which an absolute path ignores.
    root = os.open("/", os.O_RDONLY)
    try:
        source = f"/proc/self/fd/{descriptor}"
        os.link(source, name.absolute(), src_dir_fd=root, follow_symlinks=True)
    finally:
        os.close(root)


def _unguessable(folder: Path) -> Path:
    # The name does not contain the target's, which may already be as long as names can be.
    return folder / f".emotool-{secrets.token_hex(16)}.tmp"


def _sync_folder(folder: Path) -> None:
    """Make the move itself survive a power cut, where folders can be flushed."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
