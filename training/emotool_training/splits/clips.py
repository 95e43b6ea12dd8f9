"""The split by clips that many notebooks use: speakers are on both sides."""

from collections.abc import Sequence

from emotool_training.corpora import Utterance
from emotool_training.splits.base import SHARE, Split, check_shares, make_split
from emotool_training.splits.draw import take_clips

__all__ = ["split_clips"]


def split_clips(
    utterances: Sequence[Utterance],
    *,
    seed: int = 0,
    validation: float = SHARE,
    test: float = SHARE,
) -> Split:
    """Split by clip, stratified by emotion and corpus; every output calls it not comparable.

    Parameters
    ----------
    utterances : sequence of Utterance
        The clips, in any order; speakers may be unknown.
    seed : int
        Another seed gives another split.
    validation, test : float
        Shares of the clips. A test share of 0 tests on nothing, as in
        `emotool_training.splits.split_speakers`.

    Raises
    ------
    CorpusError
        If the shares leave a side empty.
    """
    check_shares(validation, test)
    tested, others = take_clips(utterances, test, seed)
    held, train = take_clips(others, validation / (1 - test), seed + 1)
    name = f"random clips, drawn with seed {seed}{'' if test else ', none to test'}"
    return make_split("clips", (train, held, tested), name, comparable=False, tested=test > 0)
