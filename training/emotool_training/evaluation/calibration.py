"""Calibration of confidences: temperature, expected calibration error, reliability bins.

A temperature T divides the logits before the softmax. It changes no label, only how sure the
model says it is, and is fitted by the likelihood of clips that the model was not trained on:
Guo, Pleiss, Sun & Weinberger (2017), "On Calibration of Modern Neural Networks",
PMLR 70:1321-1330, https://proceedings.mlr.press/v70/guo17a.html. Where there may be few clips,
the true labels are first made a little less certain, as by Platt (1999), "Probabilistic Outputs
for Support Vector Machines", Advances in Large Margin Classifiers, MIT Press, 61-74: a dozen
clips without an error do not show that there is none in a thousand.

The expected calibration error (ECE) groups clips by confidence in equal-width bins and
averages the gap between confidence and accuracy, weighted by clips: Naeini, Cooper &
Hauskrecht (2015), doi:10.1609/aaai.v29i1.9602.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

__all__ = [
    "BINS",
    "Reliability",
    "apply_temperature",
    "fit_temperature",
    "negative_log_likelihood",
    "reliability",
]

BINS = 15
SMALLEST = 1e-30  # stands in for a probability of 0, whose logarithm does not exist
TEMPERATURES = (0.05, 20.0)

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reliability:
    """Clips grouped by confidence.

    Parameters
    ----------
    counts : ndarray of int64, shape (bins,)
        Clips in each bin.
    confidence : ndarray of float64, shape (bins,)
        Mean confidence, 0 … 1; NaN in an empty bin.
    accuracy : ndarray of float64, shape (bins,)
        Accuracy, 0 … 1; NaN in an empty bin.
    """

    counts: NDArray[np.int64]
    confidence: Floats
    accuracy: Floats

    @property
    def ece(self) -> float:
        """Expected calibration error, 0 … 1; NaN without clips."""
        total = int(self.counts.sum())
        if not total:
            return float("nan")
        gaps = np.nan_to_num(np.abs(self.confidence - self.accuracy))
        return float((gaps * self.counts).sum() / total)


def apply_temperature(probabilities: ArrayLike, temperature: float) -> Floats:
    """Soften (above 1) or sharpen (below 1) probabilities.

    Equal to dividing the logits by `temperature`, since a softmax forgets the constant by
    which logarithms of its probabilities differ from its logits.

    Parameters
    ----------
    probabilities : array_like, shape (clips, labels)
        In 0 … 1, rows summing to 1.
    temperature : float
        Above 0.

    Returns
    -------
    ndarray of float64, shape (clips, labels)
        In 0 … 1, rows summing to 1.

    Examples
    --------
    >>> apply_temperature([[0.9, 0.1]], 2.0).round(2).tolist()
    [[0.75, 0.25]]
    """
    values = np.asarray(probabilities, dtype=np.float64)
    scaled = np.log(np.maximum(values, SMALLEST)) / temperature
    raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def negative_log_likelihood(probabilities: ArrayLike, truth: ArrayLike) -> float:
    """Mean of -log(probability of the true label), in nats, 0 or more.

    Examples
    --------
    >>> round(negative_log_likelihood([[0.5, 0.5]], [1]), 4)
    0.6931
    """
    values = np.asarray(probabilities, dtype=np.float64)
    true = np.asarray(truth, dtype=np.int64)
    return float(-np.log(np.maximum(values[np.arange(len(true)), true], SMALLEST)).mean())


def fit_temperature(probabilities: ArrayLike, truth: ArrayLike, *, doubt: bool = False) -> float:
    """Find the temperature under which the true labels are likeliest.

    Parameters
    ----------
    probabilities : array_like, shape (clips, labels)
        Probabilities at temperature 1, of clips it was not trained on.
    truth : array_like of int, shape (clips,)
        Indices of the true labels.
    doubt : bool
        Count one clip of each label in addition to the n there are: a true label is taken for
        certain to (n + 1) / (n + labels) only, the rest shared by the others.

    Returns
    -------
    float
        In 0.05 … 20. The bounds catch a set that is labelled without one error, whose best
        temperature is 0 without `doubt`.

    Raises
    ------
    ValueError
        If there are no clips.
    """
    if len(np.asarray(truth)) == 0:
        raise ValueError("a temperature needs clips to be fitted on")

    targets = _targets(truth, np.asarray(probabilities).shape[1], doubt)

    def cost(log_temperature: float) -> float:
        softened = apply_temperature(probabilities, float(np.exp(log_temperature)))
        return float(-(targets * np.log(np.maximum(softened, SMALLEST))).sum(axis=1).mean())

    # The cost is convex in 1/T, so it has one minimum on the logarithmic scale as well.
    low, high = (float(np.log(limit)) for limit in TEMPERATURES)
    found = minimize_scalar(cost, bounds=(low, high), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def _targets(truth: ArrayLike, n_labels: int, doubt: bool) -> Floats:
    """Return smoothed targets, [clips, labels], rows summing to 1."""
    true = np.asarray(truth, dtype=np.int64)
    more = 1 if doubt else 0
    return (len(true) * np.eye(n_labels)[true] + more) / (len(true) + more * n_labels)


def reliability(probabilities: ArrayLike, truth: ArrayLike, bins: int = BINS) -> Reliability:
    """Group clips by confidence into bins of equal width.

    Parameters
    ----------
    probabilities : array_like, shape (clips, labels)
        In 0 … 1, rows summing to 1.
    truth : array_like of int, shape (clips,)
        Indices of the true labels.
    bins : int
        Bin i holds confidences in (i / bins, (i + 1) / bins].

    Returns
    -------
    Reliability
        With `bins` entries; its ``ece`` is the expected calibration error.

    Examples
    --------
    >>> round(reliability([[0.8, 0.2], [0.2, 0.8]], [0, 0]).ece, 6)
    0.3
    """
    values = np.asarray(probabilities, dtype=np.float64)  # [clips, labels]
    confidence = values.max(axis=1)  # [clips]
    right = values.argmax(axis=1) == np.asarray(truth)  # [clips]
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)  # [bins]
    empty = np.full(bins, np.nan)
    sums = (np.bincount(place, weights=w, minlength=bins) for w in (confidence, right))
    means = [np.divide(s, counts, out=empty.copy(), where=counts > 0) for s in sums]
    return Reliability(counts.astype(np.int64), means[0], means[1])
