"""Augment spectrograms: vocal tract, microphone, room and noise.

Cheap enough to be drawn for every window of every epoch. All functions take f32 [n_mels, frames]
in dB and return the same.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline
from scipy.signal import lfilter

from emotool.features.mel_scale import hz_to_mel, mel_edges, mel_to_hz
from emotool.features.spec import SpectrogramSpec

__all__ = ["add_noise", "colour", "resonate", "warp_mels"]

Floats = npt.NDArray[np.float32]
DB = np.float32(np.log(10.0) / 10.0)
"""Decibels to natural logarithms of power."""

KNOTS = 6
"""Points between which a microphone's response is smooth."""


def warp_mels(window: Floats, spec: SpectrogramSpec, factor: float) -> Floats:
    """Move every frequency by a factor, as a shorter or longer vocal tract and pitch do.

    Vocal tract length perturbation (Jaitly and Hinton 2013) with one factor for all
    frequencies, harmonics included.

    Parameters
    ----------
    window : ndarray of float32, shape (n_mels, frames)
        dB.
    spec : SpectrogramSpec
    factor : float
        What is at ``factor * f`` comes to ``f``.
    """
    mels = mel_edges(spec)[1:-1]  # [n_mels], centres of bands
    step = mels[1] - mels[0]
    place = (hz_to_mel(mel_to_hz(mels) * factor) - mels[0]) / step  # [n_mels], fractions of bands
    place = np.clip(place, 0, spec.n_mels - 1.001)
    below = place.astype(np.int64)
    share = (place - below).astype(np.float32)[:, None]  # [n_mels, 1]
    return np.asarray(window[below] * (1 - share) + window[below + 1] * share, np.float32)


def colour(window: Floats, tilt_db: float, knots_db: npt.NDArray[np.float64]) -> Floats:
    """Filter the spectrum smoothly, as a microphone or vocal effort does.

    Parameters
    ----------
    window : ndarray of float32, shape (n_mels, frames)
        dB.
    tilt_db : float
        Rise from the lowest mel to the highest.
    knots_db : ndarray of float64, shape (KNOTS,)
        Gains at points spread evenly over the mels, joined by a cubic spline.
    """
    n_mels = window.shape[0]
    curve = _spline(n_mels) @ knots_db + tilt_db * np.linspace(-0.5, 0.5, n_mels)  # [n_mels]
    return window + curve.astype(np.float32)[:, None]


def resonate(window: Floats, spec: SpectrogramSpec, seconds: float, level: float) -> Floats:
    """Add a room's reverberation: each frame's power fades over those that follow.

    Parameters
    ----------
    window : ndarray of float32, shape (n_mels, frames)
        dB.
    spec : SpectrogramSpec
    seconds : float
        Time in which the power falls by 60 dB.
    level : float
        Power of the reverberation of a steady sound, relative to the sound.
    """
    keep = 10.0 ** (-6.0 * spec.hop_length / spec.sample_rate / seconds)
    power = np.exp(window * DB)  # [n_mels, frames]
    room = lfilter(*np.array([[0, 1 - keep], [1, -keep]], np.float32), power, axis=1)
    return np.asarray(np.log(power + np.float32(level) * room + np.float32(1e-10)) / DB, np.float32)


def add_noise(
    window: Floats, level_db: float, tilt_db: float, random: np.random.Generator
) -> Floats:
    """Add steady noise in power, as sounds add.

    Parameters
    ----------
    window : ndarray of float32, shape (n_mels, frames)
        dB.
    level_db : float
        Of the noise in the middle mel.
    tilt_db : float
        Rise from the lowest mel to the highest.
    random : numpy.random.Generator
        For the noise's fluctuation from frame to frame, of 2 dB.
    """
    centre = level_db + tilt_db * np.linspace(-0.5, 0.5, window.shape[0])  # [n_mels]
    noise = centre.astype(np.float32)[:, None] + 2 * random.standard_normal(
        window.shape, dtype=np.float32
    )
    return np.asarray(np.log(np.exp(window * DB) + np.exp(noise * DB)) / DB, np.float32)


@lru_cache
def _spline(n_mels: int) -> npt.NDArray[np.float64]:
    """Matrix from knots to mels, [n_mels, KNOTS]; a spline is linear in its knots."""
    curve = CubicSpline(np.linspace(0, 1, KNOTS), np.eye(KNOTS))
    return np.asarray(curve(np.linspace(0, 1, n_mels)))
