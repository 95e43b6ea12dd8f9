"""Altered copies of clips."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("librosa", reason="needs the train extra")

from emotool.features.spec import SpectrogramSpec
from emotool_training.augmentation.settings import Variants
from emotool_training.augmentation.waveform import altered, in_room
from emotool_training.features.clip_arrays import compute
from tests.synthesis import tone, vowel, write_clip

RATE = 16_000


def peak(samples: np.ndarray) -> float:
    """Frequency of the loudest partial, Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(spectrum.argmax() * RATE / samples.size)


@pytest.mark.slow
def test_pitch_moves_and_tempo_stays() -> None:
    """Within the semitones allowed."""
    variants = Variants(count=1, pitch_semitones=2.0, speed=0.0, reverb_probability=0.0)
    copies = [altered(tone(440.0), RATE, number, variants) for number in (1, 2, 3)]
    pitches = [peak(copy) for copy in copies]
    assert len({round(pitch) for pitch in pitches}) == 3
    assert all(440 / 1.13 < pitch < 440 * 1.13 for pitch in pitches)
    assert {copy.size for copy in copies} == {RATE}


def test_tempo_changes_and_pitch_stays() -> None:
    """Within the share allowed."""
    variants = Variants(count=1, pitch_semitones=0.0, speed=0.2, reverb_probability=0.0)
    copies = [altered(tone(440.0), RATE, number, variants) for number in (1, 2, 3)]
    assert len({copy.size for copy in copies}) == 3
    assert all(RATE / 1.21 < copy.size < RATE * 1.21 for copy in copies)
    assert all(peak(copy) == pytest.approx(440, abs=2) for copy in copies)


def test_a_room_rings_on() -> None:
    """The sound comes first, then a decaying tail of about the time asked for."""
    click = np.zeros(RATE, np.float32)
    click[0] = 1.0
    wet = in_room(click, RATE, 0.4, np.random.default_rng(0))
    assert wet.size == RATE + round(0.4 * RATE) - 1
    assert wet[0] == pytest.approx(1.0, abs=1e-4)
    energy = np.square(wet[1:6399]).reshape(-1, 457).mean(1)  # 14 stretches of 29 ms
    fall = 10 * np.log10(energy[0] / energy[-1])
    assert 50 < fall < 60


def test_a_copy_depends_on_nothing_but_the_sound_and_its_number(tmp_path: Path) -> None:
    """The cache can be thrown away and comes back the same; two clips draw differently."""
    variants = Variants(count=2, reverb_probability=1.0)
    first = write_clip(tmp_path / "a.wav", vowel(seconds=0.6))
    again = write_clip(tmp_path / "b.wav", vowel(seconds=0.6))
    other = write_clip(tmp_path / "c.wav", vowel(pitch=150, seconds=0.6))
    spec = SpectrogramSpec(window_seconds=1.0)
    images = [compute(path, "image", spec, (1, variants)).array for path in (first, again, other)]
    assert np.array_equal(images[0], images[1])
    assert images[0].shape != images[2].shape
    second = compute(first, "image", spec, (2, variants)).array
    assert second.shape != images[0].shape
