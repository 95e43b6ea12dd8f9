"""Sounds that are no speech are what they are called."""

import numpy as np
import pytest

from benchmarks.other_sounds import RATE, Samples, chirps, coloured, hum, knocks


def share(samples: Samples, low: float, high: float) -> float:
    """Return the share of the power that lies between two frequencies (Hz)."""
    power = np.abs(np.fft.rfft(samples * np.hanning(samples.size))) ** 2
    hertz = np.fft.rfftfreq(samples.size, 1 / RATE)
    return float(power[(hertz >= low) & (hertz <= high)].sum() / power.sum())


@pytest.mark.parametrize(("colour", "slope"), [("white", 0.0), ("pink", 1.0), ("brown", 2.0)])
def test_coloured_noise_falls_as_its_colour_does(colour: str, slope: float) -> None:
    """By so many times 3 dB an octave from 100 to 6,400 Hz."""
    power = np.abs(np.fft.rfft(coloured(20 * RATE, slope, np.random.default_rng(0)))) ** 2
    hertz = np.fft.rfftfreq(20 * RATE, 1 / RATE)
    low = power[(hertz > 100) & (hertz < 110)].mean()
    high = power[(hertz > 6_400) & (hertz < 7_040)].mean()
    assert 10 * np.log10(low / high) == pytest.approx(6 * 3.01 * slope, abs=1.5)


@pytest.mark.parametrize("seed", range(4))
def test_hum_is_the_mains(seed: int) -> None:
    """Nearly all of it lies within eleven harmonics of 50 or 60 Hz."""
    wave = hum(4 * RATE, np.random.default_rng(seed))
    near = [
        sum(share(wave, k * base * 0.99 - 1, k * base * 1.01 + 1) for k in range(1, 12))
        for base in (50.0, 60.0)
    ]
    assert max(near) > 0.99


def test_birds_whistle_above_voices() -> None:
    """Between 2 and 6 kHz."""
    assert share(chirps(4 * RATE, np.random.default_rng(0)), 1_900, 6_100) > 0.95


def test_knocks_die_away() -> None:
    """Most of the time, next to nothing is heard."""
    wave = np.abs(knocks(4 * RATE, np.random.default_rng(0)))
    assert np.median(wave) < 0.05 * wave.max()
