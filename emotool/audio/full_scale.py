"""Sample values: those that are no sound, and channels that were cut off at full scale."""

import math
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.errors import AudioError

__all__ = ["FullScale"]

Floats: TypeAlias = npt.NDArray[np.float32]

_LOUDEST: Final = 1e9
"""Absolute sample values above this are damage: full scale is 1."""

_CLIP_LEVEL: Final = 0.999
_CLIP_RUN: Final = 3
"""A channel that stays at full scale for this many samples was clipped."""

_FLOATS: Final = ("FLOAT", "DOUBLE")
_BEYOND: Final = 2.0
"""Nothing was cut off at full scale where samples lie beyond it: in float formats at all, in others
by more than what lossy codecs make of cut peaks."""


class FullScale:
    """What the blocks of a clip so far show.

    Parameters
    ----------
    channels : int
        How many there are.
    subtype : str
        libsndfile's name of the encoding, such as ``FLOAT``; may be empty.

    Attributes
    ----------
    peak : float
        The highest absolute sample value of all channels.
    """

    def __init__(self, channels: int, subtype: str) -> None:
        self.peak = 0.0
        self._highest = 1.0 if subtype in _FLOATS else _BEYOND
        self._clipped = np.zeros(channels, np.bool_)

    def add(self, block: Floats) -> None:
        """Look at a block, float32 ``[n, channels]``, at least one sample.

        Raises
        ------
        AudioError
            If it holds values that are no sound.
        """
        low, high = float(block.min()), float(block.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise AudioError("decode", "samples that are NaN or infinite")
        peak = max(-low, high)
        if peak > _LOUDEST:
            raise AudioError("decode", f"samples beyond ±{_LOUDEST:.0e}, where full scale is 1")
        self.peak = max(self.peak, peak)
        if peak >= _CLIP_LEVEL:
            self._clipped |= _is_clipped(block)

    def clipped(self, channel: int | None) -> bool:
        """Return whether a channel, or any for None, was cut off at full scale."""
        found = self._clipped if channel is None else self._clipped[[channel]]
        return self.peak <= self._highest and bool(found.any())


def _is_clipped(block: Floats) -> npt.NDArray[np.bool_]:
    """Return which channels of ``block`` [n, channels] stay at full scale, bool [channels]."""
    full = np.abs(block) >= _CLIP_LEVEL
    run = full[: max(0, len(full) - _CLIP_RUN + 1)].copy()
    for offset in range(1, _CLIP_RUN):
        run &= full[offset : offset + len(run)]
    return np.asarray(run.any(axis=0))
