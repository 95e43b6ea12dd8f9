"""Changes of a model file's graph."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

pytest.importorskip("sklearn", reason="needs the adapt extra")

from emotool.errors import ModelError
from emotool.model.linear_head import Statistics, read_linear_head, with_statistics
from emotool.model.session import open_session
from emotool_training.adapting import graph

OUTPUTS = ["probabilities", "logits", "embedding", "activation"]
RANDOM = np.random.default_rng(0)


def noise(model: onnx.ModelProto) -> Any:
    """Return three windows of the model's size."""
    shape = [axis.dim_value for axis in model.graph.input[0].type.tensor_type.shape.dim][1:]
    return np.random.default_rng(1).uniform(-80, 0, (3, *shape)).astype(np.float32)


def answers(model: onnx.ModelProto) -> dict[str, Any]:
    """Check a graph and run it."""
    onnx.checker.check_model(model, full_check=True)
    session = open_session(model.SerializeToString(), "cpu", 1)
    return dict(zip(OUTPUTS, session.run(OUTPUTS, {"log_mel": noise(model)}), strict=True))


def kernel(size: int, labels: int) -> tuple[Any, Any]:
    """Return a head."""
    weights = RANDOM.normal(size=(size, labels)).astype(np.float32) / 50
    return weights, RANDOM.normal(size=labels).astype(np.float32)


@pytest.fixture
def whisper(root: Path) -> onnx.ModelProto:
    """Return a model with a linear head."""
    return onnx.load(root / "exported" / "whisper6.onnx")


def test_statistics_move_the_embedding_and_the_map(whisper: onnx.ModelProto) -> None:
    """The embedding is that of the base, standardised once more; the map sums to the margin."""
    before = answers(whisper)
    head = read_linear_head(whisper.SerializeToString())
    assert head is not None
    own = Statistics(RANDOM.normal(size=2048), RANDOM.uniform(0.5, 2, 2048), 30)
    content = with_statistics(whisper.SerializeToString(), own)
    after = answers(onnx.load_from_string(content))
    assert np.abs(own.apply(before["embedding"]) - after["embedding"]).max() < 1e-3
    stored = read_linear_head(content)
    assert stored is not None
    _check_map(after, stored.kernel, stored.bias)


@pytest.mark.parametrize("labels", [2, 3, 7])
def test_a_head_of_any_size_replaces_the_old_one(whisper: onnx.ModelProto, labels: int) -> None:
    """Logits are its product, divided by the temperature; the map is its evidence."""
    weights, bias = kernel(2048, labels)
    graph.replace_head(whisper, weights, bias)
    graph.replace_temperature(whisper, 2.0)
    graph.drop_unused(whisper)
    after = answers(whisper)
    wanted = (after["embedding"] @ weights + bias) / 2.0
    assert np.abs(wanted - after["logits"]).max() < 1e-4
    _check_map(after, weights, bias)
    graph.replace_head(whisper, *kernel(2048, 2))  # once more, with another number
    assert answers(whisper)["probabilities"].shape == (3, 2)


def _check_map(found: dict[str, Any], weights: Any, bias: Any) -> None:
    """Compare the map's sum with the margin of the predicted label over the others' mean."""
    labels = weights.shape[1]
    best = (found["embedding"] @ weights + bias).argmax(axis=1)
    signs = np.eye(labels)[best] - (1 - np.eye(labels)[best]) / (labels - 1)
    margins = ((found["embedding"] @ weights) * signs).sum(axis=1)
    assert np.allclose(found["activation"].sum(axis=(1, 2)), margins, rtol=1e-2, atol=5e-3)


@pytest.mark.parametrize("name", ["cnn6", "resnet_ft", "autoencoder"])
def test_other_networks_keep_their_logits_and_add_to_them(root: Path, name: str) -> None:
    """Any network will do, and one that was adapted before."""
    model = onnx.load(root / "exported" / f"{name}.onnx")
    before = answers(model)
    chosen = np.zeros((before["logits"].shape[1], 3), np.float32)
    chosen[0, 2] = chosen[1, 0] = 1.0
    weights, bias = kernel(before["embedding"].shape[1], 3)
    graph.add_to_logits(model, graph.Added(chosen, weights, bias), 1.5)
    after = answers(model)
    centred = before["logits"] - before["logits"].mean(axis=1, keepdims=True)
    wanted = (centred @ chosen + before["embedding"] @ weights + bias) / 1.5
    assert np.abs(wanted - after["logits"]).max() < 1e-4
    graph.add_to_logits(model, graph.Added(np.eye(3, dtype=np.float32), weights, bias), 1.0)
    graph.replace_temperature(model, 0.5)
    assert answers(model)["probabilities"].shape == (3, 3)


def test_what_is_added_to_a_window_depends_on_no_other(root: Path) -> None:
    """Logits are the same to the bit in batches of any size in which the base's are."""
    model = onnx.load(root / "exported" / "cnn6.onnx")
    size = answers(model)["embedding"].shape[1]
    graph.add_to_logits(model, graph.Added(np.eye(6, 2, dtype=np.float32), *kernel(size, 2)), 1.5)
    session = open_session(model.SerializeToString(), "cpu", 1)
    shape = noise(model).shape[1:]
    windows = np.random.default_rng(2).uniform(-80, 0, (64, *shape)).astype(np.float32)
    (whole,) = session.run(["logits"], {"log_mel": windows})
    for count in (5, 31, 33):
        parts = [windows[:count], windows[count:]]
        pieces = [session.run(["logits"], {"log_mel": part})[0] for part in parts]
        assert np.array_equal(whole, np.concatenate(pieces)), count


def test_a_temperature_changes_confidences_only(root: Path) -> None:
    """Whatever node divides by it."""
    for name in ("cnn", "whisper"):
        model = onnx.load(root / "exported" / f"{name}.onnx")
        before = answers(model)
        graph.replace_temperature(model, 100.0)
        after = answers(model)
        assert np.array_equal(before["embedding"], after["embedding"])
        assert np.array_equal(before["logits"].argmax(axis=1), after["logits"].argmax(axis=1))
        assert np.abs(after["logits"]).max() < np.abs(before["logits"]).max() / 10


def test_an_unknown_graph_is_refused(root: Path) -> None:
    """A head that is not stored by name is not replaced by name."""
    model = onnx.load(root / "exported" / "cnn.onnx")
    with pytest.raises(ModelError, match="unknown form"):
        graph.replace_head(model, *kernel(384, 2))
