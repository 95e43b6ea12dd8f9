"""Splits that keep every speaker on one side: drawn, k-fold, and CREMA-D's published one."""

from collections.abc import Sequence

from emotool.errors import CorpusError
from emotool_training.corpora import Utterance, cremad
from emotool_training.splits.base import SHARE, Split, check_shares, make_split, require_speakers
from emotool_training.splits.draw import deal_speakers

__all__ = ["cremad_split", "kfold_speakers", "split_speakers"]


def split_speakers(
    utterances: Sequence[Utterance],
    *,
    seed: int = 0,
    validation: float = SHARE,
    test: float = SHARE,
) -> Split:
    """Split by speaker, stratified by emotion and sex within each corpus.

    Parameters
    ----------
    utterances : sequence of Utterance
        The clips, in any order.
    seed : int
        Another seed gives another split.
    validation, test : float
        Shares of the clips, met as nearly as whole speakers allow. A test share of 0 tests on
        nothing: for a model to be given away, whose recipe was tested before.

    Raises
    ------
    CorpusError
        If a speaker is unknown, there are fewer than three, or the shares leave no training.
    """
    check_shares(validation, test)
    require_speakers(utterances)
    name = f"speakers apart, drawn with seed {seed}"
    if test == 0:
        train, held = deal_speakers(utterances, (1 - validation, validation), seed)
        return make_split("speakers", (train, held, ()), f"{name}, none to test", tested=False)
    parts = deal_speakers(utterances, (1 - validation - test, validation, test), seed)
    return make_split("speakers", parts, name)


def kfold_speakers(
    utterances: Sequence[Utterance], *, folds: int = 5, seed: int = 0, validation: float = 0.125
) -> tuple[Split, ...]:
    """Split into folds by speaker: each speaker is tested on in exactly one of them.

    Parameters
    ----------
    utterances : sequence of Utterance
        The clips, in any order.
    folds : int
        How many, at least 2.
    seed : int
        Another seed gives other folds.
    validation : float
        Share of each fold's other speakers that validates.

    Returns
    -------
    tuple of Split
        One per fold.

    Raises
    ------
    CorpusError
        If a speaker is unknown or there are too few.
    """
    if folds < 2:
        raise CorpusError(f"{folds} folds: there must be 2 or more")
    check_shares(validation, 0.0)
    require_speakers(utterances)
    parts = deal_speakers(utterances, [1 / folds] * folds, seed)
    splits = []
    for fold, test in enumerate(parts):
        others = [clip for part in parts if part is not test for clip in part]
        train, held = deal_speakers(others, (1 - validation, validation), seed)
        name = f"speakers apart, fold {fold} of {folds} drawn with seed {seed}"
        splits.append(make_split("speakers", (train, held, test), name))
    return tuple(splits)


def cremad_split(utterances: Sequence[Utterance]) -> Split:
    """Split CREMA-D by its published lists: 56 actors train, 18 validate, 17 test.

    Clips of other corpora are left out, so that the figures stand beside published ones.

    Raises
    ------
    CorpusError
        If CREMA-D is not there, or too little of it for three sides.
    """
    clips = [clip for clip in utterances if clip.corpus == cremad.FACTS.name]
    if not clips:
        raise CorpusError(
            "the published split is of CREMA-D's actors, and none of its clips are here"
        )
    actors = cremad.published_split()
    sides = [
        [clip for clip in clips if clip.speaker in actors[subset]]
        for subset in ("train", "validation", "test")
    ]
    name = "CREMA-D's published actor split"
    if len(clips) < len(utterances):
        name += f" ({len(utterances) - len(clips)} clips of other corpora left out)"
    return make_split("cremad", sides, name)
