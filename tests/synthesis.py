"""Sounds for tests, made from formulas, so that no test needs a recording."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

Samples = npt.NDArray[np.float32]

# Formants of a long "a" (Hz) and their bandwidths, after Peterson and Barney (1952),
# doi:10.1121/1.1906875.
_FORMANTS = ((730.0, 80.0), (1090.0, 90.0), (2440.0, 120.0))


def tone(
    frequency: float, seconds: float = 1.0, sample_rate: int = 16_000, amplitude: float = 0.5
) -> Samples:
    """Return a sine of ``frequency`` Hz, float32 [seconds * sample_rate]."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return (amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def noise(seconds: float = 1.0, sample_rate: int = 16_000, seed: int = 0) -> Samples:
    """Return white Gaussian noise of standard deviation 0.1, clipped to [-1, 1]."""
    values = np.random.default_rng(seed).normal(0.0, 0.1, round(seconds * sample_rate))
    return np.clip(values, -1.0, 1.0).astype(np.float32)


def vowel(
    pitch: float = 120.0, seconds: float = 1.0, sample_rate: int = 16_000, amplitude: float = 0.5
) -> Samples:
    """Return something like a voice: harmonics of ``pitch`` Hz under three formants.

    The pitch sways by 3 % five times a second and the loudness swells and fades, so that the
    spectrogram has the texture of speech without being anyone's.
    """
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.03 * np.sin(2 * np.pi * 5 * time))) / sample_rate
    wave = np.zeros_like(time)
    for harmonic in range(1, int(sample_rate / 2 / (pitch * 1.05)) + 1):
        frequency = harmonic * pitch
        gain = sum(1 / (1 + ((frequency - f) / b) ** 2) for f, b in _FORMANTS) / harmonic**0.5
        wave += gain * np.sin(harmonic * phase)
    wave *= np.sin(np.pi * np.linspace(0, 1, time.size)) ** 0.5
    return (amplitude * wave / np.abs(wave).max()).astype(np.float32)


def write_clip(path: Path, samples: Samples, sample_rate: int = 16_000, **options: str) -> Path:
    """Write float32 [n] or [n, channels] as the format of the suffix; parents are made.

    ``options`` go to :func:`soundfile.write` (``subtype``, ``format``, ``endian``).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, sample_rate, **options)
    return path
