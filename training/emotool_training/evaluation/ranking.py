"""How well probabilities rank clips."""

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["area_under_curve"]


def area_under_curve(positive: ArrayLike, scores: ArrayLike) -> float:
    """Share of pairs of a positive and a negative clip that scores put in order; ties are half.

    Parameters
    ----------
    positive : array_like of bool, shape (clips,)
        Which clips are positive.
    scores : array_like of float, shape (clips,)
        Higher for positive.

    Returns
    -------
    float
        The area under the ROC curve, 0 … 1; NaN without clips of both kinds.

    Examples
    --------
    >>> area_under_curve([True, False, True], [0.9, 0.4, 0.4])
    0.75
    """
    chosen, values = np.asarray(positive, dtype=bool), np.asarray(scores, dtype=np.float64)
    order = np.sort(values)
    # Ranks from 1, those of equal values at their middle.
    ranks = (np.searchsorted(order, values, "left") + np.searchsorted(order, values, "right")) / 2
    above, below = int(chosen.sum()), int((~chosen).sum())
    if not above or not below:
        return float("nan")
    return float(((ranks[chosen] + 0.5).sum() - above * (above + 1) / 2) / (above * below))
