"""How the channels of a clip become one, and which offset is removed: decided once a clip.

Most clips keep the mean of their channels, to the bit. That mean loses the speech where channels
cancel each other, or where one of many carries it: the loudest channel is used there. A constant
offset (DC), which recorders with a fault add, changes labels and is removed.

*Loudest* means the channel whose level varies the most: speech does, while hum, noise and an
offset stay as they are.
"""

from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "CANCELLING",
    "DC_OFFSET",
    "ONE_CHANNEL",
    "Mixing",
    "Survey",
    "choose_channel",
    "mean_of",
]

Floats: TypeAlias = npt.NDArray[np.float32]
Doubles: TypeAlias = npt.NDArray[np.float64]

CANCELLING: Final = "cancelling"
"""Flag: channels cancel each other when they are mixed; the loudest one is used."""

ONE_CHANNEL: Final = "one_channel"
"""Flag: at least half of the channels have next to no speech; the loudest one is used."""

DC_OFFSET: Final = "dc_offset"
"""Flag: a constant offset was removed."""

_LOSS: Final = 0.99 / 4
"""The mean of the channels is kept unless its power is below this share of the loudest one's:
6 dB, which the mean of a loud and a silent channel just has."""

_UNRELATED: Final = 0.9
"""Channels cancel where their mean has less than this share of the power of unrelated ones."""

_OFFSET: Final = 0.005
"""Means up to this (of full scale) are no offset: speech and breath have as much."""

_VARYING: Final = 0.02
"""An offset varies where a section is further from the mean than this, and than half the mean."""

_SECTION_S: Final = 0.25
"""Offsets are measured in sections of this length (seconds)."""

_FRAME_S: Final = 0.04
_POINTS: Final = 64
"""Levels are measured in frames of 40 ms, of which so many samples are looked at."""

_LAG: Final = 3
"""Levels vary where they differ from those three frames (120 ms) before, as syllables do."""

_STEADY_SHARE: Final = 1e-6
_CHANCE_SHARE: Final = 0.015
"""Of the power: what a steady sound counts, so that a tone counts at all; how much the level of
noise varies by chance."""


class Mixing(NamedTuple):
    """How a clip's channels become one.

    Parameters
    ----------
    channel : int or None
        The channel that is used; None for the mean of all.
    offsets : numpy.ndarray
        float64 ``[n]``, what is subtracted; empty for nothing, one value for the whole clip, or
        one for each of ``places``, between which it is interpolated.
    places : numpy.ndarray
        float64 ``[n]``, frames from the start of the clip.
    flags : tuple of str
        What was found: `CANCELLING` or `ONE_CHANNEL`, and `DC_OFFSET`.
    """

    channel: int | None
    offsets: Doubles
    places: Doubles
    flags: tuple[str, ...]

    def apply(self, block: Floats, start: int) -> Floats:
        """Return a block as one channel.

        Parameters
        ----------
        block : numpy.ndarray
            float32 ``[n, channels]``.
        start : int
            Frames of the clip before it.

        Returns
        -------
        numpy.ndarray
            float32 ``[n]``; a view of ``block`` where nothing has to be computed.
        """
        samples = mean_of(block) if self.channel is None else block[:, self.channel]
        if not self.offsets.size:
            return samples
        if self.offsets.size == 1:
            return samples - np.float32(self.offsets[0])
        places = np.arange(start, start + samples.size)  # [n]
        return samples - np.interp(places, self.places, self.offsets).astype(np.float32)


_UNCHANGED: Final = Mixing(None, np.empty(0), np.empty(0), ())


def mean_of(block: Floats) -> Floats:
    """Return the mean of the channels: [n, channels] -> [n]."""
    if block.shape[1] == 1:
        return block[:, 0]
    mean = block[:, 0].copy()  # [n]
    for channel in range(1, block.shape[1]):
        mean += block[:, channel]
    mean *= np.float32(1.0 / block.shape[1])
    return mean


def choose_channel(levels: Doubles, powers: Doubles) -> tuple[int | None, tuple[str, ...]]:
    """Decide between the mean of all channels and the loudest one.

    Parameters
    ----------
    levels : numpy.ndarray
        float64 ``[channels + 1]``, the power that varies in each channel and, last, in their mean.
    powers : numpy.ndarray
        float64 ``[channels + 1]``, the whole power about the mean.

    Returns
    -------
    int or None
        The channel to use; None for the mean: it is no quieter than half the loudest channel, or
        that many channels have sound of their own.
    tuple of str
        `CANCELLING`, `ONE_CHANNEL`, or nothing for the mean.

    Examples
    --------
    >>> stereo = np.array([1.0, 1.0, 0.5])
    >>> choose_channel(stereo, stereo)
    (None, ())
    >>> opposite = np.array([1.0, 0.8, 0.01])
    >>> choose_channel(opposite, opposite)
    (0, ('cancelling',))
    >>> recorder = np.array([0.0, 0.0, 1.0, 0.0, 1 / 16])
    >>> choose_channel(recorder, recorder)
    (2, ('one_channel',))
    """
    channels = levels.size - 1
    loudest = int(levels[:-1].argmax())
    if levels[-1] >= _LOSS * levels[loudest]:
        return None, ()
    # The mean of channels that have nothing in common has the sum of their powers / channels².
    if powers[-1] < _UNRELATED * powers[:-1].sum() / channels**2:
        return loudest, (CANCELLING,)
    if levels[:-1].sum() < levels[loudest] * (channels + 1) / 2:
        return loudest, (ONE_CHANNEL,)
    return None, ()


class Survey:
    """What a first pass over a clip shows of its channels.

    Parameters
    ----------
    channels : int
        How many there are.
    sample_rate : int
        The file's own rate (Hz).
    """

    def __init__(self, channels: int, sample_rate: int) -> None:
        self._section = max(1, round(_SECTION_S * sample_rate))  # frames
        self._frame = max(1, round(_FRAME_S * sample_rate))
        self._step = max(1, self._frame // _POINTS)
        self._frames = 0
        self._total = 0.0  # sum of all samples
        self._sections: list[Doubles] = []  # [sections, channels] sums
        self._counts: list[int] = []  # frames in each section
        self._levels = 0  # how many levels make up these sums, of channels and of their mean:
        self._squares = np.zeros(channels + 1)
        self._moves = np.zeros(channels + 1)

    def add(self, block: Floats) -> None:
        """Measure the next block, float32 [n, channels]."""
        if not len(block):
            return
        sums = _section_sums(block, self._section)
        self._sections.append(sums)
        self._total += float(np.add.reduce(sums, axis=None))
        self._counts += [self._section] * (len(sums) - 1)
        self._counts.append(len(block) - self._section * (len(sums) - 1))
        self._frames += len(block)
        if block.shape[1] > 1:
            levels = self._levels_of(block)
            self._levels += len(levels)
            self._squares += np.square(levels).sum(axis=0)
            self._moves += np.square(levels[_LAG:] - levels[:-_LAG]).sum(axis=0) / 2

    def _levels_of(self, block: Floats) -> Doubles:
        """Return the level (RMS about the mean) in frames, [frames, channels + 1]."""
        count, channels = len(block) // self._frame, block.shape[1]
        if not count:
            return np.empty((0, channels + 1))
        # Samples left out change neither power nor mean of a frame by much.
        framed = block[: count * self._frame].reshape(count, self._frame, channels)
        framed = framed[:, :: self._step]
        planes = np.empty((channels + 1, count, framed.shape[1]), np.float32)
        for channel in range(channels):
            planes[channel] = framed[:, :, channel]
        np.add.reduce(planes[:-1], axis=0, out=planes[-1])
        planes[-1] *= np.float32(1 / channels)
        points = np.float32(framed.shape[1])
        means = np.add.reduce(planes, axis=2) / points  # [channels + 1, frames]
        planes -= means[:, :, None]
        power = np.einsum("cft,cft->cf", planes, planes) / points
        levels: Doubles = np.sqrt(power).T.astype(np.float64)
        if count < 3:
            return levels
        # A click, or the begin of an offset, is in one frame only.
        beside = np.maximum(levels[:-2], levels[2:])
        return np.minimum(levels[1:-1], beside)

    def decide(self, full_scale: float = 1.0) -> Mixing:
        """Decide how the channels become one.

        Parameters
        ----------
        full_scale : float
            The highest sample value that the clip has or may have: above 1 where a file of
            float samples goes beyond.

        Returns
        -------
        Mixing
        """
        if not self._levels and abs(self._total) <= _OFFSET * full_scale * self._frames:
            return _UNCHANGED  # most clips have one channel
        channel: int | None = None
        flags: tuple[str, ...] = ()
        if self._levels:
            powers = self._squares / self._levels
            varying = self._moves / self._levels - _CHANCE_SHARE * powers
            levels = np.maximum(varying, 0.0) + _STEADY_SHARE * powers
            channel, flags = choose_channel(levels, powers)
        offsets, places = self._offsets(channel, full_scale)
        if offsets.size:
            flags += (DC_OFFSET,)
        return Mixing(channel, offsets, places, flags)

    def _offsets(self, channel: int | None, full_scale: float) -> tuple[Doubles, Doubles]:
        """Return what to subtract of a channel, or of the mean of all, and where."""
        nothing = np.empty(0)
        if self._frames < self._frame:  # a few samples have some mean or other
            return nothing, nothing
        sums = np.concatenate(self._sections)  # [sections, channels]
        chosen = sums.mean(axis=1) if channel is None else sums[:, channel]  # [sections]
        mean = float(chosen.sum()) / self._frames
        if abs(mean) <= _OFFSET * full_scale:
            return nothing, nothing
        counts = np.array(self._counts)
        each = chosen / counts
        limit = max(_VARYING * full_scale, abs(mean) / 2)
        if np.abs(each - mean).max() <= limit:
            return np.array([mean]), np.zeros(1)
        return each, np.cumsum(counts) - counts / 2


@lru_cache(maxsize=4)
def _ones(count: int) -> Floats:
    return np.ones(count, np.float32)


def _section_sums(block: Floats, section: int) -> Doubles:
    """Return the sums over sections of a block [n, channels]; the last has the rest, too."""
    count = max(1, len(block) // section)
    channels = block.shape[1]
    last = (count - 1) * section
    sums = np.empty((count, channels))
    ones = _ones(2 * section)
    # Sums as products, which are faster.
    sums[:-1] = ones[:section] @ block[:last].reshape(-1, section, channels)
    sums[-1] = ones[: len(block) - last] @ block[last:]
    return sums
