"""Whose an interrupted run's journal is."""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from emotool.files.lock import beside
from emotool.inputs.identity import file_identity

if TYPE_CHECKING:
    from emotool.inputs.clips import Clip
    from emotool.workers.protocol import Reading

__all__ = ["is_of_others"]


def is_of_others(target: Path, clips: "Iterable[Clip]", reading: "Reading") -> bool:
    """Whether an interrupted run for an output has labelled more other clips than these.

    A journal that another run is using, or that cannot be read, is none of others: to open it
    gives the error.

    Parameters
    ----------
    target : Path
        The output, links resolved.
    clips : iterable of Clip
        What a new run would be about.
    reading : Reading
        How their files are identified.
    """
    path = beside(target, "journal")
    if not path.exists():
        return False
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=1.0)) as database:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            stored = {each for (each,) in database.execute("SELECT identity FROM results")}
    except sqlite3.Error:
        return False
    return 2 * len(stored.intersection(_identities(clips, reading))) < len(stored)


def _identities(clips: "Iterable[Clip]", reading: "Reading") -> Iterator[str]:
    for clip in clips:
        with contextlib.suppress(OSError, ValueError):
            if clip.problem is None:
                yield file_identity(clip.path, by_content=reading.by_content)
