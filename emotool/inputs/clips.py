"""Which clips the arguments of a command name.

Every path that may hold a clip becomes one entry: what cannot be used is an entry with a
problem, because a row is owed to it. Nothing is opened here but archives that are named.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from emotool.errors import InputError
from emotool.inputs.search import Search
from emotool.text import printable, redacted_url

__all__ = ["Clip", "Found", "find_clips"]


@dataclass(frozen=True, slots=True)
class Clip:
    """One input, to which one row is owed.

    Parameters
    ----------
    index : int
        Its place among all inputs, from 0.
    shown : str
        The argument as typed, joined by ``/`` with the path below it; undecodable bytes as
        surrogate escapes.
    path : str
        What to open.
    problem : str or None
        Why it cannot be opened, if that is known already.
    """

    index: int
    shown: str
    path: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The inputs, and how many directory entries are none.

    Parameters
    ----------
    clips : list of Clip
        Sorted by ``shown``.
    skipped : int
        Files in folders that are not audio by their names, or no regular files.
    hidden : int
        Files and folders in folders whose names begin with a dot.
    archives : int, default 0
        Zip archives in folders, which are only read if they are named.
    empty : tuple of str, default ()
        Folders that were named and added no clip.
    """

    clips: list[Clip]
    skipped: int
    hidden: int
    archives: int = 0
    empty: tuple[str, ...] = ()


def find_clips(arguments: Sequence[str], listed: Sequence[str] = ()) -> Found:
    """Return every clip that files, folders and patterns name, each once.

    A file named in an argument is always an input. In folders, at any depth, every file is
    whose name ends like audio (`DECODABLE_SUFFIXES`, `FOREIGN_SUFFIXES`); the others and
    hidden ones are counted, and so is a folder of sounds that a report has made. Clips reached
    twice, through links or overlapping arguments, are taken once, by resolved path: real entries
    before links, earlier arguments before later ones. Hard links are clips of their own. The
    order depends on names alone.

    A zip archive named in an argument is like a folder: its clips are ``talks.zip/inner/a.wav``,
    each of which may be named itself. In folders archives are counted, not read: what lies beside
    one is mostly what it was unpacked to, and would be taken twice.

    A URL (`emotool.files.remote`) is a clip, or a prefix of object storage whose keys are listed,
    by the same rules as a folder.

    Parameters
    ----------
    arguments : sequence of str
        As typed; undecodable bytes as surrogate escapes.
    listed : sequence of str, optional
        More of them, from a list: what looks like a pattern is none.

    Returns
    -------
    Found
        Clips sorted by ``shown``, those with a problem among them.

    Raises
    ------
    InputError
        If nothing at all can be opened.
    """
    search = Search()
    for argument in arguments:
        search.argument(argument)
    for path in listed:
        search.argument(path, patterns=False)
    search.clips.sort(key=lambda clip: clip[0])
    found = Found(
        [Clip(index, *clip) for index, clip in enumerate(search.clips)],
        search.skipped,
        search.hidden,
        search.archives,
        tuple(search.empty),
    )
    if all(clip.problem is not None for clip in found.clips):
        raise _nothing([*arguments, *listed], found)
    return found


def _nothing(arguments: Sequence[str], found: Found) -> InputError:
    """Return the error for arguments among which nothing is usable."""
    if found.clips:
        first = found.clips[0]
        message = f"{printable(first.shown)}: {first.problem}"
        if len(found.clips) > 1:
            message += f" (and {len(found.clips) - 1} more that cannot be used)"
        return InputError(message)
    names = ", ".join(map(printable, map(redacted_url, arguments[:3]))) or "no path given"
    return InputError(
        f"no audio files in {names} ({found.skipped} other files skipped, "
        f"{found.hidden} hidden, {found.archives} zip archives)",
        hint="audio files in folders are known by their names, such as .wav, .flac or .mp3; "
        "a file named itself is always taken, and a zip archive's clips if it is named",
    )
