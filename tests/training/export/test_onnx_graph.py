"""Conversion of Keras models to ONNX."""

from functools import cache

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from emotool.errors import TrainingError
from emotool_training.export.onnx_graph import OUTPUTS, store_half, to_onnx
from tests.tiny_keras import SPEC, noise, tiny_model

pytestmark = pytest.mark.training


@cache
def tiny_onnx(temperature: float = 1.0) -> onnx.ModelProto:
    """Convert `tiny_model` once for all tests."""
    return to_onnx(tiny_model(), temperature)


def run(proto: onnx.ModelProto, batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Run a graph on the CPU."""
    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip(OUTPUTS, session.run(list(OUTPUTS), {"log_mel": batch}), strict=True))


def test_names_and_shapes_are_our_own() -> None:
    """One input, four outputs, a free batch called batch and nothing else free."""
    graph = tiny_onnx().graph
    shapes = {
        value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.output)
    }
    assert shapes == {
        "log_mel": ["batch", 32, SPEC.frames],
        "probabilities": ["batch", 3],
        "logits": ["batch", 3],
        "embedding": ["batch", 24],
        "activation": ["batch", 7, 7],
    }
    assert [(one.domain, one.version) for one in tiny_onnx().opset_import] == [("", 17)]


def test_onnx_and_keras_agree_at_every_batch_size() -> None:
    """All outputs equal Keras's, to 1e-5 of their size, for one clip and for many."""
    for clips in (1, 2, 7):
        batch = noise(clips)
        expected = {k: np.asarray(v) for k, v in tiny_model()(batch, training=False).items()}
        given = run(tiny_onnx(), batch)
        for name, values in expected.items():
            scale = max(1.0, float(np.abs(values).max()))
            np.testing.assert_allclose(given[name] / scale, values / scale, atol=1e-5)


def test_a_clip_gets_the_same_answer_alone_and_in_company() -> None:
    """The other clips of a batch do not change a clip's answer."""
    batch = noise(8)
    together = run(tiny_onnx(), batch)["probabilities"]
    alone = np.concatenate([run(tiny_onnx(), clip[None])["probabilities"] for clip in batch])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_the_temperature_is_in_the_graph_once() -> None:
    """Logits are divided by it, probabilities are their softmax, the rest is unchanged."""
    batch = noise(2)
    plain, soft = run(tiny_onnx(), batch), run(tiny_onnx(2.5), batch)
    np.testing.assert_allclose(soft["logits"], plain["logits"] / 2.5, rtol=1e-5, atol=1e-6)
    raised = np.exp(soft["logits"])
    np.testing.assert_allclose(
        soft["probabilities"], raised / raised.sum(axis=1, keepdims=True), atol=1e-6
    )
    np.testing.assert_array_equal(soft["embedding"], plain["embedding"])


def test_half_stored_weights_give_a_smaller_file_and_nearly_the_same_answer() -> None:
    """Weights in two bytes, arithmetic in four; the original is left as it was."""
    before = tiny_onnx().SerializeToString()
    half = store_half(tiny_onnx())
    assert half.ByteSize() < 0.7 * len(before)
    assert tiny_onnx().SerializeToString() == before
    full_answer, half_answer = run(tiny_onnx(), noise(3)), run(half, noise(3))
    np.testing.assert_allclose(
        half_answer["probabilities"], full_answer["probabilities"], atol=2e-3
    )


def test_a_weight_beyond_float16_is_refused() -> None:
    """Infinite weights are an error, not a model that answers NaN."""
    proto = onnx.ModelProto()
    proto.CopyFrom(tiny_onnx())
    for tensor in proto.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.size >= 1024 and values.dtype == np.float32:
            tensor.CopyFrom(onnx.numpy_helper.from_array(values * np.float32(1e9), tensor.name))
    with pytest.raises(TrainingError, match="too large"):
        store_half(proto)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_must_be_above_zero(temperature: float) -> None:
    """Dividing by nothing, or turning the answer round, is refused."""
    with pytest.raises(TrainingError, match="temperature"):
        to_onnx(tiny_model(), temperature)
