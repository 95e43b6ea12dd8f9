"""The whole way from a Keras model to a file that `classify` loads."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
from onnx import numpy_helper

from emotool.errors import OutputError, TrainingError
from emotool.model.classifier import load_classifier
from emotool_training.corpora import Utterance
from emotool_training.export.export import Source, Storage, export_model
from emotool_training.export.parity import real_windows
from tests.tiny_keras import LABELS, SPEC, noise, tiny_model

pytestmark = pytest.mark.training

METRICS = {
    "new_speakers": {
        "uar": 0.91,
        "uar_low": 0.88,
        "uar_high": 0.93,
        "accuracy": 0.9,
        "confusion": [[1]],
        "per_corpus": {"tess": {"uar": 0.91, "uar_low": None, "speakers": 1}},
    }
}


@cache
def source() -> Source:
    """Return a model as if it had just been trained."""
    split = {
        "kind": "speakers",
        "comparable": True,
        "description": "by speaker",
        "digest": "abc",
        "speakers": {"train": ["tess-OAF"], "validation": ["ravdess-01"], "test": []},
        "clips": {"train": ["tess/OAF_back_sad"] * 1000},
    }
    return Source(
        name="tiny",
        architecture="cnn",
        labels=LABELS,
        spectrogram=SPEC,
        model=tiny_model(),
        split=split,
        metrics=METRICS,
        temperature=1.7,
        corpora=("ravdess", "tess"),
        notes="Trained for 3 epochs.",
        git_commit="0" * 40,
    )


@pytest.mark.parametrize("storage", ["float32", "float16", "int8"])
def test_an_exported_model_loads_and_answers_like_keras(tmp_path: Path, storage: Storage) -> None:
    """Every way of storing gives a file with metadata, golden answer and the right labels."""
    done = export_model(source(), noise(24), tmp_path / "exported", storage)
    kept = "12 of 12 windows of clips held out of training keep the label"
    assert (kept in done.metadata.notes) == (storage != "float32")
    classifier = load_classifier(done.path, device="cpu")
    logits = np.asarray(tiny_model()(noise(24), training=False)["logits"])
    raised = np.exp(logits / 1.7)
    expected = raised / raised.sum(axis=1, keepdims=True)
    tolerance = {"float32": 1e-5, "float16": 2e-3, "int8": 0.05}[storage]
    np.testing.assert_allclose(classifier.predict(noise(24)), expected, atol=tolerance)
    assert (classifier.name, classifier.labels, classifier.spec) == ("tiny", LABELS, SPEC)
    assert max(done.parity.differences.values()) <= 1e-5
    assert done.size_bytes == done.path.stat().st_size


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    """Metadata: figures without unknown bounds, split without lists of clips, licence."""
    metadata = export_model(source(), noise(4), tmp_path).metadata
    assert metadata.temperature == 1.7
    assert metadata.metric("new_speakers", "uar") == 0.91
    assert "confusion" not in metadata.metrics["new_speakers"]
    assert metadata.split["speakers"] == {"train": ["tess-OAF"], "validation": ["ravdess-01"]}
    assert metadata.split["hash"] == "abc"
    assert "clips" not in metadata.split
    assert metadata.licence.startswith("non-commercial")
    assert "Trained for 3 epochs." in metadata.notes


def test_the_card_lies_beside_the_model(tmp_path: Path) -> None:
    """NAME.md is written from the file's metadata."""
    done = export_model(source(), noise(4), tmp_path)
    assert done.card == tmp_path / "tiny.md"
    assert "# tiny" in done.card.read_text(encoding="utf-8")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.md", "tiny.onnx"]


def test_an_export_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """A model whose graph does not answer like Keras never replaces a good one."""
    old = export_model(source(), noise(4), tmp_path).path.read_bytes()
    broken = replace(source(), temperature=float("nan"))
    with pytest.raises(TrainingError):
        export_model(broken, noise(4), tmp_path)
    assert (tmp_path / "tiny.onnx").read_bytes() == old
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        export_model(source(), noise(4), tmp_path / "file")


def test_float16_is_what_the_file_holds(tmp_path: Path) -> None:
    """The card's word on how weights are stored is true."""
    proto = onnx.load(export_model(source(), noise(4), tmp_path, "float16").path)
    kinds = {numpy_helper.to_array(tensor).dtype.name for tensor in proto.graph.initializer}
    assert "float16" in kinds


def utterance(path: Path) -> Utterance:
    """Name a clip of nobody in particular."""
    return Utterance(path.stem, path, "nemo", "pl", "nemo-A", "unknown", "happy")


def test_real_windows_come_from_clips_all_over_the_list(tmp_path: Path) -> None:
    """Clips are taken evenly; unreadable ones are passed over; none at all is an error."""
    time = np.arange(SPEC.sample_rate) / SPEC.sample_rate
    clips = []
    for index in range(6):
        path = tmp_path / f"{index}.wav"
        soundfile.write(path, 0.3 * np.sin(2 * np.pi * (200 + 100 * index) * time), 16_000)
        clips.append(utterance(path))
    windows = real_windows(clips, SPEC, 3)
    assert windows.shape == (6, SPEC.n_mels, SPEC.frames)  # two windows of each of three clips
    clips[0].path.write_text("no sound")
    assert len(real_windows(clips, SPEC, 3)) == 4
    with pytest.raises(TrainingError, match="no clip was found"):
        real_windows([clips[0]], SPEC)
    with pytest.raises(TrainingError, match="no clip was found"):
        real_windows([], SPEC)
