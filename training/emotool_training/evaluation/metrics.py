"""Scores of predicted labels: accuracy, UAR, F1 and the confusion matrix they all come from.

Every score is a function of a confusion matrix and takes any number of leading axes, so
that thousands of bootstrap draws (``emotool_training.evaluation.bootstrap``) cost one call.

The headline score of this project is the unweighted average recall (UAR, also called
balanced accuracy) of each corpus, averaged over the corpora: a corpus with many clips and a
label with many clips weigh no more than the others. Guessing scores 1 / labels.
Schuller et al. (2009), "The INTERSPEECH 2009 Emotion Challenge", doi:10.21437/Interspeech.2009-103,
made UAR the measure of speech emotion recognition.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "MIN_CORPUS_CLIPS",
    "accuracy",
    "accuracy_of",
    "confusion_matrix",
    "even_prior",
    "f1",
    "f1_of",
    "mean_corpora",
    "mean_uar",
    "recalls_of",
    "uar",
    "uar_by_corpus",
    "uar_of",
]

MIN_CORPUS_CLIPS = 20
"""A corpus with fewer clips is listed but left out of the mean over corpora: the six clips
of one CREMA-D actor would otherwise weigh as much as a thousand of RAVDESS."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def confusion_matrix(truth: ArrayLike, predicted: ArrayLike, n_labels: int) -> Ints:
    """Count clips by true and predicted label.

    Parameters
    ----------
    truth, predicted : array_like of int, shape (clips,)
        Label indices in ``0 … n_labels - 1``.
    n_labels : int
        How many labels there are.

    Returns
    -------
    ndarray of int64, shape (n_labels, n_labels)
        Rows are true labels, columns predicted ones.

    Raises
    ------
    ValueError
        If the two differ in length or hold an index out of range.

    Examples
    --------
    >>> confusion_matrix([0, 0, 1], [0, 1, 1], 2).tolist()
    [[1, 1], [0, 1]]
    """
    true = np.asarray(truth, dtype=np.int64)
    guess = np.asarray(predicted, dtype=np.int64)
    if true.ndim != 1 or true.shape != guess.shape:
        raise ValueError(f"truth {true.shape} and predicted {guess.shape} differ in shape")
    for name, values in (("truth", true), ("predicted", guess)):
        if values.size and not 0 <= values.min() <= values.max() < n_labels:
            raise ValueError(f"{name} holds a label outside 0 … {n_labels - 1}")
    cells = np.bincount(true * n_labels + guess, minlength=n_labels * n_labels)  # [labels²]
    return cells.reshape(n_labels, n_labels).astype(np.int64)  # [labels, labels]


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Divide, with NaN (and no warning) where there is nothing to divide by."""
    nothing = np.full(part.shape, np.nan)
    return np.asarray(np.divide(part, whole, out=nothing, where=whole > 0))


def _mean_present(values: Floats) -> Floats:
    """Mean over the last axis of what is not NaN; NaN where nothing is."""
    present = ~np.isnan(values)
    return _ratio(np.where(present, values, 0.0).sum(-1), present.sum(-1).astype(np.float64))


def recalls_of(confusion: ArrayLike) -> Floats:
    """Recall of each label: share of its clips that were labelled correctly.

    Parameters
    ----------
    confusion : array_like, shape (…, labels, labels)
        Rows are true labels.

    Returns
    -------
    ndarray of float64, shape (…, labels)
        In 0 … 1; NaN for a label that no clip has.
    """
    counts = np.asarray(confusion, dtype=np.float64)
    right = np.diagonal(counts, axis1=-2, axis2=-1)  # [..., labels]
    return _ratio(right, counts.sum(-1))


def uar_of(confusion: ArrayLike) -> Floats:
    """Unweighted average recall: the mean recall of the labels that occur.

    Parameters
    ----------
    confusion : array_like, shape (…, labels, labels)
        Rows are true labels. A label without clips (nEMO has no disgust) is left out.

    Returns
    -------
    ndarray of float64, shape (…)
        In 0 … 1; NaN where there are no clips at all.

    Examples
    --------
    >>> float(uar_of([[9, 1], [1, 1]]))
    0.7
    """
    return _mean_present(recalls_of(confusion))


def accuracy_of(confusion: ArrayLike) -> Floats:
    """Accuracy, shape (…) from a confusion of (…, labels, labels)."""
    counts = np.asarray(confusion, dtype=np.float64)
    return _ratio(np.trace(counts, axis1=-2, axis2=-1), counts.sum((-2, -1)))


def f1_of(confusion: ArrayLike) -> Floats:
    """Macro F1: the mean over the labels that occur of 2 TP / (2 TP + FP + FN).

    Parameters
    ----------
    confusion : array_like, shape (…, labels, labels)
        Rows are true labels.

    Returns
    -------
    ndarray of float64, shape (…)
        In 0 … 1; NaN where there are no clips at all.
    """
    counts = np.asarray(confusion, dtype=np.float64)
    right = np.diagonal(counts, axis1=-2, axis2=-1)  # [..., labels]
    true, guessed = counts.sum(-1), counts.sum(-2)  # [..., labels] each
    scores = _ratio(2 * right, true + guessed)
    return _mean_present(np.where(true > 0, scores, np.nan))


def uar(truth: ArrayLike, predicted: ArrayLike, n_labels: int) -> float:
    """Unweighted average recall of one set of clips (see `uar_of`).

    Examples
    --------
    >>> uar([0, 0, 0, 1], [0, 0, 0, 0], 2)
    0.5
    """
    return float(uar_of(confusion_matrix(truth, predicted, n_labels)))


def accuracy(truth: ArrayLike, predicted: ArrayLike, n_labels: int) -> float:
    """Accuracy: share of clips labelled correctly.

    Examples
    --------
    >>> accuracy([0, 0, 0, 1], [0, 0, 0, 0], 2)
    0.75
    """
    return float(accuracy_of(confusion_matrix(truth, predicted, n_labels)))


def f1(truth: ArrayLike, predicted: ArrayLike, n_labels: int) -> float:
    """Macro F1 of one set of clips (see `f1_of`)."""
    return float(f1_of(confusion_matrix(truth, predicted, n_labels)))


def uar_by_corpus(
    truth: ArrayLike, predicted: ArrayLike, corpora: Sequence[str], n_labels: int
) -> dict[str, float]:
    """UAR of each corpus by itself.

    Parameters
    ----------
    truth, predicted : array_like of int, shape (clips,)
        Label indices.
    corpora : sequence of str, length clips
        The corpus of each clip.
    n_labels : int
        How many labels there are.

    Returns
    -------
    dict of str to float
        By corpus name, sorted; every corpus with at least one clip.

    Examples
    --------
    >>> uar_by_corpus([0, 1, 0], [0, 1, 1], ["nemo", "nemo", "tess"], 2)
    {'nemo': 1.0, 'tess': 0.0}
    """
    true, guess, names = np.asarray(truth), np.asarray(predicted), np.asarray(corpora, dtype=str)
    if names.shape != true.shape:
        raise ValueError(f"{true.shape[0]} clips but {names.shape[0]} corpora")
    return {
        str(name): uar(true[names == name], guess[names == name], n_labels)
        for name in np.unique(names)
    }


def mean_corpora(corpora: Sequence[str]) -> tuple[str, ...]:
    """Name the corpora that the mean over corpora takes in, sorted.

    Those with at least `MIN_CORPUS_CLIPS` clips; all of them if none has so many.

    Examples
    --------
    >>> mean_corpora(["nemo"] * 30 + ["cremad"] * 6)
    ('nemo',)
    """
    names, counts = np.unique(np.asarray(corpora, dtype=str), return_counts=True)
    enough = counts >= MIN_CORPUS_CLIPS
    return tuple(str(name) for name in (names[enough] if enough.any() else names))


def mean_uar(
    truth: ArrayLike, predicted: ArrayLike, corpora: Sequence[str], n_labels: int
) -> float:
    """UAR per corpus, averaged over the corpora: the project's headline score.

    Takes the arguments of `uar_by_corpus`; the corpora averaged are those of `mean_corpora`.

    Examples
    --------
    >>> mean_uar([0, 1, 0], [0, 1, 1], ["nemo", "nemo", "tess"], 2)
    0.5
    """
    scores = uar_by_corpus(truth, predicted, corpora, n_labels)
    return float(np.mean([scores[name] for name in mean_corpora(corpora)]))


def even_prior(probabilities: ArrayLike) -> Floats:
    """Weigh labels so that all have the same mean probability over the clips.

    That is what a corpus with equally many clips of each label would give; nothing of the true
    labels is used.

    Parameters
    ----------
    probabilities : array_like of float, shape (clips, labels)
        Rows sum to 1.

    Returns
    -------
    ndarray of float64, shape (clips, labels)
        Rows sum to 1.

    Examples
    --------
    >>> even_prior([[0.9, 0.1], [0.6, 0.4]]).mean(axis=0).round(3).tolist()
    [0.5, 0.5]
    """
    found = np.maximum(np.asarray(probabilities, dtype=np.float64), 1e-12)
    for _ in range(200):
        found = found / found.mean(axis=0)  # columns' means 1, then rows' sums
        found = found / found.sum(axis=1, keepdims=True)
    return found
