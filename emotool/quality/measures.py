"""Measures of a window's spectrogram that separate clean speech from other sounds.

Measures are of the log-mel spectrogram that a model is given, so they cost little more than it.
What they say of a clip is for `emotool.quality.flags` to decide.
"""

import math
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.features.mel_scale import mel_filterbank
from emotool.features.spec import SpectrogramSpec
from emotool.features.waveform_spec import InputSpec, WaveformSpec

__all__ = ["Measures", "can_measure", "measure", "spec_to_measure"]

Floats: TypeAlias = npt.NDArray[np.float32]

_BANDS: Final = 64  # mel bands that finer spectrograms are brought to
_GROUPS: Final = 16  # of neighbouring bands
_QUIET, _LOUD = 0.10, 0.95  # shares of frames that are no louder than what counts as either
_ROUGH: Final = 0.90  # share of frames with less texture than what counts
_SPEC: Final = SpectrogramSpec()
_SHORTEST_S: Final = 1.0  # of windows by another specification
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
    the same sound would measure otherwise, so it is not measured.

    Examples
    --------
    >>> can_measure(SpectrogramSpec(n_mels=64)), can_measure(SpectrogramSpec(n_mels=40))
    (True, False)
    """
    same = all(getattr(spec, name) == getattr(_SPEC, name) for name in _MEASURABLE)
    return same and spec.n_mels in (_BANDS, 2 * _BANDS) and spec.top_db >= _SPEC.top_db


def spec_to_measure(spec: InputSpec) -> SpectrogramSpec | None:
    """Return the specification by which windows of ``spec`` are judged.

    Returns
    -------
    SpectrogramSpec or None
        ``spec`` itself where it can be measured; else the default one with windows of the same
        length; None where the sample rates differ, or windows are shorter than a second, on
        which no limit was chosen.

    Examples
    --------
    >>> whisper = SpectrogramSpec(n_fft=400, hop_length=160, n_mels=80)
    >>> spec_to_measure(whisper) == SpectrogramSpec(n_mels=64)
    True
    >>> spec_to_measure(WaveformSpec(window_seconds=10.0)).window_seconds
    10.0
    >>> spec_to_measure(SpectrogramSpec(sample_rate=22_050)) is None
    True
    """
    if not isinstance(spec, WaveformSpec) and can_measure(spec):
        return spec
    if spec.sample_rate != _SPEC.sample_rate or spec.window_seconds < _SHORTEST_S:
        return None
    return replace(_SPEC, n_mels=_BANDS, window_seconds=spec.window_seconds)


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
