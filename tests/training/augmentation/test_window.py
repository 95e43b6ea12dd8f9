"""What happens to a training window."""

import numpy as np
import pytest

from emotool.features.mel import log_mel, mel_power, power_to_db
from emotool.features.spec import SpectrogramSpec
from emotool.features.windowing import cut_windows
from emotool_training.augmentation import window as augment
from emotool_training.augmentation.settings import Augmentation
from tests.synthesis import vowel

SPEC = SpectrogramSpec(window_seconds=1.0)
NOTHING = Augmentation(
    shift_seconds=0.0,
    pace=0.0,
    warp=0.0,
    tilt_db=0.0,
    response_db=0.0,
    gain_db=0.0,
    room_probability=0.0,
    noise_probability=0.0,
    mel_masks=0,
    time_masks=0,
)


def image_of(seconds: float) -> np.ndarray:
    """Make an image as the cache holds it, f16 [n_mels, time]."""
    samples = np.pad(vowel(seconds=seconds), (0, SPEC.n_fft // 2))
    return power_to_db(mel_power(samples[None], SPEC), None)[0].astype(np.float16)


def random(seed: int = 0) -> np.random.Generator:
    """Return random numbers."""
    return np.random.default_rng(seed)


def test_without_augmentation_a_short_clip_gives_what_prediction_sees() -> None:
    """Cutting and flooring an image equals the features of the clip's one window."""
    expected = log_mel(cut_windows(vowel(seconds=0.7), SPEC), SPEC)[0]
    window = augment.window_of(image_of(0.7), NOTHING, SPEC, random())
    # float16 is good to 0.03 dB.
    assert np.abs(window - expected).max() < 0.04


def test_a_window_of_a_long_clip_begins_anywhere_in_it() -> None:
    """All of the window is sound, and beginnings differ."""
    starts = {augment.random_start(200, 63, 10, random(seed)) for seed in range(20)}
    assert len(starts) == 20
    assert 0 <= min(starts) < max(starts) <= 137


def test_a_short_clip_is_there_as_a_whole_after_some_silence() -> None:
    """It begins up to the shift late, and not so late that its end is cut off."""
    starts = [augment.random_start(40, 63, 10, random(seed)) for seed in range(50)]
    assert -10 <= min(starts) < -8
    assert max(starts) <= 0
    assert min(augment.random_start(60, 63, 10, random(seed)) for seed in range(50)) >= -3


def test_cutting_before_and_behind_a_clip_is_told() -> None:
    """Frames outside of the clip are marked as not sounding."""
    image = np.arange(4, dtype=np.float16)[None]
    window, sounding = augment.cut(image, -2, 8)
    assert sounding.tolist() == [False, False, True, True, True, True, False, False]
    assert window[0, 2:6].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_a_faster_pace_shortens_a_clip() -> None:
    """At twice the pace every other frame is seen."""
    window, sounding = augment.cut(np.arange(9, dtype=np.float16)[None], 0, 6, 2.0)
    assert window[0, :5].tolist() == [0, 2, 4, 6, 8]
    assert sounding.tolist() == [True] * 5 + [False]


@pytest.mark.parametrize("time", [1, 2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_a_clip_of_hardly_any_frames_gives_finite_windows(time: int, seed: int) -> None:
    """Whatever is drawn, something sounds."""
    image = np.zeros((SPEC.n_mels, time), np.float16)
    window = augment.window_of(image, Augmentation(), SPEC, random(seed))
    assert window.shape == (SPEC.n_mels, SPEC.frames)
    assert window.dtype == np.float32
    assert np.isfinite(window).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_floor_holds_whatever_is_done(seed: int) -> None:
    """No augmented window spans more dB than a window at prediction."""
    window = augment.window_of(image_of(1.5), Augmentation(), SPEC, random(seed))
    assert np.ptp(window) <= SPEC.top_db + 1e-4


def test_the_same_random_numbers_give_the_same_window() -> None:
    """And others another."""
    image = image_of(1.5)
    windows = [augment.window_of(image, Augmentation(), SPEC, random(s)) for s in (1, 1, 2)]
    assert np.array_equal(windows[0], windows[1])
    assert not np.array_equal(windows[0], windows[2])


def test_masks_are_no_wider_than_allowed() -> None:
    """One mask each leaves all but so many bands and frames untouched."""
    settings = Augmentation(mel_masks=1, time_masks=1, mel_mask_bands=8, time_mask_seconds=0.16)
    for seed in range(20):
        window = random(seed).normal(size=(SPEC.n_mels, SPEC.frames)).astype(np.float32)
        masked = augment.mask(
            window.copy(), np.ones(SPEC.frames, np.bool_), settings, random(seed), SPEC
        )
        changed = masked != window
        assert np.count_nonzero(changed.all(axis=1)) <= 8
        assert np.count_nonzero(changed.all(axis=0)) <= 10
        kept = ~changed.all(axis=1)[:, None] & ~changed.all(axis=0)[None]
        assert np.array_equal(masked[kept], window[kept])
