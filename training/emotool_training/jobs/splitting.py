"""From choices to a split: find the clips and deal them out."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from emotool.errors import CorpusError
from emotool_training.corpora import Utterance, load_corpora
from emotool_training.jobs.choices import Choices
from emotool_training.splits import (
    ANOTHER_CORPUS,
    Split,
    cremad_split,
    folds_from_csv,
    kfold_speakers,
    split_clips,
    split_speakers,
)

__all__ = ["FOLDS", "SPLITS", "refuse_unused", "split_by"]

SPLITS = ("speakers", "clips", "cremad", "folds", "corpora")
FOLDS = 5
"""Folds that speakers are dealt into where a fold is named but no CSV of folds."""

_PROTOCOLS = {"clips": "random_clips", "corpora": ANOTHER_CORPUS}
"""By kind of split, what a CSV's folds are read for; else new speakers."""

Clips = Sequence[Utterance]


def split_by(choices: Choices, labels: Sequence[str]) -> Split:
    """Find the clips with some labels and split them as chosen.

    Parameters
    ----------
    choices : Choices
        Data, kind of split, folds, shares, seed.
    labels : sequence of str
        Emotions to keep.

    Returns
    -------
    Split

    Raises
    ------
    CorpusError
        If there are no such clips, or they cannot be split so.
    """
    kind = choices.kind_of_split
    if kind not in SPLITS:
        raise CorpusError(f"unknown split {kind!r}", hint=f"splits: {', '.join(SPLITS)}")
    roots = [Path(path) for path in choices.data]
    index = load_corpora(roots, speaker_pattern=choices.speaker_pattern)
    split = _split(index.with_labels(labels).utterances, choices, kind)
    split = dataclasses.replace(split, skipped=index.skipped)
    if choices.withhold_test:
        description = f"{split.description}; test clips withheld"
        split = dataclasses.replace(split, test=(), description=description)
    return split


def refuse_unused(choices: Choices) -> None:
    """Refuse choices that a split of the kind chosen does nothing with.

    Not where a run is resumed: one that began when they were ignored is finished.

    Parameters
    ----------
    choices : Choices
        As they were made, before validation speakers are looked for beside the folds.

    Raises
    ------
    CorpusError
        If there is one.
    """
    shares, speakers = ("validation_share", "test_share"), "validation_speakers"
    unused: tuple[str, ...]
    if choices.kind_of_split == "cremad":
        chosen, unused = "--split cremad", ("folds", "fold", speakers, *shares)
    elif choices.folds is not None and choices.kind_of_split == "clips":
        chosen, unused = "--folds and --split clips", (speakers, *shares)
    elif choices.folds is not None:
        chosen, unused = "--folds", shares
    elif choices.fold is not None:
        chosen, unused = "--fold and no --folds", (speakers, *shares)
    else:
        chosen, unused = "no --folds", (speakers,)
    for name in unused:
        if getattr(choices, name) is not None:
            raise CorpusError(f"with {chosen}, --{name.replace('_', '-')} has no effect")


def _split(clips: Clips, choices: Choices, kind: str) -> Split:
    """Split clips as chosen."""
    if kind == "cremad":
        return cremad_split(clips)
    if choices.folds is not None:
        return _by_csv(clips, choices, kind)
    if kind in ("folds", "corpora"):
        raise CorpusError(f"--split {kind} needs a CSV of folds", hint="name it with --folds")
    if choices.fold is not None:
        return _by_drawn_fold(clips, choices, kind)
    draw = split_clips if kind == "clips" else split_speakers
    shares = {"validation": choices.validation_share, "test": choices.test_share}
    given = {name: share for name, share in shares.items() if share is not None}
    return draw(clips, seed=choices.split_seed or 0, **given)


def _by_csv(clips: Clips, choices: Choices, kind: str) -> Split:
    """Split by a CSV's folds: of new speakers, ``clips``, or ``corpora`` left out whole."""
    if choices.fold is None:
        raise CorpusError("which fold is the test fold?", hint="name it with --fold")
    validation = choices.validation_speakers
    return folds_from_csv(
        clips,
        Path(choices.folds or ""),
        fold=choices.fold,
        protocol=_PROTOCOLS.get(kind, "new_speakers"),
        validation_speakers=Path(validation) if validation else None,
        seed=choices.split_seed or 0,
    )


def _by_drawn_fold(clips: Clips, choices: Choices, kind: str) -> Split:
    """Split by speakers into folds that are drawn, and take one."""
    if kind == "clips" or not 0 <= (choices.fold or 0) < FOLDS:
        raise CorpusError(
            f"there is no fold {choices.fold} of {kind}",
            hint=f"without --folds there are folds 0 to {FOLDS - 1}, of speakers",
        )
    return kfold_speakers(clips, folds=FOLDS, seed=choices.split_seed or 0)[choices.fold or 0]
