"""Which ``--min-confidence`` makes the labels that are kept correct as often as wanted.

With a threshold, clips of lower confidence are labelled ``uncertain``: fewer labels, and more of
them correct. That is selective classification (El-Yaniv & Wiener, 2010, "On the Foundations of
Noise-free Selective Classification", JMLR 11, 1605-1641). Intervals are over speakers, with each
threshold held fixed. A threshold is chosen by the clips on which its accuracy is measured, so on
other clips the accuracy is a little lower.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emotool_training.evaluation.bootstrap import DRAWS, draw_speakers, percentile_interval
from emotool_training.evaluation.predictions import Predictions
from emotool_training.evaluation.scores import speaker_index

__all__ = ["LEVELS", "MIN_KEPT", "Thresholds", "thresholds"]

LEVELS: Final = (0.80, 0.90, 0.95)
"""How often labels are to be correct, 0 to 1."""

MIN_KEPT: Final = 20
"""Fewest clips that a threshold must keep: a dozen correct ones show little."""

Floats = NDArray[np.float64]

_TRIED: Final = np.array([*(round(0.01 * place, 2) for place in range(100)), 0.995, 0.999])


@dataclass(frozen=True, eq=False)
class Thresholds:
    """How many clips each threshold keeps, and how often their labels are correct.

    Parameters
    ----------
    values : ndarray of float64, shape (thresholds,)
        Thresholds of the confidence, ascending, 0 … 1; 0 keeps all clips.
    clips : ndarray of int64, shape (thresholds,)
        Clips with at least that confidence.
    kept, accuracy : ndarray of float64, shape (thresholds,)
        Their share of all clips, and the share of correct labels among them (NaN without clips).
    kept_bounds, accuracy_bounds : ndarray of float64, shape (thresholds, 2), or None
        95 % intervals over speakers; None with a single speaker.
    """

    values: Floats
    clips: NDArray[np.int64]
    kept: Floats
    accuracy: Floats
    kept_bounds: Floats | None
    accuracy_bounds: Floats | None

    def level(self, wanted: float) -> dict[str, Any]:
        """Return the lowest threshold with at least a wanted accuracy.

        Parameters
        ----------
        wanted : float
            The share of correct labels, 0 to 1.

        Returns
        -------
        dict
            ``wanted``, ``min_confidence``, ``clips``, and ``kept`` and ``accuracy`` with ``_low``
            and ``_high``. If no threshold that keeps `MIN_KEPT` clips reaches it,
            ``min_confidence`` is None and the rest is of the threshold with the best accuracy, or
            None where there are not so many clips.
        """
        enough = self.clips >= MIN_KEPT
        if not enough.any():
            return {"wanted": wanted, "min_confidence": None, "clips": None, "accuracy": None}
        reached = enough & (np.nan_to_num(self.accuracy) >= wanted)
        best = np.where(enough, np.nan_to_num(self.accuracy), -1.0).argmax()
        place = int(reached.argmax()) if reached.any() else int(best)
        return {
            "wanted": wanted,
            "min_confidence": float(self.values[place]) if reached.any() else None,
            "clips": int(self.clips[place]),
            **_figure("kept", self.kept, self.kept_bounds, place),
            **_figure("accuracy", self.accuracy, self.accuracy_bounds, place),
        }


def _figure(name: str, values: Floats, bounds: Floats | None, place: int) -> dict[str, Any]:
    low, high = (None, None) if bounds is None else map(float, bounds[place])
    return {name: float(values[place]), f"{name}_low": low, f"{name}_high": high}


def thresholds(predictions: Predictions, *, draws: int = DRAWS, seed: int = 0) -> Thresholds:
    """Count what every threshold of the confidence keeps.

    Parameters
    ----------
    predictions : Predictions
        At least one clip.
    draws : int
        Bootstrap draws of speakers.
    seed : int
        Seed of the draws.

    Returns
    -------
    Thresholds
        Of the confidences 0, 0.01 … 0.99, 0.995 and 0.999.

    Examples
    --------
    >>> facts = {name: np.array(["a", "b"]) for name in ("key", "corpus", "speaker")}
    >>> facts["emotion"] = np.array(["sad", "sad"])
    >>> clips = Predictions(("happy", "sad"), facts, np.array([[0.6, 0.4], [0.2, 0.8]]))
    >>> found = thresholds(clips)
    >>> found.accuracy[[0, 70]].tolist(), found.kept[[0, 70]].tolist()
    ([0.5, 1.0], [1.0, 0.5])
    """
    confidence = predictions.probabilities.max(axis=1)  # [clips]
    right = predictions.predicted == predictions.truth  # [clips]
    index, corpora = speaker_index(predictions)
    inside = confidence[:, None] >= _TRIED  # [clips, thresholds]
    shape = (len(corpora), len(_TRIED))
    kept, correct = np.zeros(shape), np.zeros(shape)  # [speakers, thresholds]
    np.add.at(kept, index, inside)
    np.add.at(correct, index, inside & right[:, None])
    drawn = draw_speakers(list(corpora), draws=draws, seed=seed)  # [draws, speakers]
    wide = bool((drawn != 1).any())
    shares = _shares(kept, correct, np.concatenate([np.ones((1, len(corpora))), drawn]))
    bounds = [_bounds(share[1:]) if wide else None for share in shares]
    clips = kept.sum(axis=0).astype(np.int64)
    return Thresholds(_TRIED, clips, shares[0][0], shares[1][0], bounds[0], bounds[1])


def _shares(kept: Floats, correct: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Return shares kept and correct, [draws, thresholds] each, from counts of speakers."""
    some, good = counts @ kept, counts @ correct
    nothing = np.full(some.shape, np.nan)
    accuracy = np.divide(good, some, out=nothing, where=some > 0)
    return some / some[:, :1], np.asarray(accuracy)  # the first threshold keeps all


def _bounds(shares: Floats) -> Floats:
    """Return an interval for every threshold, [thresholds, 2]; NaN where no draw has clips."""
    empty = (float("nan"), float("nan"))
    columns = [one[~np.isnan(one)] for one in shares.T]
    return np.array([percentile_interval(one) if one.size else empty for one in columns])
