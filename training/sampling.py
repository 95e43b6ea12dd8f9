"""Which clips an epoch draws, and in what order."""

import zlib
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["even_weights", "generator", "order"]


def generator(seed: int, purpose: str, *place: int) -> np.random.Generator:
    """Return random numbers for one purpose at one place in a run, such as (epoch, step).

    They depend on nothing else, least of all on what was drawn before: a resumed run draws what
    an uninterrupted one would have.
    """
    # The purpose comes first: numpy takes [1, 2] and [1, 2, 0] for the same seed.
    return np.random.default_rng([zlib.crc32(purpose.encode()), seed, *place])


def even_weights(groups: Sequence[Hashable]) -> npt.NDArray[np.float64]:
    """Weigh clips so that every group weighs the same; the weights sum to 1.

    Examples
    --------
    >>> even_weights(["a", "a", "b"]).tolist()
    [0.25, 0.25, 0.5]
    """
    sizes = Counter(groups)
    return np.array([1.0 / (len(sizes) * sizes[group]) for group in groups])


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
