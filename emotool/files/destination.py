"""Where a path leads when something is to be written there, and how to say that it cannot be."""

import errno
import itertools
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from emotool.errors import OutputError
from emotool.files.remote import is_remote
from emotool.text import printable

__all__ = ["numbered", "output_error", "replaced_file", "resolve", "shown_from_here", "shown_place"]

# The names under which a process may reach the streams it was started with. They are
# duplicated, not opened: reopening /dev/stdout would truncate the file behind `>>`.
_STREAMS = re.compile(r"/(?:dev|proc/(?:self|thread-self))/fd/(\d+)\Z")
_NAMED_STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_MAX_LINKS = 40  # what Linux follows before ELOOP


def replaced_file(path: str | os.PathLike[str]) -> Path | None:
    """Say which file writing to ``path`` would make or replace.

    Returns
    -------
    Path or None
        Symbolic links followed; None for what is written straight through, and for a URL of
        object storage.

    Raises
    ------
    OutputError
        If nothing can be written there.
    """
    if isinstance(path, str) and is_remote(path):
        from emotool.files.remote_file import checked_target

        checked_target(path)
        return None
    try:
        target, replaceable = resolve(Path(path))
    except (OSError, ValueError) as error:
        raise output_error(shown_place(path), error) from error
    return target if replaceable and isinstance(target, Path) else None


def numbered(path: Path) -> Iterator[Path]:
    """Yield a path, then the same with a number behind its name, without end.

    Examples
    --------
    >>> [place.as_posix() for place in itertools.islice(numbered(Path("a/labels.csv")), 3)]
    ['a/labels.csv', 'a/labels_2.csv', 'a/labels_3.csv']
    """
    yield path
    for number in itertools.count(2):
        yield path.with_name(f"{path.stem}_{number}{path.suffix}")


def shown_place(path: str | os.PathLike[str] | int) -> str:
    """Name a path or an open descriptor to people."""
    if isinstance(path, int):
        return {1: "standard output", 2: "standard error"}.get(path, f"descriptor {path}")
    return printable(os.fspath(path))


def resolve(path: Path) -> tuple[Path | int, bool]:
    """Follow links from a path to what would be written to.

    Returns
    -------
    Path or int
        The file, device or FIFO; or the number of the process's own stream that it stands for.
    bool
        Whether it is a regular file, there or to be made, that can be replaced.

    Raises
    ------
    OSError
        If the path leads to a folder, in a circle or through what is no folder.
    """
    for _ in range(_MAX_LINKS):
        stream = _stream_number(path)
        if stream is not None:
            return stream, False
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            return path, True  # new, or a link to a file that is not there yet
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if not stat.S_ISLNK(mode):
            return path, stat.S_ISREG(mode)
        path = path.parent / path.readlink()
    raise OSError(errno.ELOOP, "its symbolic links go round in a circle")


def _stream_number(path: Path) -> int | None:
    """Say which of the process's own streams a path names, if it does."""
    if os.name != "posix":
        return None
    absolute = os.path.normpath(path.absolute())
    match = _STREAMS.match(absolute)
    return int(match[1]) if match else _NAMED_STREAMS.get(absolute)


def output_error(shown: str, error: OSError | ValueError) -> OutputError:
    """Say in one line why the place called ``shown`` cannot be written to."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    hints = {
        errno.ENOSPC: "free some space, or write elsewhere with -o",
        errno.EACCES: "choose a folder that you may write to with -o",
        errno.EROFS: "choose a folder that you may write to with -o",
        errno.ENOENT: "make the folder first, or correct the path",
    }
    if os.name == "nt":
        hints[errno.EACCES] = "close it in other programs, or choose another place with -o"
    code = error.errno if isinstance(error, OSError) else None
    return OutputError(f"cannot write {shown}: {reason}", hint=hints.get(code or 0, ""))


def shown_from_here(path: Path) -> str:
    """Name a file as the user would: from the current folder, if it is below it."""
    try:
        return str(path.relative_to(Path.cwd().resolve()))
    except (OSError, ValueError):
        return str(path)
