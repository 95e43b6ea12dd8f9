"""Open regular files of others for reading, and say why the system refused one."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from emotool.errors import AudioError

__all__ = ["kind_of", "open_regular", "plain_reason"]


@contextmanager
def open_regular(path: str) -> Iterator[int]:
    """Open a regular file for reading and close it afterwards.

    Anything else (a FIFO nobody writes to, a terminal, a tape drive) could block for ever or
    do something when opened, so it is looked at before, and again after, opening.

    Parameters
    ----------
    path : str
        A path; undecodable bytes as surrogate escapes.

    Yields
    ------
    int
        A file descriptor at the start of the file.

    Raises
    ------
    AudioError
        If the path is not a regular file that can be opened, or is empty; stage ``open``.
    """
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"):
        flags |= getattr(os, name, 0)
    try:
        _check(os.stat(path))  # noqa: PTH116 - Path would reject nothing and cost time
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise AudioError("open", plain_reason(error)) from error
    try:
        _check(os.fstat(descriptor))
        yield descriptor
    finally:
        os.close(descriptor)


def _check(status: os.stat_result) -> None:
    kind = kind_of(status.st_mode)
    if kind != "file":
        raise AudioError("open", f"not a file but a {kind}")
    if status.st_size == 0:
        raise AudioError("open", "the file is empty (0 bytes)")


def kind_of(mode: int) -> str:
    """Return what a ``st_mode`` describes, in one or two words; ``file`` if regular."""
    for test, name in (
        (stat.S_ISREG, "file"),
        (stat.S_ISDIR, "folder"),
        (stat.S_ISFIFO, "FIFO"),
        (stat.S_ISSOCK, "socket"),
        (stat.S_ISCHR, "character device"),
        (stat.S_ISBLK, "block device"),
    ):
        if test(mode):
            return name
    return "special file"


def plain_reason(error: OSError | ValueError) -> str:
    """Return why the system refused a path, without numbers and paths."""
    if not isinstance(error, OSError):  # a NUL character in the path
        return "not a valid file name"
    if error.errno == errno.ELOOP:
        return "symbolic links go round in a circle"
    reason = error.strerror or str(error)
    return reason[:1].lower() + reason[1:]
