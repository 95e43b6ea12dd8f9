"""The linear head of a model file, and statistics of recordings."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from emotool.errors import ModelError
from emotool.model.classifier import load_classifier
from emotool.model.linear_head import Moments, read_linear_head
from emotool.model.metadata import golden_input
from tests.emotool.tiny_models import tiny_model


def shipped(root: Path, name: str) -> bytes:
    """Return a shipped model's bytes."""
    return (root / "exported" / f"{name}.onnx").read_bytes()


def test_the_head_gives_the_models_own_answers(root: Path) -> None:
    """Logits from embeddings alone are those of the graph."""
    classifier = load_classifier(root / "exported" / "whisper6.onnx", device="cpu")
    head = read_linear_head(shipped(root, "whisper6"))
    assert head is not None
    spec = classifier.metadata.input
    noise = np.concatenate([golden_input(seed, spec) for seed in range(3)])  # [3, n_mels, frames]
    found = classifier.run(noise, ("logits", "embedding"))
    logits = head.logits(found["embedding"]) / classifier.metadata.temperature
    assert np.abs(logits - found["logits"]).max() < 1e-4


def test_a_model_of_another_kind_has_none() -> None:
    """A network that does not standardise its embedding stores no statistics."""
    assert read_linear_head(tiny_model().SerializeToString()) is None


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("domain_mean", np.zeros(3, np.float32)),
        ("domain_deviation", np.zeros(2048, np.float32)),
        ("head_bias", np.full(6, np.nan, np.float32)),
        ("head_bias", np.zeros(6, np.float64)),
    ],
)
def test_a_damaged_head_is_refused(root: Path, name: str, values: np.ndarray) -> None:
    """Shapes that differ, deviations of 0, NaN and other types are errors."""
    model = onnx.load_from_string(shipped(root, "whisper6"))
    (tensor,) = [one for one in model.graph.initializer if one.name == name]
    tensor.CopyFrom(numpy_helper.from_array(values, name))
    with pytest.raises(ModelError):
        read_linear_head(model.SerializeToString())


def test_statistics_are_half_the_recordings_own() -> None:
    """Each clip weighs the same however many windows it has."""
    random = np.random.default_rng(0)
    clips = [random.normal(3.0, 2.0, (count, 4)).astype(np.float32) for count in (1, 5, 2) * 200]
    moments = Moments(4)
    for clip in clips:
        moments.add(clip)
    own = moments.statistics()
    assert own.clips == 600
    assert np.abs(own.shift - 1.5).max() < 0.2  # half of 3
    assert np.abs(own.stretch - 1.5).max() < 0.1  # half of 1 and half of 2
    apart = own.apply(np.concatenate(clips))
    assert np.allclose(apart * own.stretch + own.shift, np.concatenate(clips))
