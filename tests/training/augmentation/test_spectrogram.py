"""What is done to a spectrogram equals what is done to sound, as near as bands allow."""

import numpy as np
import pytest

from emotool.features.mel import mel_power, power_to_db
from emotool.features.spec import SpectrogramSpec
from emotool_training.augmentation import spectrogram as alter
from tests.synthesis import tone, vowel

SPEC = SpectrogramSpec()


def decibels(samples: np.ndarray) -> np.ndarray:
    """Spectrogram without floor, f32 [n_mels, frames]."""
    return power_to_db(mel_power(samples[None], SPEC), None)[0]


@pytest.mark.parametrize("factor", [0.85, 1.2])
def test_warping_moves_a_tone_by_the_factor(factor: float) -> None:
    """What was at 2 kHz is loudest where 2 kHz / factor is, to within a band."""
    warped = alter.warp_mels(decibels(tone(2000.0)), SPEC, factor)
    expected = decibels(tone(2000.0 / factor))
    assert abs(int(warped[:, 30].argmax()) - int(expected[:, 30].argmax())) <= 1


def test_a_factor_of_one_changes_nothing() -> None:
    """Every band comes from its own place, but for the top one's interpolation."""
    window = decibels(vowel())
    assert np.allclose(alter.warp_mels(window, SPEC, 1.0), window, atol=0.2)


def test_colour_adds_a_tilt_and_a_smooth_curve() -> None:
    """The tilt is its dB from end to end; flat knots are a gain."""
    window = np.zeros((SPEC.n_mels, 3), np.float32)
    tilted = alter.colour(window, 6.0, np.zeros(alter.KNOTS))
    assert np.allclose(tilted[[0, -1]].T, [-3.0, 3.0], atol=1e-6)
    assert np.allclose(alter.colour(window, 0.0, np.full(alter.KNOTS, 2.0)), 2.0, atol=1e-5)


def test_a_room_rings_on_and_falls_by_60_db() -> None:
    """After the sound has ended, power falls by 60 dB in the reverberation time."""
    window = np.full((SPEC.n_mels, 100), -100.0, np.float32)
    window[:, :20] = 0.0
    wet = alter.resonate(window, SPEC, 0.5, 0.3)
    assert np.all(wet[:, :20] >= window[:, :20])
    frames = round(0.25 * SPEC.sample_rate / SPEC.hop_length)
    expected = 60.0 * frames * SPEC.hop_length / SPEC.sample_rate / 0.5
    assert wet[0, 25] - wet[0, 25 + frames] == pytest.approx(expected, abs=0.01)


def test_noise_adds_power() -> None:
    """Silence takes on the noise's level, a sound 30 dB above hardly changes."""
    window = np.full((SPEC.n_mels, 400), -100.0, np.float32)
    window[:, 200:] = 0.0
    noisy = alter.add_noise(window, -30.0, 0.0, np.random.default_rng(0))
    assert noisy[:, :200].mean() == pytest.approx(-30.0, abs=0.1)
    assert noisy[:, :200].std() == pytest.approx(2.0, abs=0.1)
    assert np.abs(noisy[:, 200:]).max() < 0.05
