"""Whether sums of int8 products overflow on this processor."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from emotool.model.int8_sums import PROBE, int8_sums_overflow

CPU_FLAGS = Path("/proc/cpuinfo")


def test_the_probe_is_one_product_of_the_largest_values() -> None:
    """The stored file is what this graph is written as."""
    weights = numpy_helper.from_array(np.full((64, 16), 127, np.int8), "weights")
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["levels", "weights"], ["sums"])],
        "int8_sums",
        [helper.make_tensor_value_info("levels", TensorProto.UINT8, [1, 64])],
        [helper.make_tensor_value_info("sums", TensorProto.INT32, [1, 16])],
        [weights],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="emotool"
    )
    model.ir_version = 8
    assert onnx.load(PROBE) == model


def test_kernels_that_cannot_overflow_give_the_exact_sum() -> None:
    """So that a sum that differs is an overflow, not a fault of the probe."""
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(PROBE, options, providers=["CPUExecutionProvider"])
    (sums,) = session.run(["sums"], {"levels": np.full((1, 64), 255, np.uint8)})
    assert np.array_equal(sums, np.full((1, 16), 64 * 255 * 127))


@pytest.mark.skipif(
    not CPU_FLAGS.exists() or "vnni" not in CPU_FLAGS.read_text(), reason="needs VNNI on Linux"
)
def test_processors_with_vnni_do_not_overflow() -> None:
    """They keep the fastest kernels."""
    assert not int8_sums_overflow()
