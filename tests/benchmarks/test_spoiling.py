"""Clips are spoilt as much as it says, and the same way every time."""

import io

import numpy as np
import pytest
import soundfile

from benchmarks.spoiling import RATE, File, Samples, coloured, level_db, spoilings
from tests.synthesis import vowel

CLIP: Samples = np.concatenate([vowel(120.0, 1.0), np.zeros(8_000), vowel(180.0, 0.7)]).astype(
    float
)
WAYS = {(way.kind, way.degree): way for way in spoilings([CLIP, 0.5 * CLIP])}
FLAGS = {"", "speechless", "clipped", "narrow_band", "noisy"}


def heard(file: File) -> tuple[Samples, int]:
    """Return what is in a file."""
    samples, rate = soundfile.read(io.BytesIO(file.content()))
    return samples, rate


def spoilt(kind: str, degree: str, seed: int = 0) -> File:
    """Spoil the clip."""
    return WAYS[kind, degree].spoil(CLIP, np.random.default_rng(seed))


@pytest.mark.parametrize(("kind", "degree"), WAYS)
def test_every_spoiling_gives_a_file_and_the_same_again(kind: str, degree: str) -> None:
    """With the same seed; about as long as the clip was, unless it was cut."""
    assert WAYS[kind, degree].flag in FLAGS
    first, again = spoilt(kind, degree), spoilt(kind, degree)
    assert first.content() == again.content()
    samples, rate = heard(first)
    assert np.isfinite(samples).all()
    if kind != "cut short":
        assert samples.size / rate == pytest.approx(CLIP.size / RATE, abs=0.2)


@pytest.mark.parametrize("snr", [20.0, 10.0, 0.0])
@pytest.mark.parametrize("kind", ["white noise", "pink noise", "brown noise", "mains hum"])
def test_noise_is_so_many_decibels_below_the_speech(kind: str, snr: float) -> None:
    """By the speech's level without its pauses."""
    samples, _ = heard(spoilt(kind, f"{snr:g} dB"))
    pause = samples[17_000:23_000]  # nothing else is heard there
    noise_db = 10 * np.log10(np.mean(pause**2))
    # The whole was turned down where it would not have fitted: compare with what is left of it.
    gain = np.dot(samples, CLIP) / np.dot(CLIP, CLIP)
    assert level_db(CLIP) + 20 * np.log10(gain) - noise_db == pytest.approx(snr, abs=2.0)


@pytest.mark.parametrize("excess", [3.0, 6.0, 12.0])
def test_the_highest_peak_is_cut_by_so_many_decibels(excess: float) -> None:
    """What lies below the cut is as it was, but for its gain."""
    samples, _ = heard(spoilt("too loud for the format", f"{excess:g} dB"))
    gain = 10 ** (excess / 20) / np.abs(CLIP).max()
    below = np.abs(CLIP * gain) < 0.99
    assert samples[below] == pytest.approx((CLIP * gain)[below], abs=1e-4)
    assert np.abs(samples[~below]).min() > 0.98


@pytest.mark.parametrize(("colour", "slope"), [("white", 0.0), ("pink", 1.0), ("brown", 2.0)])
def test_coloured_noise_falls_as_its_colour_does(colour: str, slope: float) -> None:
    """By so many times 3 dB an octave from 100 to 6,400 Hz."""
    power = np.abs(np.fft.rfft(coloured(20 * RATE, slope, np.random.default_rng(0)))) ** 2
    hertz = np.fft.rfftfreq(20 * RATE, 1 / RATE)
    low = power[(hertz > 100) & (hertz < 110)].mean()
    high = power[(hertz > 6_400) & (hertz < 7_040)].mean()
    assert 10 * np.log10(low / high) == pytest.approx(6 * 3.01 * slope, abs=1.5)


def test_a_telephone_has_no_treble() -> None:
    """A file at 8 kHz, or one whose upper half is empty."""
    assert heard(spoilt("telephone 300–3400 Hz", "µ-law"))[1] == 8_000
    samples, rate = heard(spoilt("recorded at 8 kHz", "file at 16 kHz"))
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(samples.size, 1 / rate)
    assert power[hertz > 4_300].sum() < 1e-5 * power.sum()
