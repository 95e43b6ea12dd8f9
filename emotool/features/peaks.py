"""Whether peaks of a recording were cut off, also where it was turned down or converted since.

A recording that is too loud for its format stays at full scale, which `emotool.audio.reader` sees.
Once it is turned down, the cut lies lower; once it is resampled or compressed, the cut is no longer
flat. Its peaks are still all of one height, where those of speech differ.
"""

from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Peaks", "peaks_of"]

Floats: TypeAlias = npt.NDArray[np.float32]

_BLOCK: Final = 64  # samples, 4 ms at 16 kHz: about a period of a high voice
_ENOUGH: Final = 250  # blocks: of more, only each second, third, … is looked at
_ACTIVE: Final = 0.1  # of the highest peak: blocks that have less are pauses
_HIGH: Final = 0.10  # share of the blocks, pauses left out, whose peaks are at least high
_HIGHER: Final = 0.02
_TOP: Final = 0.98  # of the highest peak: samples above it are at the top
_LEVEL: Final = 0.004  # of the highest peak: neighbours that differ by less are level


class Peaks(NamedTuple):
    """How a recording's peaks are distributed.

    Parameters
    ----------
    evenness : float
        The lowest of the highest tenth of peaks, divided by the lowest of the highest fiftieth,
        0 to 1; peaks of stretches of 64 samples, those below a tenth of the highest left out.
        1 where all high peaks have the same height.
    flatness : float
        Samples at the top (98 % of the highest peak and more) whose neighbour is as high, per
        sample that is no pause.
    """

    evenness: float
    flatness: float


def peaks_of(samples: Floats) -> Peaks:
    """Measure the peaks of a recording.

    Parameters
    ----------
    samples : numpy.ndarray
        float32 ``[n]``, finite.

    Returns
    -------
    Peaks
        Zeros for silence and for less than 64 samples.

    Examples
    --------
    >>> time = np.arange(16_000) / 16_000
    >>> swell = np.sin(2 * np.pi * 200 * time) * time
    >>> cut = np.clip(swell, -0.5, 0.5)
    >>> round(peaks_of(swell.astype(np.float32)).evenness, 2)
    0.93
    >>> peaks_of(cut.astype(np.float32)).evenness
    1.0
    """
    if samples.size < _BLOCK:
        return Peaks(0.0, 0.0)
    # A recorder's offset (DC) is no peak.
    heights = samples - np.add.reduce(samples) / np.float32(samples.size)
    np.abs(heights, out=heights)
    blocks = heights[: heights.size // _BLOCK * _BLOCK].reshape(-1, _BLOCK)  # [blocks, 64]
    peaks = np.sort(blocks[:: max(1, len(blocks) // _ENOUGH)].max(axis=1))  # [some blocks]
    highest = heights.max()
    if highest <= 0 or peaks[-1] < _ACTIVE * highest:
        return Peaks(0.0, 0.0)
    active = peaks[np.searchsorted(peaks, _ACTIVE * highest) :]  # [blocks that are no pauses]
    high, higher = (active[-1 - int(share * active.size)] for share in (_HIGH, _HIGHER))
    top = np.flatnonzero(heights >= _TOP * highest)  # [samples at the top]
    tops = samples[top]
    level = np.abs(tops[1:] - tops[:-1]) < _LEVEL * highest
    level &= top[1:] - top[:-1] == 1
    heard = max(1, int(np.count_nonzero(heights >= _ACTIVE * highest)))
    return Peaks(float(high / higher), float(np.count_nonzero(level)) / heard)
