"""One run at a time per output.

The lock is the operating system's, on a small file beside the output: it ends with the process
that holds it, however that ends, so a file left behind by a dead one blocks no run.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from emotool.errors import LockedError, OutputError
from emotool.text import printable

__all__ = ["OutputLock", "beside", "lock_all", "short_name"]

_MAX_NAME = 200  # bytes of the output's own name; what is added must fit into 255 with it
_UNSUPPORTED = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}
_LOCK_BYTE = 1 << 30  # Windows locks bytes, not files; this one is never read


def beside(target: Path, purpose: str) -> Path:
    """Name a hidden file that belongs to ``target``, in the same folder.

    Examples
    --------
    >>> beside(Path("results/labels.csv"), "lock").as_posix()
    'results/.labels.csv.emotool-lock'
    """
    return target.parent / f".{short_name(target.name)}.emotool-{purpose}"


def short_name(name: str) -> str:
    """Return a file's name, or a shorter one of its own if nothing could be added to it."""
    encoded = os.fsencode(name)
    if len(encoded) <= _MAX_NAME:
        return name
    import hashlib

    return os.fsdecode(encoded[:100]) + "~" + hashlib.sha256(encoded).hexdigest()


class OutputLock:
    """Keeps other runs away from an output as long as it is entered.

    Parameters
    ----------
    target : Path
        The output, links resolved. Its folder must exist and be writable.

    Raises
    ------
    LockedError
        If another run holds it.
    OutputError
        If nothing can be written beside the output.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = beside(target, "lock")
        self._descriptor = -1

    def __enter__(self) -> Self:
        while self._descriptor < 0:
            self._try()
        return self

    def _try(self) -> None:
        """Open and lock the file, unless its last owner removed it in between."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | _CLOSE_ON_EXEC, 0o666)
        except OSError as error:
            raise OutputError(
                f"cannot write {printable(str(self._target))}: {error.strerror}",
                hint="choose a folder that you may write to with -o",
            ) from error
        try:
            if not _lock(descriptor):
                raise LockedError(
                    f"another run{_owner(descriptor)} is writing {printable(str(self._target))}",
                    hint="wait for it to end, or write elsewhere with -o",
                )
            if _is_still(self._path, descriptor):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, b"%d\n" % os.getpid())
                self._descriptor, descriptor = descriptor, -1
        except OSError as error:
            raise OutputError(
                f"cannot write {printable(str(self._target))}: {error.strerror}"
            ) from error
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if sys.platform == "win32":  # an open file cannot be removed there
            os.close(self._descriptor)
        with contextlib.suppress(OSError):
            self._path.unlink()
        if sys.platform != "win32":
            os.close(self._descriptor)
        self._descriptor = -1


def lock_all(targets: Iterable[Path], stack: contextlib.ExitStack) -> None:
    """Keep other runs away from outputs until a stack is left; raises as `OutputLock`."""
    for target in targets:
        stack.enter_context(OutputLock(target))


_CLOSE_ON_EXEC = getattr(os, "O_CLOEXEC", 0)

if sys.platform == "win32":

    def _lock(descriptor: int) -> bool:
        import msvcrt

        try:
            os.lseek(descriptor, _LOCK_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:

    def _lock(descriptor: int) -> bool:
        """Take the lock; False when someone else has it."""
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            # Some network drives have no locks. Two runs there would not be told from each
            # other, but refusing every run would be worse: outputs still appear whole.
            if error.errno not in _UNSUPPORTED:
                raise
        return True


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return sys.platform == "win32" or os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _owner(descriptor: int) -> str:
    with contextlib.suppress(OSError, ValueError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        return f" (process {int(os.read(descriptor, 20))})"
    return ""
