"""Sounds that are no speech: noises, hum, knocks, birds and music, made from formulas.

Each takes a number of samples and a generator with a seed, and returns that many at `RATE`.
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "COLOURS",
    "RATE",
    "Samples",
    "a_tone",
    "band",
    "chirps",
    "chords",
    "coloured",
    "hum",
    "knocks",
    "melody",
    "swelling",
]

Samples: TypeAlias = npt.NDArray[np.float64]

RATE: Final = 16_000
"""Sample rate (Hz) of all sounds."""

COLOURS: Final = {"white": 0.0, "pink": 1.0, "brown": 2.0}
"""Noises, by how their power falls with frequency: ``f ** -slope``."""


def coloured(count: int, slope: float, rng: np.random.Generator) -> Samples:
    """Return Gaussian noise whose power falls as ``f ** -slope`` above 20 Hz, deviation 1."""
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    spectrum = np.fft.rfft(rng.normal(size=count)) * np.maximum(hertz, 20.0) ** (-slope / 2)
    samples = np.fft.irfft(spectrum, count)
    return samples / max(float(samples.std()), 1e-12)


def hum(count: int, rng: np.random.Generator) -> Samples:
    """Return mains hum: 50 or 60 Hz and its harmonics, falling by 6 dB an octave or so."""
    time = np.arange(count) / RATE
    base = rng.choice([50.0, 60.0]) * (1 + rng.normal(0, 0.002))
    wave = np.zeros(count)
    for harmonic in range(1, 12):
        gain = rng.uniform(0.3, 1.0) / harmonic
        wave += gain * np.sin(2 * np.pi * harmonic * base * time + rng.uniform(0, 2 * np.pi))
    return wave


def swelling(count: int, rng: np.random.Generator) -> Samples:
    """Return pink noise that swells and fades like wind or traffic."""
    slow = coloured(count, 0.0, rng)
    spectrum = np.fft.rfft(slow)
    spectrum[np.fft.rfftfreq(count, 1 / RATE) > 1.0] = 0
    slow = np.fft.irfft(spectrum, count)
    slow /= max(float(slow.std()), 1e-12)
    return coloured(count, 1.0, rng) * 10 ** (6 * slow / 20)


def a_tone(count: int, rng: np.random.Generator) -> Samples:
    """Return a steady tone with two harmonics, as of a machine or a dial tone."""
    time = np.arange(count) / RATE
    hertz = rng.uniform(100, 1_500)
    return sum(
        (rng.uniform(0.2, 1) / k * np.sin(2 * np.pi * k * hertz * time) for k in (1, 2, 3)),
        np.zeros(count),
    ) + 0.001 * rng.normal(size=count)


def knocks(count: int, rng: np.random.Generator) -> Samples:
    """Return knocks: bursts of noise that die away in some 50 ms, in a quiet room."""
    wave = 0.003 * coloured(count, 1.0, rng)
    place, gap = rng.uniform(0, 0.3), rng.uniform(1 / 6, 1.0)
    while place * RATE < count - 1:
        start = int(place * RATE)
        length = min(int(0.4 * RATE), count - start)
        decay = np.exp(-np.arange(length) / RATE / rng.uniform(0.01, 0.06))
        wave[start : start + length] += rng.uniform(0.3, 1) * decay * coloured(length, 1.0, rng) / 3
        place += gap * rng.uniform(0.6, 1.4)
    return wave


def chirps(count: int, rng: np.random.Generator) -> Samples:
    """Return birds: short whistles that glide between 2 and 6 kHz, over quiet pink noise."""
    wave = 0.01 * coloured(count, 1.0, rng)
    place = rng.uniform(0, 0.2)
    while place * RATE < count - 1:
        start = int(place * RATE)
        seconds = rng.uniform(0.05, 0.25)
        length = min(int(seconds * RATE), count - start)
        glide = np.linspace(rng.uniform(2_000, 6_000), rng.uniform(2_000, 6_000), length)
        wave[start : start + length] += (
            rng.uniform(0.3, 1) * np.hanning(length) * np.sin(2 * np.pi * np.cumsum(glide) / RATE)
        )
        place += seconds + rng.uniform(0.03, 0.4)
    return wave


def note(midi: float, seconds: float, rng: np.random.Generator, plucked: bool) -> Samples:
    """Return a note of a made-up instrument: harmonics that die away or are held."""
    time = np.arange(int(seconds * RATE)) / RATE
    hertz = 440 * 2 ** ((midi - 69) / 12)
    wave = np.zeros(time.size)
    for harmonic in range(1, 13):
        if harmonic * hertz > 7_500:
            break
        fall = np.exp(-time * harmonic * 1.5) if plucked else 1.0
        wave += (
            fall
            * np.sin(2 * np.pi * harmonic * hertz * time + rng.uniform(0, 6.28))
            / harmonic**1.3
        )
    attack = np.minimum(1, time / (0.005 if plucked else 0.05))
    wave *= attack
    wave *= np.minimum(1, (time[-1] - time) / 0.03)
    return wave


def _scale(rng: np.random.Generator) -> npt.NDArray[np.int64]:
    steps = [0, 2, 4, 5, 7, 9, 11] if rng.random() < 0.5 else [0, 2, 3, 5, 7, 8, 10]
    return 48 + rng.integers(12) + np.array(steps)


def chords(count: int, rng: np.random.Generator) -> Samples:
    """Return triads of a scale, one every half to one and a half seconds."""
    scale, wave = _scale(rng), np.zeros(count)
    plucked, step = bool(rng.random() < 0.5), rng.uniform(0.5, 1.5)
    for start in range(0, count, int(step * RATE)):
        root = rng.integers(7)
        for third in (0, 2, 4):
            place = root + third
            sound = note(scale[place % 7] + 12 * (place // 7), step * 1.05, rng, plucked)
            sound = sound[: count - start]
            wave[start : start + sound.size] += sound
    return wave + 0.002 * rng.normal(size=count)


def melody(count: int, rng: np.random.Generator) -> Samples:
    """Return single notes of a scale, two to eight a second."""
    scale, wave = _scale(rng) + 12, np.zeros(count)
    plucked, beat = bool(rng.random() < 0.5), rng.uniform(0.12, 0.3)
    place, start = int(rng.integers(7)), 0
    while start < count:
        seconds = beat * rng.choice([1, 1, 2])
        place = int(np.clip(place + rng.integers(-2, 3), 0, 13))
        sound = note(scale[place % 7] + 12 * (place // 7), seconds * 1.1, rng, plucked)[
            : count - start
        ]
        wave[start : start + sound.size] += sound
        start += int(seconds * RATE)
    return wave + 0.002 * rng.normal(size=count)


def band(count: int, rng: np.random.Generator) -> Samples:
    """Return chords, a melody, a bass and drums together."""
    wave = 0.5 * chords(count, rng) + 0.7 * melody(count, rng)
    beat = int(rng.uniform(0.22, 0.35) * RATE)
    scale = _scale(rng) - 12
    for number, start in enumerate(range(0, count, beat)):
        length = min(int(0.2 * RATE), count - start)
        decay = np.exp(-np.arange(length) / RATE / (0.05 if number % 2 else 0.02))
        drum = coloured(length, 0.0 if number % 2 else 2.0, rng) if length > 1 else np.zeros(length)
        wave[start : start + length] += 0.5 * decay * drum
        sound = note(scale[number // 4 % 7], 1.1 * beat / RATE, rng, True)[: count - start]
        wave[start : start + sound.size] += sound
    return wave
