"""Which clips an epoch draws, and in what order."""

import zlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["balanced_weights", "generator", "order"]


def generator(seed: int, purpose: str, *place: int) -> np.random.Generator:
    """Return random numbers for one purpose at one place in a run, such as (epoch, step).

    They depend on nothing else, least of all on what was drawn before: a resumed run draws what
    an uninterrupted one would have.
    """
    # The length comes along: numpy takes [1, 2] and [1, 2, 0] for the same seed.
    return np.random.default_rng([zlib.crc32(purpose.encode()), len(place), seed, *place])


def balanced_weights(
    corpora: Sequence[str], labels: Sequence[Hashable], corpus_balance: float, label_balance: float
) -> npt.NDArray[np.float64]:
    """Weigh clips so that corpora, and labels within a corpus, are drawn more evenly.

    Parameters
    ----------
    corpora, labels : sequences of length clips
        Of each clip.
    corpus_balance, label_balance : float
        0: a group weighs as much as it has clips. 1: all groups weigh the same. In between a
        group weighs its number of clips to the power of 1 less this.

    Returns
    -------
    ndarray of float64, shape (clips,)
        Weights whose sum is 1.

    Examples
    --------
    >>> balanced_weights(["a", "a", "a", "b"], [0, 0, 1, 1], 1.0, 1.0).tolist()
    [0.125, 0.125, 0.25, 0.5]
    """
    pairs = list(zip(corpora, labels, strict=True))
    of_corpus, of_pair = Counter(corpora), Counter(pairs)
    # What each corpus's labels weigh together, to be divided by.
    within: defaultdict[str, float] = defaultdict(float)
    for (corpus, _), clips in of_pair.items():
        within[corpus] += clips ** (1 - label_balance)
    weights = np.array(
        [
            of_corpus[corpus] ** (1 - corpus_balance)
            * of_pair[corpus, label] ** -label_balance
            / within[corpus]
            for corpus, label in pairs
        ]
    )
    return np.asarray(weights / weights.sum())


def order(
    weights: npt.NDArray[np.float64], draws: int, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Draw an epoch's clips by their weights and shuffle them.

    Drawn systematically (one random offset, then even steps along the cumulated weights), so
    that each clip occurs as often as its share says, to within one; with equal weights and as
    many draws as clips, exactly once.

    Parameters
    ----------
    weights : ndarray of float64, shape (clips,)
        Their sum is 1.
    draws : int
        How many clips to draw.
    random : numpy.random.Generator

    Returns
    -------
    ndarray of int64, shape (draws,)
        Indices of clips.
    """
    # Clips are laid out in a new order first, so that it is not always the same neighbours
    # that share a draw.
    shuffled = random.permutation(len(weights))
    points = (random.uniform() + np.arange(draws)) / draws  # [draws] in 0 … 1
    cumulated = np.cumsum(weights[shuffled])
    places = np.searchsorted(cumulated / cumulated[-1], points, side="right")
    # Rounding may put the last point past the end.
    drawn = shuffled[np.minimum(places, len(weights) - 1)]  # [draws]
    return np.asarray(random.permutation(drawn), np.int64)
