"""What a model heard, laid out on the clip's own time."""

from pathlib import Path

import numpy as np
import pytest

from emotool.errors import AudioError
from emotool.explain.explanation import explain, frequency_heights
from emotool.features.extraction import extract
from emotool.features.spec import SpectrogramSpec
from emotool.model.classifier import Classifier, load_classifier
from tests.emotool.tiny_models import SMALL_SPEC, write_tiny_model
from tests.synthesis import noise, tone, vowel, write_clip


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Load a tiny model; its evidence is wherever the spectrogram is above 0 dB."""
    return load_classifier(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


def test_probabilities_are_those_that_classify_means(
    tmp_path: Path, classifier: Classifier
) -> None:
    """The windows are the very ones the clip is labelled by."""
    path = write_clip(tmp_path / "a.wav", vowel(seconds=1.7))
    features = extract(path, classifier.spec)
    heard = explain(path, classifier)
    assert heard.starts_s == features.starts_s
    np.testing.assert_array_equal(heard.probabilities, classifier.predict(features.windows))


def test_evidence_lies_where_the_sound_is(tmp_path: Path, classifier: Classifier) -> None:
    """A tone late in a clip, before and after silence, has its evidence there and at its pitch."""
    samples = np.zeros(32_000, np.float32)
    samples[16_000:24_000] = tone(2_000, 0.5, amplitude=0.9)
    heard = explain(write_clip(tmp_path / "a.wav", samples), classifier)
    assert heard.seconds == 2
    assert heard.evidence is not None
    assert heard.evidence.max() == 1
    height, columns = heard.evidence.shape
    row, column = np.unravel_index(heard.evidence.argmax(), heard.evidence.shape)
    assert 1.0 <= 2 * (column + 0.5) / columns <= 1.5
    expected = frequency_heights(SMALL_SPEC, [2_000])[0]
    assert (row + 0.5) / height == pytest.approx(expected, abs=1.5 / height)
    assert not heard.evidence[:, : int(0.9 / 2 * columns)].any()


def test_spectrogram_shows_all_of_the_clip(tmp_path: Path, classifier: Classifier) -> None:
    """Silence that is trimmed before the model listens is still on the picture."""
    samples = np.concatenate([np.zeros(16_000, np.float32), noise(1)])
    heard = explain(write_clip(tmp_path / "a.wav", samples), classifier)
    assert heard.spectrogram.shape == (SMALL_SPEC.n_mels, 1 + 32_000 // SMALL_SPEC.hop_length)
    assert heard.starts_s[0] > 0.9


def test_long_clip_is_shown_by_its_first_minute(tmp_path: Path, classifier: Classifier) -> None:
    """Hours cost no more than a minute; as in classifying, a long clip is not trimmed."""
    samples = np.concatenate([np.zeros(8_000, np.float32), vowel(seconds=70)])
    heard = explain(write_clip(tmp_path / "a.wav", samples), classifier)
    assert heard.cut
    assert heard.seconds == 60
    assert "long" in heard.features.flags
    assert heard.evidence is None or heard.evidence.shape[0] == SMALL_SPEC.n_mels


def test_silence_has_nothing_to_explain(tmp_path: Path, classifier: Classifier) -> None:
    """No windows, no evidence, but a spectrogram."""
    heard = explain(write_clip(tmp_path / "a.wav", np.zeros(16_000, np.float32)), classifier)
    assert heard.features.status == "silent"
    assert heard.probabilities.shape == (0, 2)
    assert heard.evidence is None


def test_broken_clip_is_an_audio_error(tmp_path: Path, classifier: Classifier) -> None:
    """As everywhere else."""
    (tmp_path / "a.wav").write_bytes(b"no sound")
    with pytest.raises(AudioError):
        explain(tmp_path / "a.wav", classifier)


def test_heights_rise_with_frequency_and_match_the_filters() -> None:
    """A tone's loudest band is at the height that is written beside it."""
    from emotool.features.mel import mel_power

    spec = SpectrogramSpec()
    for hertz in (300.0, 1_000.0, 3_000.0, 7_000.0):
        band = int(mel_power(tone(hertz)[None], spec)[0].sum(axis=1).argmax())
        assert frequency_heights(spec, [hertz])[0] * spec.n_mels == pytest.approx(band + 0.5, abs=1)
