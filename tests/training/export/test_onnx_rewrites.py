"""Shortcuts through a graph lead to the same answers."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from emotool_training.export.onnx_rewrites import shorten

RNG = np.random.default_rng(0)
BATCH = RNG.standard_normal((2, 6, 8, 1)).astype(np.float32)  # [batch, height, width, 1]


def model(nodes: list[onnx.NodeProto], weights: dict[str, Any], result: str) -> onnx.ModelProto:
    """Make a model that takes ``x`` [batch, 6, 8, 1]."""
    start = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 6, 8, 1])
    end = helper.make_tensor_value_info(result, TensorProto.FLOAT, list("abcd"))
    tensors = [numpy_helper.from_array(np.asarray(v), name) for name, v in weights.items()]
    graph = helper.make_graph(nodes, "g", [start], [end], tensors)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(proto)
    return proto


def pooled(
    first: str = "Relu", around: Any = (0, 0, 1, 1, 0, 0, 1, 2), mode: str = "constant", **pool: Any
) -> onnx.ModelProto:
    """Make a model that pads what an activation gives, and takes maxima."""
    return model(
        [
            helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]),
            helper.make_node(first, ["t"], ["r"]),
            helper.make_node("Pad", ["r", "pads"], ["p"], mode=mode),
            helper.make_node("MaxPool", ["p"], ["y"], kernel_shape=[3, 3], strides=[2, 2], **pool),
        ],
        {"pads": np.array(around)},
        "y",
    )


def grey(times: int = 3, gain: Any = 50.0, *, gain_first: bool = True) -> onnx.ModelProto:
    """Make a model that shows a convolution the same channel several times."""
    factors = ["gain", "s"] if gain_first else ["s", "gain"]
    return model(
        [
            helper.make_node("Unsqueeze", ["x", "axis"], ["u"]),
            helper.make_node("Tile", ["u", "repeats"], ["t"]),
            helper.make_node("Reshape", ["t", "shape"], ["s"]),
            helper.make_node("Mul", factors, ["m"]),
            helper.make_node("Transpose", ["m"], ["n"], perm=[0, 3, 1, 2]),
            helper.make_node("Conv", ["n", "kernel"], ["y"]),
        ],
        {
            "axis": np.array([4]),
            "repeats": np.array([1, 1, 1, 1, times]),
            "shape": np.array([-1, 6, 8, times]),
            "gain": np.asarray(gain, np.float32),
            "kernel": np.random.default_rng(1).standard_normal((5, times, 3, 3)).astype(np.float32),
        },
        "y",
    )


def answer(proto: onnx.ModelProto) -> np.ndarray:
    """Run a model."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    result: np.ndarray = session.run(None, {"x": BATCH})[0]
    return result


def operators(proto: onnx.ModelProto) -> list[str]:
    """Name a model's operators in their order."""
    return [node.op_type for node in proto.graph.node]


def test_a_maximum_pads_for_itself() -> None:
    """Zeros around a ReLU change no maximum, so nothing needs to be padded with them."""
    before = answer(pooled())
    short = shorten(pooled())
    assert operators(short) == ["Transpose", "Relu", "MaxPool"]
    np.testing.assert_array_equal(answer(short), before)


@pytest.mark.parametrize(
    "proto",
    [
        pooled("Tanh"),
        pooled(pads=[1, 1, 1, 1]),
        pooled(auto_pad="SAME_UPPER"),
        pooled(mode="reflect"),
        pooled(around=(0, 1, 1, 1, 0, 0, 1, 2)),
    ],
    ids=["tanh", "own", "automatic", "reflect", "channels"],
)
def test_padding_that_matters_stays(proto: onnx.ModelProto) -> None:
    """Below zero, a padded zero would be a maximum; and a pool with padding has its own."""
    before, names = answer(proto), operators(proto)
    short = shorten(proto)
    assert operators(short) == names
    np.testing.assert_array_equal(answer(short), before)


@pytest.mark.parametrize("gain_first", [True, False])
@pytest.mark.parametrize("times", [2, 3])
def test_equal_channels_become_one(times: int, gain_first: bool) -> None:
    """The kernels' sum, times the gain, sees the one channel as the kernels saw its copies."""
    before = answer(grey(times, gain_first=gain_first))
    short = shorten(grey(times, gain_first=gain_first))
    assert operators(short) == ["Transpose", "Conv"]
    np.testing.assert_allclose(answer(short), before, rtol=1e-5, atol=1e-4)
    assert {tensor.name for tensor in short.graph.initializer} == {"kernel__added"}


def test_channels_with_gains_of_their_own_stay() -> None:
    """They are no longer the same."""
    proto = grey(3, [1.0, 2.0, 3.0])
    before, names = answer(proto), operators(proto)
    short = shorten(proto)
    assert operators(short) == names
    np.testing.assert_array_equal(answer(short), before)


def test_channels_used_elsewhere_stay() -> None:
    """What another node needs is not taken away, and so the convolution takes it as well."""
    proto = grey()
    proto.graph.node.append(helper.make_node("Relu", ["s"], ["z"]))
    proto.graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, list("efgh")))
    short = shorten(proto)
    assert "Tile" in operators(short)
    (convolution,) = [node for node in short.graph.node if node.op_type == "Conv"]
    assert convolution.input[1] == "kernel"
