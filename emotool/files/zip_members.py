"""Clips in zip archives, read member by member into memory: nothing is unpacked to disk.

A clip in an archive has the path ``talks.zip/inner/a.wav``, which whatever opens clips
understands. An archive's list of members is untrusted: names lead nowhere,
since no file of that name is made, and sizes are bounded before and while a member is read.
"""

import functools
import io
import os
import re
import stat
import zlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from emotool.errors import AudioError
from emotool.files.opening import open_regular, plain_reason

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

__all__ = [
    "MAX_BYTES",
    "MAX_RATIO",
    "Member",
    "file_of",
    "is_archive",
    "list_members",
    "member_problem",
    "read_member",
    "split_member",
]

MAX_BYTES: Final = 256 << 20
"""Bytes of the largest member that is read; it is held in memory."""

MAX_RATIO: Final = 200
"""How many times its compressed size a large member may have; zeros deflate a thousand times."""

_SMALL: Final = 4 << 20  # bytes to which that does not apply: a short silence is no attack
_MAX_DIRECTORY: Final = 32 << 20  # bytes of the list of members, some 100 each
_CHUNK: Final = 1 << 20
_ENCRYPTED: Final = 0x41  # flags: by the old way, by the strong one
_UTF8: Final = 0x800
_WITHIN: Final = re.compile(rf"\.zip[/{re.escape(os.sep)}]", re.IGNORECASE | re.ASCII)
_METHODS: Final = (0, 8)  # stored, deflated; others' memory is not bounded by the output's


class Member(NamedTuple):
    """One entry of an archive.

    Parameters
    ----------
    name : str
        Its name in the archive.
    problem : str or None
        Why it cannot be read, if that is known already.
    """

    name: str
    problem: str | None


def is_archive(path: str) -> bool:
    """Return whether a path is an archive's by its name.

    Examples
    --------
    >>> is_archive("talks.ZIP"), is_archive("talks.zip/a.wav")
    (True, False)
    """
    return path.lower().endswith(".zip")


def split_member(path: str) -> tuple[str, str] | None:
    """Cut a path into that of an archive and a member's name.

    Parameters
    ----------
    path : str
        Any path.

    Returns
    -------
    (str, str) or None
        None if no part of the path but the last is a file called ``….zip``.
    """
    # Not in path.lower(), where letters such as İ have become two.
    for match in _WITHIN.finditer(path):
        end = match.end() - 1
        try:
            if stat.S_ISREG(os.stat(path[:end]).st_mode):  # noqa: PTH116 - Path mends what is given
                return path[:end], path[end + 1 :]
        except (OSError, ValueError):
            return None
    return None


def file_of(path: str) -> str:
    """Return the file that holds a clip: the archive of a member, or the path itself."""
    inside = split_member(path)
    return inside[0] if inside else path


def list_members(archive: str) -> list[Member]:
    """List what is in an archive, folders left out.

    Parameters
    ----------
    archive : str
        Its path.

    Returns
    -------
    list of Member
        In the archive's order; as many of one name as it has.

    Raises
    ------
    AudioError
        If it cannot be opened as an archive; stage ``open``.
    """
    opened = _open(archive)
    return [
        Member(name, opened.problem(name))
        for name, entries in opened.entries.items()
        for _ in entries
    ]


def member_problem(archive: str, name: str) -> str | None:
    """Return why a member cannot be read, by the archive's list of members."""
    try:
        return _open(archive).problem(name)
    except AudioError as error:
        return error.reason


def read_member(archive: str, name: str) -> bytes:
    """Return what a member holds, at most `MAX_BYTES`.

    Parameters
    ----------
    archive : str
        The archive's path.
    name : str
        The member's name, as `list_members` gives it.

    Returns
    -------
    bytes

    Raises
    ------
    AudioError
        If there is no such member, or it is one that is not read, or damaged; stage ``open``.
    """
    opened = _open(archive)
    if problem := opened.problem(name):
        raise AudioError("open", problem)
    (entry,) = opened.entries[name]
    content = io.BytesIO()
    try:
        with opened.zip.open(entry) as source:
            while chunk := source.read(_CHUNK):
                content.write(chunk)
    except _errors() as error:
        reason = f"damaged in the archive ({str(error).rstrip('. ')})"
        raise AudioError("open", reason) from error
    if content.tell() != entry.file_size:
        raise AudioError("open", "damaged in the archive (shorter than declared)")
    return content.getvalue()


class _Source(io.BufferedReader):
    """An archive's file, which closes when it is forgotten and refuses absurd reads."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_DIRECTORY:
            raise ValueError(f"its list of members takes more than {_MAX_DIRECTORY >> 20} MiB")
        return super().read(size)

    def __del__(self) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _Archive:
    """An open archive and its entries by name."""

    zip: "ZipFile"
    entries: "dict[str, list[ZipInfo]]"

    def problem(self, name: str) -> str | None:
        entries = self.entries.get(name, [])
        if not entries:
            return "the archive holds no file of that name"
        if len(entries) > 1:
            return f"the archive holds {len(entries)} files of that name"
        return _problem(name, entries[0])


def _problem(name: str, entry: "ZipInfo") -> str | None:
    """Return why an entry is not read."""
    if _leads_out(name):
        return "its name leads out of the archive"
    if is_archive(name):
        return "an archive within the archive: unpack it"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "a symbolic link, which is not followed in archives"
    if entry.flag_bits & _ENCRYPTED:
        return "encrypted: unpack it with its password"
    if entry.compress_type not in _METHODS:
        return "compressed by another method than deflate: unpack the archive"
    if entry.file_size == 0:
        return "the file is empty (0 bytes)"
    if entry.file_size > MAX_BYTES:
        return (
            f"{entry.file_size / 2**20:,.0f} MiB, more than the {MAX_BYTES >> 20} MiB that are "
            "read from within an archive: unpack it"
        )
    if entry.file_size > max(_SMALL, MAX_RATIO * entry.compress_size):
        return f"unpacks to more than {MAX_RATIO} times its size, which no recording does"
    return None


def _leads_out(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or not parts[0] or parts[0].endswith(":")


def _open(archive: str) -> _Archive:
    """Open an archive, or return the one that is open already if the file has not changed."""
    try:
        facts = os.stat(archive)  # noqa: PTH116 - Path mends what is given
    except (OSError, ValueError) as error:
        raise AudioError("open", plain_reason(error)) from error
    return _opened(archive, facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)


# Reading the list takes time for each member: too much to do it for every member again.
@functools.lru_cache(maxsize=2)
def _opened(archive: str, *_facts: int) -> _Archive:
    from zipfile import ZipFile

    with open_regular(archive) as descriptor:
        source = _Source(io.FileIO(os.dup(descriptor)))
    try:
        opened = ZipFile(source)
    except _errors() as error:
        reason = str(error).rstrip(". ").lower() or type(error).__name__
        raise AudioError("open", f"not a zip archive, or a damaged one ({reason})") from error
    entries: dict[str, list[ZipInfo]] = defaultdict(list)
    for entry in opened.infolist():
        # Python 3.11 looks at the last character of a name that a damaged list leaves empty.
        if not entry.filename or not entry.is_dir():
            entries[_name(entry)].append(entry)
    return _Archive(opened, dict(entries))


def _name(entry: "ZipInfo") -> str:
    """Return a name as its author wrote it: many programs write UTF-8 without saying so."""
    if entry.flag_bits & _UTF8:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _errors() -> tuple[type[Exception], ...]:
    """Return what zipfile raises on archives that someone has spoilt."""
    from zipfile import BadZipFile

    return (BadZipFile, zlib.error, OSError, ValueError, RuntimeError, EOFError, OverflowError)
