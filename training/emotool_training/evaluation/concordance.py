"""How far numbers agree with those of listeners: the concordance correlation coefficient.

It is 1 for equal numbers and falls with every difference, also in the mean and the range, which a
correlation does not see (L. Lin, 1989, doi:10.2307/2532051). Intervals are over speakers, as in
`emotool_training.evaluation.bootstrap`: each speaker's sums are enough for all draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emotool_training.evaluation.bootstrap import draw_speakers, percentile_interval

__all__ = ["Rated", "concordance", "score_numbers"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rated:
    """Clips with a model's numbers and those of listeners.

    Parameters
    ----------
    dimensions : tuple of str
    truth, predicted : ndarray of float64, shape (clips, dimensions)
        NaN in ``truth`` where listeners gave none.
    speakers, corpora : sequence of str, length clips
        "" for a speaker that is unknown: each such clip counts as a speaker of its own.
    """

    dimensions: tuple[str, ...]
    truth: Floats
    predicted: Floats
    speakers: Sequence[str]
    corpora: Sequence[str]


def concordance(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Return the concordance correlation coefficient of numbers, -1 to 1.

    Parameters
    ----------
    truth, predicted : array_like of float, shape (clips,)

    Returns
    -------
    float
        NaN if neither varies and both are equal.

    Examples
    --------
    >>> concordance([1, 2, 3], [1, 2, 3]), round(concordance([1, 2, 3], [2, 3, 4]), 3)
    (1.0, 0.571)
    """
    sums = _sums(np.asarray(truth, np.float64), np.asarray(predicted, np.float64))
    return float(_of_sums(sums.sum(axis=0)))


def _sums(truth: Floats, predicted: Floats) -> Floats:
    """Return what a coefficient is made of, for each clip, float64 [clips, 6]."""
    return np.stack(
        [np.ones_like(truth), truth, predicted, truth**2, predicted**2, truth * predicted], axis=1
    )


def _of_sums(sums: Floats) -> Floats:
    """Return coefficients of sums, float64 [..., 6] to [...]."""
    count, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    mean_x, mean_y = x / count, y / count
    both = xx / count - mean_x**2 + yy / count - mean_y**2 + (mean_x - mean_y) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = 2 * (xy / count - mean_x * mean_y) / both
    return found


def score_numbers(rated: Rated) -> dict[str, Any]:
    """Score a group of clips.

    Parameters
    ----------
    rated : Rated
        At least one clip.

    Returns
    -------
    dict
        ``clips``, ``speakers``, ``unknown_speakers`` (clips of which it is unknown who speaks), and
        under ``dimensions`` for each ``ccc`` with ``ccc_low`` and ``ccc_high`` (95 %; None for
        fewer than two speakers or without a value), ``rmse`` and ``clips``.

    Examples
    --------
    >>> numbers = np.array([[0.1], [0.5], [0.9]])
    >>> rated = Rated(("arousal",), numbers, numbers, ["a", "a", "b"], ["x", "x", "x"])
    >>> score_numbers(rated)["dimensions"]["arousal"]["ccc"]
    1.0
    """
    unknown = sum(not speaker for speaker in rated.speakers)
    names = [speaker or f"\0{place}" for place, speaker in enumerate(rated.speakers)]
    parts = {
        name: _score(rated, place, np.array(names)) for place, name in enumerate(rated.dimensions)
    }
    return {
        "clips": len(rated.truth),
        "speakers": len(set(names)),
        "unknown_speakers": unknown,
        "dimensions": parts,
    }


def _score(rated: Rated, place: int, names: NDArray[np.str_]) -> dict[str, Any]:
    """Score one dimension on the clips that listeners have rated in it."""
    there = np.isfinite(rated.truth[:, place])
    truth, predicted = rated.truth[there, place], rated.predicted[there, place]
    if not truth.size:
        return {"clips": 0, "ccc": None, "ccc_low": None, "ccc_high": None, "rmse": None}
    speakers, places = np.unique(names[there], return_inverse=True)
    corpora = np.array(rated.corpora)[there]
    sums = np.zeros((len(speakers), 6))
    np.add.at(sums, places, _sums(truth, predicted))  # [speakers, 6]
    of_speaker = [str(corpora[places == number][0]) for number in range(len(speakers))]
    found = float(_of_sums(sums.sum(axis=0)))
    low: float | None = None
    high: float | None = None
    if len(speakers) > 1 and np.isfinite(found):
        low, high = percentile_interval(_of_sums(draw_speakers(of_speaker) @ sums))
    return {
        "clips": int(truth.size),
        "ccc": found if np.isfinite(found) else None,
        "ccc_low": low,
        "ccc_high": high,
        "rmse": float(np.sqrt(np.mean((truth - predicted) ** 2))),
    }
