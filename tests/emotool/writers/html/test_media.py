"""A clip's sound and pictures."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotool.model.classifier import Classifier, load_classifier
from emotool.writers.html.media import clip_media
from tests.emotool.tiny_models import SMALL_SPEC, tiny_metadata, write_tiny_model
from tests.synthesis import noise, tone, vowel, write_clip


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Load a tiny model."""
    return load_classifier(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


def test_sound_is_the_clips(tmp_path: Path, classifier: Classifier) -> None:
    """A tone comes back as that tone, as long as it was, at 16 kHz and mono."""
    both = np.stack([tone(1_000, 2, 44_100)] * 2, axis=1)
    path = write_clip(tmp_path / "a.wav", both, 44_100)
    media = clip_media(str(path), classifier)
    samples, rate = soundfile.read(io.BytesIO(media.parts["sound"]))
    assert (rate, samples.ndim) == (16_000, 1)
    assert samples.size / rate == pytest.approx(2, abs=0.15)  # an MP3 has whole frames
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) * rate / samples.size == pytest.approx(1_000, abs=5)
    assert media.about["seconds"] == 2


def test_three_seconds_are_small(tmp_path: Path, classifier: Classifier) -> None:
    """Sound and pictures of a usual clip take some tens of kilobytes, also where it is noise."""
    path = write_clip(tmp_path / "a.wav", noise(3))
    assert sum(map(len, clip_media(str(path), classifier).parts.values())) < 60_000


def test_windows_are_told_where_there_are_several(tmp_path: Path, classifier: Classifier) -> None:
    """One window says no more than the clip's row does."""
    short = write_clip(tmp_path / "short.wav", vowel(seconds=0.4))
    long = write_clip(tmp_path / "long.wav", vowel(seconds=1.4))
    assert clip_media(str(short), classifier).about["windows"] == []
    windows = clip_media(str(long), classifier).about["windows"]
    assert len(windows) > 1
    assert all(sum(each[1:]) == pytest.approx(1, abs=1e-3) for each in windows)


def test_same_clip_is_the_same_bytes(tmp_path: Path, classifier: Classifier) -> None:
    """Reports can be compared byte by byte: encoders put no date and no chance in."""
    path = str(write_clip(tmp_path / "a.wav", vowel()))
    assert clip_media(path, classifier) == clip_media(path, classifier)


def test_silence_can_be_heard_and_seen(tmp_path: Path, classifier: Classifier) -> None:
    """A clip without a label has sound and spectrogram, and no evidence."""
    path = write_clip(tmp_path / "a.wav", np.zeros(16_000, np.float32))
    media = clip_media(str(path), classifier)
    assert media.parts.keys() == {"sound", "spectrogram"}
    assert media.about["evidence"] is False


def test_clip_of_no_samples_costs_nothing(tmp_path: Path, classifier: Classifier) -> None:
    """An empty recording is a row like any other."""
    path = write_clip(tmp_path / "a.wav", np.zeros(1, np.float32))
    assert "sound" in clip_media(str(path), classifier).parts


def test_clip_that_has_gone_says_so(tmp_path: Path, classifier: Classifier) -> None:
    """A file that vanished during the run keeps its row; the page says why it is mute."""
    media = clip_media(str(tmp_path / "gone.wav"), classifier)
    assert media.parts == {}
    assert "open" in media.about["error"]


@pytest.mark.parametrize("loudness", [2.0, 1e4, 1e8])
def test_clip_beyond_full_scale_is_heard_clipped(
    tmp_path: Path, classifier: Classifier, loudness: float
) -> None:
    """Files of floats may hold any numbers: the encoder would end the whole run at such."""
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(500).astype(np.float64) * loudness, 16_000, subtype="FLOAT")
    samples, rate = soundfile.read(io.BytesIO(clip_media(str(path), classifier).parts["sound"]))
    assert np.abs(samples).max() < 1.5
    assert np.sqrt(np.mean(samples[2_000:14_000] ** 2)) > 0.6  # a full tone's, or more
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) * rate / samples.size == pytest.approx(500, abs=5)


def test_rate_that_mp3_lacks_is_brought_to_one_it_has(tmp_path: Path) -> None:
    """A model at 20 kHz can have a report too."""
    from dataclasses import replace

    spec = replace(SMALL_SPEC, sample_rate=20_000)
    model = write_tiny_model(tmp_path / "odd.onnx", tiny_metadata(spec=spec))
    path = write_clip(tmp_path / "a.wav", tone(500))
    media = clip_media(str(path), load_classifier(model))
    samples, rate = soundfile.read(io.BytesIO(media.parts["sound"]))
    assert rate == 16_000
    assert samples.size / rate == pytest.approx(1, abs=0.15)
