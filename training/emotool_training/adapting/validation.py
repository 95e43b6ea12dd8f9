"""Cross-validation with speakers kept apart: the penalty's strength, and what to expect."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

from emotool_training.adapting.regression import Clips, Floats, fit, logits
from emotool_training.evaluation.calibration import (
    apply_temperature,
    fit_temperature,
    negative_log_likelihood,
)

__all__ = [
    "MOST_WINDOWS",
    "Choice",
    "choose",
    "fold_numbers",
    "has_few_speakers",
    "mean_over_windows",
    "probabilities_of",
    "sample",
]

Probabilities = npt.NDArray[np.float64]

MOST_WINDOWS = 10_000
"""Embeddings that the cross-validation uses at most: more change neither choice."""

STRENGTHS = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0)
"""Strengths of the penalty to choose from, the strongest first."""

_FEWEST = 5000.0
"""Effective clips times strength at least: with fewer clips a cross-validation is less certain."""

_ALONE = 1000.0
"""Penalty at least of clips of one speaker; a quarter of it of two."""

_SPEAKERS = 3
"""With so many, a head fitted to two speakers is validated on a third."""

_TRIED = 4
"""As many of the weakest strengths that are left."""

_FOLDS = 5


@dataclass(frozen=True, eq=False)
class Choice:
    """What a cross-validation has found.

    Parameters
    ----------
    strength : float
        Of the penalty; infinite where the base stays as it is.
    temperature : float
        Of the logits.
    probabilities : ndarray of float64, shape (clips, labels), or None
        Out-of-fold, at that temperature; None where there are too few clips for folds.
    chosen : ndarray of bool, shape (clips,)
        The clips that were used, of all.
    """

    strength: float
    temperature: float
    probabilities: Probabilities | None
    chosen: npt.NDArray[np.bool_]


def choose(clips: Clips, speakers: Sequence[str], *, new_labels: bool = False) -> Choice:
    """Choose the penalty's strength and the temperature by clips that a head was not fitted to.

    With cautious clips the penalty is strong, and the base stays as it is if it has all of them
    right. It also stays if all clips have one label. Labels that the base does not have are always
    fitted.

    Parameters
    ----------
    clips : Clips
    speakers : sequence of str
        Each clip's; "" where unknown. A speaker's clips are in one fold.
    new_labels : bool
        Whether some are not the base's.
    """
    chosen = sample(clips)
    part = clips.only(chosen)
    few = clips.cautious and not new_labels
    least = _ALONE / max(1, len(set(speakers) - {""})) ** 2 * len(clips.targets) if few else 0.0
    if not new_labels:
        base = probabilities_of(part.offsets, part.owner, len(part.targets))
        right = bool((base.argmax(axis=1) == part.targets).all())
        if np.ptp(clips.targets) == 0 or (few and right):
            return Choice(math.inf, 1.0, base, chosen)
    folds = fold_numbers(
        part.targets, [s for s, kept in zip(speakers, chosen, strict=True) if kept]
    )
    left = [s for s in STRENGTHS if s >= max(least, _FEWEST / part.effective)]
    strengths = left[-_TRIED:] or [max(least, STRENGTHS[0])]
    if folds is None:
        return Choice(strengths[0], 1.0, None, chosen)
    found = []
    for strength, raw in zip(strengths, _out_of_fold(part, folds, strengths), strict=True):
        temperature = fit_temperature(raw, part.targets, doubt=True)
        found.append(Choice(strength, temperature, apply_temperature(raw, temperature), chosen))
    return min(found, key=lambda one: _balanced_cost(one.probabilities, part.targets))


def has_few_speakers(speakers: Sequence[str]) -> bool:
    """Return whether so few speakers are known that clips may show what is theirs alone.

    Examples
    --------
    >>> has_few_speakers(["anna", "ben", "anna", ""]), has_few_speakers(["anna", "ben", "carl"])
    (True, False)
    """
    return len(set(speakers) - {""}) < _SPEAKERS


def _balanced_cost(probabilities: Probabilities | None, targets: npt.NDArray[np.int64]) -> float:
    """Mean over the labels of each one's mean -log(probability of the true label)."""
    if probabilities is None:
        return math.inf
    losses = [
        negative_log_likelihood(probabilities[targets == label], targets[targets == label])
        for label in np.unique(targets)
    ]
    return float(np.mean(losses))


def sample(clips: Clips, most: int = MOST_WINDOWS) -> npt.NDArray[np.bool_]:
    """Choose clips at random, the same each time, with at most so many windows together."""
    windows = np.bincount(clips.owner, minlength=len(clips.targets))  # [clips]
    order = np.random.default_rng(0).permutation(len(windows))
    chosen = np.zeros(len(windows), np.bool_)
    chosen[order[np.cumsum(windows[order]) <= max(most, windows[order[0]])]] = True
    return chosen


def fold_numbers(
    targets: npt.NDArray[np.int64], speakers: Sequence[str]
) -> npt.NDArray[np.int64] | None:
    """Put clips into folds, labels spread evenly and speakers kept apart.

    Parameters
    ----------
    targets : ndarray of int64, shape (clips,)
    speakers : sequence of str
        "" where unknown: such a clip is on its own. A single speaker's clips are, too.

    Returns
    -------
    ndarray of int64, shape (clips,), or None
        None where there are too few clips.
    """
    apart = len(set(speakers) - {""}) > 1
    groups = [s if s and apart else f"\0{number}" for number, s in enumerate(speakers)]
    count = min(_FOLDS, len(set(groups)), int(np.bincount(targets).max()))
    if count < 2:
        return None
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=0)
    folds = np.zeros(len(targets), np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a label with fewer clips than folds is no mistake
        for number, (_, members) in enumerate(splitter.split(targets, targets, groups)):
            folds[members] = number
    return folds


def _out_of_fold(
    clips: Clips, folds: npt.NDArray[np.int64], strengths: Sequence[float]
) -> list[Probabilities]:
    """Predict each clip by heads that were not fitted to its fold, for each strength."""
    shape = (len(clips.targets), clips.offsets.shape[1])
    found = [np.zeros(shape) for _ in strengths]
    for number in np.unique(folds):
        held = folds == number
        train, test = clips.only(~held), clips.only(held)
        added = None
        for place, strength in enumerate(strengths):
            added = fit(train, strength, added)  # from the strongest: a short way each time
            found[place][held] = probabilities_of(logits(test, added), test.owner, held.sum())
    return found


def probabilities_of(raw: Floats, owner: npt.NDArray[np.int64], clips: int) -> Probabilities:
    """Return each clip's mean softmax over its windows, f64 [clips, labels]."""
    powers = np.exp(raw.astype(np.float64) - raw.max(axis=1, keepdims=True))
    return mean_over_windows(powers / powers.sum(axis=1, keepdims=True), owner, clips)


def mean_over_windows(
    rows: Probabilities, owner: npt.NDArray[np.int64], clips: int
) -> Probabilities:
    """Return each clip's mean, f64 [clips, labels], of its windows' rows."""
    sums = np.zeros((clips, rows.shape[1]))
    np.add.at(sums, owner, rows)
    return np.asarray(sums / np.bincount(owner, minlength=clips)[:, None])
