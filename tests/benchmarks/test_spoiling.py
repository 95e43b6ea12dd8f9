"""Clips are spoilt as much as it says, and the same way every time."""

import io

import numpy as np
import pytest
import soundfile

from benchmarks.other_sounds import RATE, Samples
from benchmarks.spoiling import File, level_db, spoilings
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


def test_a_telephone_has_no_treble() -> None:
    """A file at 8 kHz, or one whose upper half is empty."""
    assert heard(spoilt("telephone 300–3400 Hz", "µ-law"))[1] == 8_000
    samples, rate = heard(spoilt("recorded at 8 kHz", "file at 16 kHz"))
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(samples.size, 1 / rate)
    assert power[hertz > 4_300].sum() < 1e-5 * power.sum()
