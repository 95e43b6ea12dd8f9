"""Opening audio files from strangers, and saying in plain words why one cannot be used."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from emotool.errors import AudioError

__all__ = [
    "CONTAINER_SUFFIXES",
    "DECODABLE_SUFFIXES",
    "FOREIGN_SUFFIXES",
    "explain",
    "kind_of",
    "open_regular",
    "plain_reason",
    "read_head",
]

DECODABLE_SUFFIXES: Final = frozenset(
    f".{name}"
    for name in (
        *("wav", "wave", "bwf", "rf64", "w64", "flac", "mp3", "mp2", "mpga", "ogg", "oga", "opus"),
        *("aif", "aiff", "aifc", "caf", "au", "snd", "voc", "sph", "nist", "ircam", "sf", "pvf"),
        *("paf", "svx", "8svx", "avr", "sds", "sd2", "wve", "xi"),
    )
)
"""Lower-case file name endings of what libsndfile reads."""

CONTAINER_SUFFIXES: Final = frozenset(
    f".{name}"
    for name in (
        *("m4a", "m4b", "m4r", "mp4", "qta", "3gp", "3gpp", "3g2", "aac", "adts", "webm", "weba"),
        *("mka", "wma", "amr", "awb"),
    )
)
"""Lower-case file name endings of what `emotool.foreign_audio` reads, with the extra ``av``."""

FOREIGN_SUFFIXES: Final = CONTAINER_SUFFIXES | frozenset(
    f".{name}"
    for name in ("ac3", "eac3", "dts", "ape", "wv", "tta", "mpc", "spx", "dsf", "dff", "ra")
)
"""Lower-case file name endings of audio that libsndfile does not read."""

_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_ZIP: Final = b"PK\x03\x04"
_HEAD_BYTES: Final = 512
_ID3_BYTES: Final = 10  # of the header of an ID3v2 tag


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


def read_head(source: BinaryIO) -> bytes:
    """Return a file's first bytes, behind an ID3v2 tag; it is at its start again.

    Raises
    ------
    AudioError
        If it cannot be read; stage ``open``.
    """
    try:
        head = source.read(_HEAD_BYTES)
        if head.startswith(b"ID3") and len(head) > _ID3_BYTES:
            source.seek(_ID3_BYTES + _id3_size(head))
            head = source.read(_HEAD_BYTES) or head
        source.seek(0)
    except OSError as error:
        raise AudioError("open", plain_reason(error)) from error
    return head


def _id3_size(head: bytes) -> int:
    """Return how many bytes of a tag follow its header: four times seven bits."""
    first, second, third, last = (byte & 0x7F for byte in head[6:_ID3_BYTES])
    return first << 21 | second << 14 | third << 7 | last


def explain(path: str, head: bytes, decoder_says: str) -> AudioError:
    """Return the error for a file that the decoder refused, by a look at its first bytes.

    Parameters
    ----------
    path : str
        Its name tells what it should have been.
    head : bytes
        What `read_head` has found.
    decoder_says : str
        The decoder's own reason, used where nothing plainer is known.

    Returns
    -------
    AudioError
        Stage ``open``; the caller raises it.
    """
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122 - keeps undecodable bytes
    if head.startswith(_LFS_POINTER):
        return AudioError(
            "open",
            "a Git-LFS pointer instead of the audio: run `git lfs pull` in its repository",
        )
    if head.startswith(_ZIP):
        return AudioError(
            "open",
            "a zip archive: its clips are read if its name ends in .zip, and it is no member of "
            "another archive",
        )
    if not any(head):
        return AudioError("open", "the file holds only zero bytes")
    if _is_text(head):
        return AudioError("open", "a text file, not audio")
    if suffix in CONTAINER_SUFFIXES:
        return AudioError("open", f"not the {suffix[1:]} file that its name promises: damaged")
    if suffix in FOREIGN_SUFFIXES:
        return AudioError(
            "open",
            f"{suffix[1:]} audio cannot be read: install ffmpeg and convert it, for example: "
            f"ffmpeg -i FILE{suffix} clip.flac",
        )
    return AudioError("open", f"not audio that libsndfile reads ({decoder_says.rstrip('. ')})")


def _is_text(head: bytes) -> bool:
    """Return whether the bytes are UTF-8 text (but for a character cut at the end)."""
    if b"\0" in head:
        return False
    for cut in range(4):
        try:
            head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return True
    return False
