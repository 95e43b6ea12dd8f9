"""Mixup: windows of a batch mixed with each other, and their targets with them.

Zhang et al. (2018), arXiv:1710.09412.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from emotool_training.augmentation.settings import Augmentation

__all__ = ["Mixing", "draw_mixing", "mix"]


class Mixing(NamedTuple):
    """Partners and shares of a mixed batch."""

    partner: npt.NDArray[np.int64]
    """Place of each member's partner, [batch]."""
    share: npt.NDArray[np.float32]
    """Each member's own share, 0.5 … 1, [batch]."""


def draw_mixing(
    batch: int, augmentation: Augmentation, random: np.random.Generator
) -> Mixing | None:
    """Draw which windows of a batch are mixed, and in what shares; None if none are.

    The larger share is the window's own.

    Parameters
    ----------
    batch : int
        Windows in the batch.
    augmentation : Augmentation
    random : numpy.random.Generator
    """
    if augmentation.mixup_alpha <= 0 or random.uniform() >= augmentation.mixup_probability:
        return None
    partner = random.permutation(batch)
    alpha = augmentation.mixup_alpha
    share = random.beta(alpha, alpha, batch).astype(np.float32)  # [batch]
    return Mixing(partner, np.maximum(share, 1 - share))


def mix(members: Sequence[npt.NDArray[Any]], mixed: Mixing | None) -> npt.NDArray[np.float32]:
    """Stack the members of a batch, each mixed with its partner.

    Parameters
    ----------
    members : sequence of ndarray of float16 or float32, all of one shape
        Windows in dB, what a network has made of them (manifold mixup, Verma et al. 2019,
        arXiv:1806.05236), or targets.
    mixed : Mixing or None
        From `draw_mixing`.

    Returns
    -------
    ndarray of float32, shape (batch, …)

    Examples
    --------
    >>> halves = Mixing(np.array([1, 0]), np.array([0.75, 0.5], np.float32))
    >>> mix([np.array([0.0]), np.array([4.0])], halves).tolist()
    [[1.0], [2.0]]
    """
    # One member at a time: maps are large, and what stays in the processor's cache is quicker.
    stacked = np.empty((len(members), *members[0].shape), np.float32)
    for place, member in enumerate(members):
        if mixed is None:
            stacked[place] = member
            continue
        share, other = mixed.share[place], members[int(mixed.partner[place])]
        np.multiply(member, share, out=stacked[place], dtype=np.float32)
        stacked[place] += np.multiply(other, 1 - share, dtype=np.float32)
    return stacked
