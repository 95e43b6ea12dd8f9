"""Static int8 quantisation."""

import numpy as np
import pytest

from emotool.model.session import open_session
from emotool_training.export.onnx_graph import OUTPUTS, to_onnx
from emotool_training.export.parity import agreement
from emotool_training.export.quantise import quantise
from tests.tiny_keras import noise, tiny_model

pytestmark = pytest.mark.training


def test_a_quantised_model_is_smaller_and_answers_alike() -> None:
    """Convolutions become integers; inputs, outputs and the free batch stay."""
    plain = to_onnx(tiny_model())
    before = plain.SerializeToString()
    small = quantise(plain, noise(32))
    assert plain.SerializeToString() == before
    assert [value.name for value in small.graph.output] == list(OUTPUTS)
    assert small.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    kinds = {node.op_type for node in small.graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds
    assert {node.domain for node in small.graph.node} <= {"", "ai.onnx"}
    one, other = (open_session(p.SerializeToString(), "cpu", 1) for p in (plain, small))
    assert agreement(one, other, noise(64)).probability < 0.05


def test_a_relu_becomes_the_end_of_a_range() -> None:
    """All 256 integers stand for what a ReLU lets through, and nothing is left to compute."""
    plain = to_onnx(tiny_model())
    makers = {name: node.op_type for node in plain.graph.node for name in node.output}
    relus = [node for node in plain.graph.node if node.op_type == "Relu"]
    behind = [node for node in relus if makers[node.input[0]] in ("Conv", "Add")]
    assert behind
    small = quantise(plain, noise(32))
    assert sum(node.op_type == "Relu" for node in small.graph.node) < len(relus)


def test_a_clip_gets_the_same_integers_in_any_batch() -> None:
    """Ranges are fixed at export, so that the company of other clips changes nothing."""
    session = open_session(quantise(to_onnx(tiny_model()), noise(32)).SerializeToString(), "cpu", 1)
    batch = noise(6)
    together = session.run(["logits"], {"log_mel": batch})[0]
    alone = [session.run(["logits"], {"log_mel": clip[None]})[0][0] for clip in batch]
    np.testing.assert_allclose(together, alone, atol=1e-6)
