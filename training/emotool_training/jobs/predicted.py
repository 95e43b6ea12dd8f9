"""Predictions put together with the facts of their clips."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emotool_training.corpora import Utterance
from emotool_training.evaluation.predictions import FACTS, Predictions

__all__ = ["predictions_of"]


def predictions_of(
    labels: tuple[str, ...],
    clips: Sequence[tuple[str, Utterance]],
    probabilities: npt.NDArray[np.float64],
) -> Predictions:
    """Put clips, each with its subset, beside what a model predicts of them.

    Parameters
    ----------
    labels : tuple of str
        The model's.
    clips : sequence of (str, Utterance)
        Subset and clip.
    probabilities : ndarray of float64, shape (clips, labels)
    """
    rows = [{**{f: getattr(c, f) for f in FACTS if f != "subset"}, "subset": s} for s, c in clips]
    facts = {name: np.array([row[name] for row in rows], np.str_) for name in FACTS}
    return Predictions(labels, facts, probabilities)
