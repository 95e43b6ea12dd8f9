"""Find the audio files below a folder, at any depth, in an order that no file system decides."""

import os
from collections.abc import Iterator
from pathlib import Path

from training.corpora.base import Problem

__all__ = ["AUDIO_SUFFIXES", "LFS_HINT", "audio_files", "is_lfs_pointer", "lossless_first"]

_LOSSLESS = (".wav", ".flac", ".aiff", ".aif", ".aifc", ".caf", ".w64", ".rf64", ".au", ".snd")
_LOSSY = (".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".mp4", ".webm", ".wma")
AUDIO_SUFFIXES = frozenset(_LOSSLESS + _LOSSY)
"""Suffixes, in lower case, of files that are looked at; everything else is passed over."""

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
        Folders that cannot be read are added here.

    Yields
    ------
    Path
        Regular files with an audio suffix, hidden ones and those in hidden folders passed over.
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
            if path.is_file():  # never opens a FIFO or a device
                yield path


def is_lfs_pointer(path: Path) -> bool:
    """Tell whether a file is the pointer that Git LFS leaves where it has not fetched the audio.

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
    """Order copies of one clip: formats that lose nothing first, then by path."""
    order = _LOSSLESS + _LOSSY
    suffix = path.suffix.lower()
    return (order.index(suffix) if suffix in order else len(order), path.as_posix())
