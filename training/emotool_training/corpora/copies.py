"""Select one copy of each clip; exclude Git-LFS pointers, duplicates and other formats."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from emotool_training.corpora import registry
from emotool_training.corpora.base import Excluded, Problem, Utterance
from emotool_training.corpora.index import Duplicate
from emotool_training.corpora.walk import is_lfs_pointer, lossless_first

__all__ = ["one_copy_each", "without_pointers"]


def without_pointers(
    found: Iterable[Utterance | Excluded], problems: list[Problem]
) -> tuple[list[Utterance | Excluded], list[Utterance | Excluded]]:
    """Split the clips into audio and Git-LFS pointers."""
    usable: list[Utterance | Excluded] = []
    pointers: list[Utterance | Excluded] = []
    for clip in found:
        try:
            (pointers if is_lfs_pointer(clip.path) else usable).append(clip)
        except OSError as error:
            problems.append(Problem("unreadable", clip.path, f"cannot be read: {error.strerror}"))
    return usable, pointers


def one_copy_each(
    found: Iterable[Utterance | Excluded], problems: list[Problem]
) -> tuple[tuple[Utterance, ...], tuple[Excluded, ...], tuple[Duplicate, ...]]:
    """Keep one copy of each clip: the one whose format loses least, then the first by path.

    Known corpora have each name once, wherever it is. In one of your own, files of one name
    in different folders, as two manifests may list them, are different clips: a problem.
    """
    copies: dict[str, list[Utterance | Excluded]] = defaultdict(list)
    for clip in _each_file_once(found, problems):
        copies[clip.key].append(clip)
    utterances: list[Utterance] = []
    excluded: list[Excluded] = []
    duplicates: list[Duplicate] = []
    for _, clips in sorted(copies.items()):
        kept, *others = sorted(clips, key=lambda clip: lossless_first(clip.path))
        if isinstance(kept, Utterance):
            utterances.append(kept)
        else:
            excluded.append(kept)
        for other in others:
            if other.corpus in registry.facts() or _same_folder(other.path, kept.path):
                duplicates.append(Duplicate(other.path, kept.path))
            else:
                message = f"{kept.path} is named {kept.key} too: give one another name or corpus"
                problems.append(Problem("same name", other.path, message))
    return tuple(utterances), tuple(excluded), tuple(duplicates)


def _same_folder(one: Path, other: Path) -> bool:
    return one.parent.resolve() == other.parent.resolve()


def _each_file_once(
    found: Iterable[Utterance | Excluded], problems: list[Problem]
) -> Iterator[Utterance | Excluded]:
    """Drop files that occur twice: through a link, or below two of the given folders.

    A file that a manifest and its own name, or two manifests, describe differently would have
    two speakers or two labels: the first description holds, and the other is a problem.
    """
    seen: dict[tuple[int, int] | Path, Utterance | Excluded] = {}
    for clip in found:
        status = clip.path.stat()
        # Some file systems of Windows number no files.
        identity = (status.st_dev, status.st_ino) if status.st_ino else clip.path.resolve()
        first = seen.setdefault(identity, clip)
        if first is clip:
            yield clip
        elif replace(clip, path=first.path) != first:
            message = f"described twice, and differently: {_difference(first, clip)}"
            problems.append(Problem("described twice", clip.path, message))


def _difference(kept: Utterance | Excluded, other: Utterance | Excluded) -> str:
    """Say what two descriptions of one file disagree in, other than their places."""
    ours, theirs = (
        {"left out for": clip.reason}
        if isinstance(clip, Excluded)
        else {"speaker": clip.speaker or "unknown", "emotion": clip.emotion}
        for clip in (kept, other)
    )
    if ours == theirs:
        return f"taken as {kept.key}, not {other.key}"
    said = [
        ", ".join(f"{name} {value}" for name, value in facts.items() if (name, value) not in same)
        for facts, same in ((ours, theirs.items()), (theirs, ours.items()))
    ]
    return f"taken as {said[0]}, not {said[1]}"
