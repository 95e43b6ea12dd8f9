"""From files to arrays."""

from pathlib import Path

import numpy as np
import pytest

from emotool.features.extraction import extract
from emotool.features.spec import SpectrogramSpec
from emotool_training.augmentation.settings import Variants
from emotool_training.features.clip_arrays import clip_image, compute
from tests.synthesis import tone, vowel, write_clip

SPEC = SpectrogramSpec(window_seconds=1.0)
ITSELF = (0, Variants())


def test_windows_are_those_that_classify_sees(tmp_path: Path) -> None:
    """Bit for bit."""
    path = write_clip(tmp_path / "a.wav", vowel(seconds=1.8))
    outcome = compute(path, "windows", SPEC, ITSELF)
    assert outcome.status == "ok"
    assert np.array_equal(outcome.array, extract(path, SPEC).windows)
    assert outcome.array.shape == (2, SPEC.n_mels, SPEC.frames)


def test_an_image_is_the_whole_trimmed_clip_without_floor(tmp_path: Path) -> None:
    """Its beginning, floored, is the first window; it is as long as the sound."""
    silence = np.zeros(8000, np.float32)
    samples = np.concatenate([silence, vowel(seconds=1.8), silence])
    path = write_clip(tmp_path / "a.wav", samples)
    image = clip_image(path, SPEC, ITSELF)
    assert image.dtype == np.float16
    assert image.shape[1] == pytest.approx(1.8 * 16000 / 256, abs=8)
    window = extract(path, SPEC).windows[0]
    # The window's last frames hear its end as silence where the image hears what follows.
    start = np.maximum(image[:, :60], window.max() - SPEC.top_db)
    assert np.abs(start - window[:, :60]).max() < 0.04


def test_only_the_first_minute_of_a_long_clip_is_trained_on(tmp_path: Path) -> None:
    """Memory stays bounded whatever lies in a folder of clips."""
    path = write_clip(tmp_path / "long.flac", tone(440.0, seconds=70.0))
    image = compute(path, "image", SPEC, ITSELF).array
    assert image.shape[1] == pytest.approx(60 * 16000 / 256, abs=6)


@pytest.mark.parametrize("form", ["windows", "image"])
def test_what_cannot_be_used_says_why(tmp_path: Path, form: str) -> None:
    """Silence, a snippet, and a file that is no audio."""
    silent = write_clip(tmp_path / "silent.wav", np.zeros(16000, np.float32))
    short = write_clip(tmp_path / "short.wav", tone(440.0, seconds=0.05))
    bad = tmp_path / "bad.wav"
    bad.write_text("not audio")
    outcomes = [compute(path, form, SPEC, ITSELF) for path in (silent, short, bad)]  # type: ignore[arg-type]
    assert [outcome.status for outcome in outcomes] == ["silent", "too_short", "failed"]
    assert outcomes[2].reason


def test_training_gets_clips_without_offset_and_without_cancelling(tmp_path: Path) -> None:
    """As classification does: what models are fed is the same sound."""
    samples = vowel(seconds=1.8)
    samples -= samples.mean()
    clip = write_clip(tmp_path / "a.wav", samples, subtype="FLOAT")
    faulty = np.stack([samples + np.float32(0.1), -samples / 2], axis=1)
    path = write_clip(tmp_path / "b.wav", faulty, subtype="FLOAT")
    image = clip_image(clip, SPEC, ITSELF)
    loud = image > image.max() - 60
    assert np.abs(clip_image(path, SPEC, ITSELF) - image)[loud].max() < 0.1
    windows = compute(path, "windows", SPEC, ITSELF).array
    assert np.abs(windows - extract(clip, SPEC).windows).max() < 0.1
