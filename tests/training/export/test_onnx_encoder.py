"""The graph of an encoder, written by hand."""

from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from onnx import numpy_helper

from emotool.model.int8_sums import int8_sums_overflow
from emotool_training.export.onnx_encoder import encoder_graph, is_encoder
from emotool_training.export.parity import check_parity
from tests.tiny_keras import tiny_model
from tests.training.architectures.test_whisper import small, sound

OUTPUTS = ["probabilities", "logits", "embedding", "activation"]


@cache
def network() -> Any:
    """Build the small network once."""
    return small()


def windows() -> Any:
    """Return windows of several lengths, one of them silent, [5, 80, 301]."""
    silent = np.full_like(sound(100), -100.0)
    return np.concatenate([sound(301), sound(300), silent, sound(77), sound(8)])


@cache
def session(*, int8: bool) -> onnxruntime.InferenceSession:
    """Load the network's graph."""
    graph = encoder_graph(network(), 1.5, int8=int8)
    return onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )


def test_the_graph_answers_like_the_network() -> None:
    """All outputs, within what the order of float32 sums explains."""
    parity = check_parity(network(), session(int8=False), 1.5, windows())
    assert parity.windows == 5


def test_int8_stays_near_the_network() -> None:
    """Rounding by frame changes little."""
    log_mels = windows()
    plain, rounded = (
        session(int8=int8).run(["probabilities"], {"log_mel": log_mels})[0]
        for int8 in (False, True)
    )
    assert np.abs(plain - rounded).max() < 0.05
    assert not np.array_equal(plain, rounded)


@pytest.mark.parametrize("int8", [False, True])
def test_a_window_has_the_same_result_alone_and_in_any_batch(int8: bool) -> None:
    """To the bit, every output."""
    log_mels, runner = windows(), session(int8=int8)
    together = runner.run(OUTPUTS, {"log_mel": log_mels})
    turned = runner.run(OUTPUTS, {"log_mel": log_mels[::-1].copy()})
    for place in range(len(log_mels)):
        alone = runner.run(OUTPUTS, {"log_mel": log_mels[place : place + 1]})
        for one, all_of_them, other in zip(alone, together, turned, strict=True):
            assert np.array_equal(one[0], all_of_them[place])
            assert np.array_equal(one[0], other[len(log_mels) - 1 - place])


def test_each_normalisation_is_one_operator() -> None:
    """Two a block; nothing outside ONNX's own set, no Erfc; as many integer products as said.

    In int8 there are four products a block, and the second convolution's.
    """
    for int8 in (False, True):
        graph = encoder_graph(network(), 1.0, int8=int8).graph
        operators = Counter(node.op_type for node in graph.node)
        assert operators["LayerNormalization"] == 4
        assert operators["Erf"] == 4
        assert operators["MatMulInteger"] == (9 if int8 else 0)
        assert operators["Conv"] == (1 if int8 else 2)
        assert {node.domain for node in graph.node} == {""}
        known = {one.name for one in onnx.defs.get_all_schemas()}
        assert set(operators) <= known


def test_kernels_in_int8_can_be_replaced_where_their_sums_overflow() -> None:
    """ONNX Runtime does so if each product has a zero point of its own; results stay the same."""
    written = encoder_graph(network(), 1.5, int8=True)
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    replaced = onnxruntime.InferenceSession(
        written.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    answers = [each.run(OUTPUTS, {"log_mel": windows()}) for each in (replaced, session(int8=True))]
    if not int8_sums_overflow():
        for one, other in zip(*answers, strict=True):
            assert np.array_equal(one, other)
    graph = written.graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "MatMulInteger":
            assert [stored[name].dtype for name in node.input[1:]] == [np.int8, np.uint8, np.int8]
            assert stored[node.input[3]] == 0


def test_no_weight_is_stored_that_nothing_uses() -> None:
    """In either form."""
    for int8 in (False, True):
        graph = encoder_graph(network(), 1.0, int8=int8).graph
        used = {name for node in graph.node for name in node.input}
        assert {tensor.name for tensor in graph.initializer} <= used


def test_statistics_and_head_have_names_of_their_own() -> None:
    """Float32 in either form, so that another corpus's statistics can be put in."""
    head = network().get_layer("head")
    for int8 in (False, True):
        graph = encoder_graph(network(), 1.0, int8=int8).graph
        stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        for name, weight in {
            "domain_mean": head.mean,
            "domain_deviation": head.deviation,
            "head_kernel": head.kernel,
            "head_bias": head.bias,
        }.items():
            assert stored[name].dtype == np.float32
            assert np.array_equal(stored[name], weight.numpy())


def test_other_networks_are_converted_otherwise() -> None:
    """Only an encoder is written by hand."""
    assert is_encoder(network())
    assert not is_encoder(tiny_model())
