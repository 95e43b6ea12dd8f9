"""Whether a clip is the kind of sound that models have learnt from, and if not, what is wrong.

Models are trained on acted speech that was recorded close by and in quiet rooms. They label
whatever else they are given just as readily, so a clip that is something else is flagged. All
is measured on the spectrograms that the model is given, window by window; the measures of a
clip are the means over its windows, so an hour takes no more memory than a second.

The limits were chosen on clips of 18 speakers that were spoilt on purpose, and judged on those
of 18 others: ``benchmarks/flags.py`` prints how often each flag is right.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.clipping import Peaks
from emotool.features import ClipFeatures
from emotool.spec import SpectrogramSpec
from emotool.spectrogram import mel_filterbank

__all__ = ["Measures", "Quality", "can_measure", "flags_of", "measure"]

Floats: TypeAlias = npt.NDArray[np.float32]

SPEECHLESS_SECONDS: Final = 0.5
NARROW_BAND_SECONDS: Final = 1.0
NOISY_SECONDS: Final = 1.5
CLIPPED_SECONDS: Final = 1.0
"""Clips with less sound do not get the flag: a word has no pauses, and maybe no sharp sounds."""

EVENNESS: Final = 0.92
"""Peaks that were cut off are more alike than this, whatever was done to them since."""

FLATNESS: Final = 0.25e-3
"""Where the cut is still to be seen, more samples than this lie level at the top."""

TEXTURE_DB: Final = {64: 2.2, 128: 2.9}
"""By number of bands: noise alone has less texture, its frames are only as rough as chance."""

STILL: Final = 0.2
"""Held tones move less than this from frame to frame: their lines stay, where voices glide."""

MOVEMENT: Final = 0.5
STEADY_DB: Final = 10.0
"""So do hum and music that is as loud all the time; slow clear voices move little, but pause."""

VOICE_RANGE_DB: Final = 7.0
"""Where nobody speaks, no group of bands of a voice changes by more."""

RANGE_DB: Final = 15.0
"""In a quiet room, speech is louder than its own pauses by more than this."""

BAND_RANGE_DB: Final = 20.0
"""The same within the bands of speech, which also finds noise that is not the loudest sound."""

TREBLE_DB: Final = -44.0
"""Recordings whose sounds end at 4 kHz have less than this above 5 kHz."""

_BANDS: Final = 64  # mel bands that finer spectrograms are brought to
_GROUPS: Final = 16  # of neighbouring bands
_QUIET, _LOUD = 0.10, 0.95  # shares of frames that are no louder than what counts as either
_ROUGH: Final = 0.90  # share of frames with less texture than what counts
_SPEC: Final = SpectrogramSpec()
_MEASURABLE: Final = ("sample_rate", "n_fft", "hop_length", "f_min", "f_max")
_DB_TO_LN: Final = np.float32(np.log(10.0) / 10.0)


class Measures(NamedTuple):
    """What is measured of a window; of a clip, the mean over its windows.

    *Loud* and *quiet* are what 95 % and 10 % of the frames do not exceed, in dB.

    Parameters
    ----------
    range_db : float
        Loud minus quiet, of the whole spectrum: what speech has above its pauses.
    band_range_db : float
        The same in each sixteenth of the mel axis; their median from 0.2 to 3.4 kHz.
    voice_range_db : float
        The largest of these from 0.2 to 2 kHz.
    treble_db : float
        The loudest sixteenth above 5 kHz relative to the loudest from 0.2 to 3.4 kHz.
    texture_db : float
        How far a band lies above or below the mean of its two neighbours, mean over 64 bands
        up to 3.4 kHz; of the frames, what 90 % do not exceed. Harmonics make it large.
    movement : float
        How far a band moves from one frame to the next, up to 3.4 kHz and in the louder half of
        the frames, divided by their texture.
    """

    range_db: float
    band_range_db: float
    voice_range_db: float
    treble_db: float
    texture_db: float
    movement: float


class _Layout(NamedTuple):
    """Which of 64 bands lie low, and which of 16 groups belong to what."""

    low: slice
    voice: slice
    speech: slice
    treble: slice


@lru_cache(maxsize=1)
def _layout() -> _Layout:
    spec = replace(_SPEC, n_mels=_BANDS)
    filters = mel_filterbank(spec)  # [bands, bins]
    hertz = np.fft.rfftfreq(spec.n_fft, 1 / spec.sample_rate)  # [bins]
    bands = (filters @ hertz) / filters.sum(axis=1)  # [bands] centres
    groups = bands.reshape(_GROUPS, -1).mean(axis=1)  # [groups]

    def between(low: float, high: float) -> slice:
        return slice(int(np.searchsorted(groups, low)), int(np.searchsorted(groups, high)))

    return _Layout(
        slice(0, int(np.searchsorted(bands, 3_400.0))),
        between(200.0, 2_000.0),
        between(200.0, 3_400.0),
        between(5_000.0, 8_000.0),
    )


def can_measure(spec: SpectrogramSpec) -> bool:
    """Return whether spectrograms of ``spec`` can be judged.

    The limits hold for 64 and 128 bands of frames as in the default specification. On others
    the same sound would measure otherwise, so nothing is said of it.

    Examples
    --------
    >>> can_measure(SpectrogramSpec(n_mels=64)), can_measure(SpectrogramSpec(n_mels=40))
    (True, False)
    """
    same = all(getattr(spec, name) == getattr(_SPEC, name) for name in _MEASURABLE)
    return same and spec.n_mels in (_BANDS, 2 * _BANDS) and spec.top_db >= _SPEC.top_db


def measure(log_mel: Floats) -> Measures:
    """Measure a window.

    Parameters
    ----------
    log_mel : numpy.ndarray
        float32 ``[64 or 128, frames]`` in dB, at least two frames, without a window's padding.

    Returns
    -------
    Measures
    """
    frames = log_mel.shape[1]
    bands = log_mel
    if len(bands) > _BANDS:
        bands = log_mel[0::2] + log_mel[1::2]  # [64, frames]
        bands *= np.float32(0.5)
    groups = _mean(bands.reshape(_GROUPS, -1, frames), axis=1)  # [groups, frames]
    power = np.add.reduce(np.exp(groups * _DB_TO_LN), axis=0)  # [frames]
    layout = _layout()
    ordered = np.sort(groups, axis=1)  # [groups, frames]
    loud = ordered[:, _place(_LOUD, frames)]  # [groups]
    ranges = loud - ordered[:, _place(_QUIET, frames)]  # [groups]
    powers = np.sort(power)  # [frames]
    texture, movement = _fine_structure(bands[layout.low], power > powers[frames // 2 - 1])
    return Measures(
        10.0 * math.log10(powers[_place(_LOUD, frames)] / powers[_place(_QUIET, frames)]),
        _median(ranges[layout.speech]),
        float(ranges[layout.voice].max()),
        float(loud[layout.treble].max() - loud[layout.speech].max()),
        texture,
        movement,
    )


def _mean(values: Floats, axis: int) -> Floats:
    """Return the mean; numpy's own takes as long again to decide on a type."""
    total: Floats = np.add.reduce(values, axis=axis)
    total *= np.float32(1 / values.shape[axis])
    return total


def _median(values: Floats) -> float:
    """Return the median of a few numbers in a fifth of the time that numpy's takes."""
    ordered = np.sort(values)
    return float(ordered[(ordered.size - 1) // 2] + ordered[ordered.size // 2]) / 2


def _place(share: float, frames: int) -> int:
    """Return the place, in ascending order, of what this share of frames does not exceed."""
    return min(frames - 1, int(share * frames))


def _fine_structure(bands: Floats, heard: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return texture and movement of bands [low bands, frames]; ``heard`` [frames]."""
    bend = bands[1:-1] * np.float32(2.0)  # [low bands - 2, frames]
    bend -= bands[:-2]
    bend -= bands[2:]
    # Sums over bands, of which only what is returned becomes means: 2 because a bend is two steps.
    rough = np.add.reduce(np.abs(bend, out=bend), axis=0)  # [frames]
    step = bands[:, 1:] - bands[:, :-1]  # [low bands, frames - 1]
    moved = np.add.reduce(np.abs(step, out=step), axis=0)  # [frames - 1]
    texture = float(np.sort(rough)[_place(_ROUGH, rough.size)]) / (2 * len(bend))
    heard_later = heard[1:]
    still = float(rough[heard].sum()) / (2 * len(bend) * max(1, int(np.count_nonzero(heard))))
    moving = float(moved[heard_later].sum()) / (
        len(bands) * max(1, int(np.count_nonzero(heard_later)))
    )
    return texture, moving / still if still > 0 else 0.0


def flags_of(measures: Measures, peaks: Peaks, n_mels: int, seconds: float) -> tuple[str, ...]:
    """Return the flags that measures stand for, in the order in which they are written.

    Of a clip without speech nothing else is said: noise is noisy, and hum has even peaks.

    Parameters
    ----------
    measures : Measures
        Of a clip.
    peaks : Peaks
        Of the same clip.
    n_mels : {64, 128}
        Bands of its spectrograms.
    seconds : float
        How much sound was measured.

    Returns
    -------
    tuple of str
        ``speechless``, or any of ``clipped``, ``narrow_band`` and ``noisy``.

    Examples
    --------
    >>> flags_of(Measures(24.0, 32.0, 38.0, -21.0, 6.9, 0.9), Peaks(0.7, 0.0), 64, 3.0)
    ()
    >>> flags_of(Measures(9.0, 32.0, 38.0, -60.0, 6.9, 0.9), Peaks(1.0, 0.0), 64, 3.0)
    ('clipped', 'narrow_band', 'noisy')
    """
    steady = measures.movement < MOVEMENT and measures.range_db < STEADY_DB
    speechless = (
        measures.texture_db < TEXTURE_DB[n_mels]
        or measures.voice_range_db < VOICE_RANGE_DB
        or measures.movement < STILL
        or steady
    )
    if seconds < SPEECHLESS_SECONDS or speechless:
        return ("speechless",) if seconds >= SPEECHLESS_SECONDS else ()
    clipped = peaks.evenness > EVENNESS or peaks.flatness > FLATNESS
    narrow = measures.treble_db < TREBLE_DB
    noisy = measures.range_db < RANGE_DB or measures.band_range_db < BAND_RANGE_DB
    found = (
        ("clipped", clipped and seconds >= CLIPPED_SECONDS),
        ("narrow_band", narrow and seconds >= NARROW_BAND_SECONDS),
        ("noisy", noisy and seconds >= NOISY_SECONDS),
    )
    return tuple(flag for flag, holds in found if holds)


def _plus(total: Sequence[float], weight: float, more: Sequence[float]) -> list[float]:
    """Return the sums of numbers and weighted others."""
    return [old + weight * new for old, new in zip(total, more, strict=True)]


class Quality:
    """What the parts of a clip so far say of it.

    Parameters
    ----------
    spec : SpectrogramSpec
        How its spectrograms are made.
    """

    def __init__(self, spec: SpectrogramSpec) -> None:
        self._spec = spec
        self._measurable = can_measure(spec)
        # Plain numbers: arrays of six or two take longer to make than to add.
        self._total = [0.0] * len(Measures._fields)
        self._frames = 0
        self._peaks = [0.0] * len(Peaks._fields)
        self._peaks_s = 0.0
        self._seen: tuple[str, ...] = ()

    def add(self, part: ClipFeatures) -> None:
        """Hear a part of the clip: the windows that `emotool.features` has made of it."""
        self._seen = part.flags
        if not self._measurable:
            return
        if part.peaks is not None:
            self._peaks = _plus(self._peaks, part.duration_s, part.peaks)
            self._peaks_s += part.duration_s
        spec = self._spec
        for window, start, end in zip(part.log_mels, part.starts_s, part.ends_s, strict=True):
            frames = min(spec.frames, round((end - start) * spec.sample_rate) // spec.hop_length)
            if frames >= 2:
                self._total = _plus(self._total, frames, measure(window[:, :frames]))
                self._frames += frames

    @property
    def seconds(self) -> float:
        """Sound that was measured; what windows share counts in each of them."""
        return self._frames * self._spec.hop_length / self._spec.sample_rate

    @property
    def measures(self) -> Measures | None:
        """Means over the windows, by their length; None without any."""
        if not self._frames:
            return None
        return Measures(*(each / self._frames for each in self._total))

    @property
    def peaks(self) -> Peaks:
        """Means over the parts, by their length; zeros without any."""
        return Peaks(*(each / max(self._peaks_s, 1e-9) for each in self._peaks))

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags that hold so far, those that its parts came with first."""
        measures = self.measures
        if measures is None:
            return self._seen
        found = flags_of(measures, self.peaks, self._spec.n_mels, self.seconds)
        return tuple(dict.fromkeys(self._seen + found))
