"""Find the audio files below a folder, at any depth, in an order that no file system decides."""

import os
from collections.abc import Iterator
from pathlib import Path

from emotool.audio.formats import DECODABLE_SUFFIXES, FOREIGN_SUFFIXES
from emotool_training.corpora.base import Problem

__all__ = ["AUDIO_SUFFIXES", "LFS_HINT", "audio_files", "is_lfs_pointer", "lossless_first"]

AUDIO_SUFFIXES = DECODABLE_SUFFIXES | FOREIGN_SUFFIXES
"""Suffixes, in lower case, of files that are looked at; everything else is skipped."""

_LOSSLESS = (".wav", ".flac", ".aiff", ".aif", ".caf", ".w64", ".rf64", ".au")

LFS_HINT = "run `git lfs pull` in the repository it came from"

_LFS_HEAD = b"version https://git-lfs.github.com/spec/"
_LFS_MAX_BYTES = 1024  # the specification's bound on a pointer file


def audio_files(root: Path, problems: list[Problem]) -> Iterator[Path]:
    """Walk a folder for audio, links to folders followed once.

    Parameters
    ----------
    root : Path
        Where to begin.
    problems : list of Problem
        Folders that cannot be read, and links to nothing, are added here.

    Yields
    ------
    Path
        Regular files with an audio suffix (a FIFO or a device is none, and never opened), hidden
        ones and those in hidden folders skipped.
    """

    def unreadable(error: OSError) -> None:
        folder = Path(error.filename or root)
        problems.append(Problem("unreadable", folder, f"cannot be read: {error.strerror}"))

    seen: set[str] = set()
    for folder, subfolders, names in os.walk(root, onerror=unreadable, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link back into what was walked
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if name.startswith(".") or path.suffix.lower() not in AUDIO_SUFFIXES:
                continue
            if os.path.isfile(path):  # noqa: PTH113 - a closed folder behind a link is no crash
                yield path
            elif path.is_symlink():
                message = "a broken link; if it is git-annex's, run `git annex get`"
                problems.append(Problem("missing", path, message))


def is_lfs_pointer(path: Path) -> bool:
    """Return whether a file is a Git-LFS pointer, in place of audio that was not fetched.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    if path.stat().st_size > _LFS_MAX_BYTES:
        return False
    with path.open("rb") as handle:
        return handle.read(len(_LFS_HEAD)) == _LFS_HEAD


def lossless_first(path: Path) -> tuple[int, str]:
    """Order copies of one clip: formats that lose nothing, other decodable ones, the rest; by path.

    Examples
    --------
    >>> copies = [Path("a.m4a"), Path("a.mp3"), Path("z/a.wav"), Path("b/a.WAV")]
    >>> [str(path) for path in sorted(copies, key=lossless_first)]
    ['b/a.WAV', 'z/a.wav', 'a.mp3', 'a.m4a']
    """
    suffix = path.suffix.lower()
    if suffix in _LOSSLESS:
        rank = _LOSSLESS.index(suffix)
    else:
        rank = len(_LOSSLESS) + (suffix not in DECODABLE_SUFFIXES)
    return rank, path.as_posix()
