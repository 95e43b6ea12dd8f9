"""Slaney's mel scale, and the filters that turn a spectrum into its bands."""

from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.features.spec import SpectrogramSpec

__all__ = ["hz_to_mel", "mel_edges", "mel_filterbank", "mel_to_hz"]

Floats: TypeAlias = npt.NDArray[np.float32]

# Slaney's mel scale (Slaney 1998, Auditory Toolbox, Interval Research report 1998-010):
# linear below 1 kHz, 200/3 Hz per mel; logarithmic above, 27 mels per factor of 6.4.
_LINEAR_HZ_PER_MEL = 200.0 / 3
_LOG_START_HZ = 1_000.0
_LOG_START_MEL = _LOG_START_HZ / _LINEAR_HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0


def hz_to_mel(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Convert frequencies from hertz to Slaney's mel scale.

    Examples
    --------
    >>> hz_to_mel([0, 500, 1000, 6400]).round(6).tolist()
    [0.0, 7.5, 15.0, 42.0]
    """
    hertz = np.asarray(hertz, np.float64)
    above = _LOG_START_MEL + np.log(np.maximum(hertz, _LOG_START_HZ) / _LOG_START_HZ) / _LOG_STEP
    return np.where(hertz < _LOG_START_HZ, hertz / _LINEAR_HZ_PER_MEL, above)


def mel_to_hz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Convert frequencies from Slaney's mel scale to hertz."""
    logarithmic = _LOG_START_HZ * np.exp(_LOG_STEP * (mels - _LOG_START_MEL))
    return np.where(mels < _LOG_START_MEL, mels * _LINEAR_HZ_PER_MEL, logarithmic)


def mel_edges(spec: SpectrogramSpec) -> npt.NDArray[np.float64]:
    """Return where the bands begin and end, float64 ``[n_mels + 2]``, evenly spaced mels."""
    low, high = hz_to_mel([spec.f_min, spec.f_max]).tolist()
    return np.linspace(low, high, spec.n_mels + 2)


@lru_cache(maxsize=8)
def mel_filterbank(spec: SpectrogramSpec) -> Floats:
    """Return the triangular filters that turn a power spectrum into mel bands.

    Each triangle has the area of Slaney's normalisation: 2 / (its width in Hz).

    Parameters
    ----------
    spec : SpectrogramSpec
        Its ``sample_rate``, ``n_fft``, ``n_mels``, ``f_min`` and ``f_max`` are used.

    Returns
    -------
    numpy.ndarray
        float32 ``[n_mels, 1 + n_fft // 2]``, read-only. A band narrower than the distance
        of two bins may be empty.
    """
    edges = mel_to_hz(mel_edges(spec))  # [n_mels + 2] Hz
    bins = np.fft.rfftfreq(spec.n_fft, 1.0 / spec.sample_rate)  # [1 + n_fft // 2] Hz
    widths = np.diff(edges)
    ramps = edges[:, None] - bins  # [n_mels + 2, bins]
    rising = -ramps[:-2] / widths[:-1, None]  # [n_mels, bins]
    falling = ramps[2:] / widths[1:, None]  # [n_mels, bins]
    filters = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    filters *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    filters.flags.writeable = False
    return filters
