"""What a model is adapted to: labelled clips, and recordings without labels."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emotool.errors import CorpusError, InputError
from emotool.inputs.clips import Clip, find_clips
from emotool.inputs.corrections import is_corrections
from emotool.results.row import UNCERTAIN
from emotool.text import printable
from emotool_training.corpora import EMOTIONS, CorpusIndex, load_corpora
from emotool_training.corpora.base import OTHER_EMOTIONS

__all__ = ["Inputs", "Sources", "read_inputs"]

_LONGEST = 64
_URL = re.compile(r"(s3|gs|az|https?):/")  # as a Path has it, with one slash


@dataclass(frozen=True)
class Sources:
    """Where clips are.

    Parameters
    ----------
    paths : tuple of Path
        Folders, manifests, tables of corrections.
    unlabelled : tuple of Path
        Recordings that are taken without labels, whatever their folders are called.
    labels : tuple of str
        The labels to distinguish; those of the clips if empty.
    speaker_pattern : str, optional
        Finds the speaker in a path.
    root : str, optional
        The folder of the clips that tables of corrections are about.
    """

    paths: tuple[Path, ...] = ()
    unlabelled: tuple[Path, ...] = ()
    labels: tuple[str, ...] = ()
    speaker_pattern: str | None = None
    root: str | None = None


@dataclass(frozen=True)
class Inputs:
    """What was found.

    Parameters
    ----------
    index : CorpusIndex or None
        The labelled clips.
    labels : tuple of str
        Those to distinguish, the base's first; empty without labelled clips.
    recordings : tuple of Clip
        Without labels.
    """

    index: CorpusIndex | None
    labels: tuple[str, ...]
    recordings: tuple[Clip, ...]


def read_inputs(sources: Sources, base: Sequence[str]) -> Inputs:
    """Find clips and say which have labels.

    A folder has labels where clips of a known corpus are in it, or folders named by an emotion,
    by a label of the base or by one of ``sources.labels``.

    Parameters
    ----------
    sources : Sources
    base : sequence of str
        The base's labels.

    Raises
    ------
    CorpusError, InputError
        If there is nothing usable, or a folder's names may be labels or not.
    """
    for path in (*sources.paths, *sources.unlabelled):
        if _URL.match(str(path)) and not path.exists():
            raise InputError(
                f"{printable(str(path))} is not on this machine: clips to adapt to are files",
                hint="copy them here and name the copies",
            )
    labelled: list[Path] = []
    plain = list(sources.unlabelled)
    for path in sources.paths:
        (labelled if _has_labels(path, sources, base) else plain).append(path)
    index = None
    if labelled:
        index = load_corpora(labelled, speaker_pattern=sources.speaker_pattern, clips=sources.root)
    labels = _labels(index, labelled, sources, base) if index else ()
    recordings = find_clips([str(path) for path in plain]).clips if plain else []
    return Inputs(index.among(labels) if index else None, labels, tuple(recordings))


def _has_labels(path: Path, sources: Sources, base: Sequence[str]) -> bool:
    """Tell whether a path holds labelled clips."""
    if not path.is_dir():
        if not path.exists():
            raise InputError(f"{printable(str(path))}: no such file or folder")
        return path.suffix.lower() in (".csv", ".tsv")
    try:
        index = load_corpora([path], speaker_pattern=None)
    except CorpusError:
        return False  # no clip has a label: not even a folder below this one
    words = {clip.emotion for clip in index.utterances}
    if words & {*EMOTIONS, *OTHER_EMOTIONS, *base, *sources.labels}:
        return True
    names = sorted(words)
    some = ", ".join(map(printable, names[:3])) + (", …" if len(names) > 3 else "")
    raise CorpusError(
        f"{printable(str(path))}: are its folders ({some}) labels?",
        hint=f"--labels {','.join(names[:3])} takes them as labels; --unlabelled "
        f"{printable(str(path))} takes its clips without labels",
    )


def _labels(
    index: CorpusIndex, paths: Sequence[Path], sources: Sources, base: Sequence[str]
) -> tuple[str, ...]:
    """Return the labels to distinguish: those chosen, or those there are, the base's first."""
    there = {clip.emotion for clip in index.utterances}
    if UNCERTAIN in (sources.labels or there):
        raise CorpusError(
            f"{UNCERTAIN} cannot be a label: classify writes it with --min-confidence",
            hint="give these clips another label, or choose others with --labels",
        )
    if sources.labels:
        there = index.labels
        if missing := [one for one in sources.labels if one not in there and one not in base]:
            raise CorpusError(
                f"no clip is labelled {printable(missing[0])}; there is "
                f"{', '.join(map(printable, sorted(there)))}"
            )
        return sources.labels
    if any(is_corrections(str(path)) for path in paths):
        there |= set(base)  # a review of some clips says nothing against the other labels
    labels = [one for one in base if one in there] + sorted(there - set(base))
    for label in labels:
        if len(label) > _LONGEST or not label.isprintable():
            raise CorpusError(
                f"{printable(label)} cannot be a label: at most {_LONGEST} printable characters",
                hint="correct it in the table, or choose others with --labels",
            )
    if len(labels) < 2:
        raise CorpusError(
            f"all clips are labelled {printable(labels[0])}: two labels or more are needed",
            hint="--unlabelled takes clips without their labels",
        )
    return tuple(labels)
