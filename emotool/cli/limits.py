"""What the system has refused, in one line: memory, threads, open files, folders."""

import errno
import os
from typing import Final

__all__ = ["refusal"]

_THREADS: Final = (
    "the system refuses to start another thread",
    "raise the limits on processes (ulimit -u) and memory (ulimit -v), or the container's, or use "
    "fewer --workers",
)
_MEMORY: Final = (
    "there is not enough memory",
    "raise the limit on memory (ulimit -v, or the container's), or use fewer --workers",
)
_FILES: Final = (
    "too many files are open",
    "raise the limit on open files (ulimit -n), or use fewer --workers",
)
_TEMPORARY: Final = (
    "there is no folder for temporary files that can be written to",
    "name one in the environment variable TMPDIR",
)
_UNLOADED: Final = ("failed to map segment", "cannot allocate memory")  # of a library
_BY_NUMBER: Final = {
    errno.EAGAIN: _THREADS,
    errno.ENOMEM: _MEMORY,
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
}
_RIGHTS: Final = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}


def refusal(error: BaseException) -> tuple[str, str] | None:
    """Say what the system has refused, where that is what an error means.

    Parameters
    ----------
    error : BaseException
        That no code closer to its cause has explained.

    Returns
    -------
    (str, str) or None
        The message and a hint; None for an error of another kind, such as a bug in emotool.

    Examples
    --------
    >>> refusal(MemoryError())[0]
    'there is not enough memory'
    >>> refusal(ImportError("libm.so: failed to map segment from shared object"))[0]
    'there is not enough memory'
    >>> refusal(RuntimeError("can't start new thread"))[0]
    'the system refuses to start another thread'
    >>> refusal(PermissionError(errno.EACCES, "Permission denied", "home"))
    ('home: Permission denied', 'allow it, or choose another place')
    >>> refusal(RuntimeError("a fault")) is None
    True
    """
    if isinstance(error, MemoryError):
        return _MEMORY
    if isinstance(error, ImportError) and any(each in str(error) for each in _UNLOADED):
        return _MEMORY
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return _THREADS
    if not isinstance(error, OSError):
        return None
    if "No usable temporary directory" in str(error):
        return _TEMPORARY
    if error.errno in _RIGHTS and error.filename is not None:
        place = os.fsdecode(error.filename) if not isinstance(error.filename, int) else "a file"
        return f"{place}: {error.strerror}", "allow it, or choose another place"
    return _BY_NUMBER.get(error.errno or 0)
