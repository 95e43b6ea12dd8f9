"""What a label does not need is cut from a graph, and nothing else."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from emotool.model.feed import LOG_MEL as INPUT
from emotool.model.onnx_prune import only_outputs
from emotool.model.session import open_session
from tests.emotool.misbehaving import ROOT
from tests.emotool.tiny_models import SMALL_SPEC, tiny_metadata, tiny_model

LABELLING = tiny_metadata().labelling


def graph_of(*nodes: onnx.NodeProto, outputs: tuple[str, ...]) -> bytes:
    """Write a model of these nodes, with the input ``x``."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in outputs]
    start = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])
    graph = helper.make_graph(list(nodes), "g", [start], ends)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def kept(content: bytes, *outputs: str) -> tuple[list[str], list[str]]:
    """Return the operators and outputs that are left."""
    graph = onnx.load_from_string(only_outputs(content, outputs)).graph
    return [node.op_type for node in graph.node], [output.name for output in graph.output]


def test_only_the_way_to_the_outputs_is_left() -> None:
    """Nodes of other outputs go, those on the way stay, in their order."""
    content = graph_of(
        helper.make_node("Abs", ["x"], ["a"]),
        helper.make_node("Exp", ["a"], ["b"]),
        helper.make_node("Neg", ["a"], ["c"]),
        helper.make_node("Cos", ["c"], ["d"]),
        outputs=("b", "d"),
    )
    assert kept(content, "b") == (["Abs", "Exp"], ["b"])
    assert kept(content, "d") == (["Abs", "Neg", "Cos"], ["d"])
    assert kept(content, "b", "d") == (["Abs", "Exp", "Neg", "Cos"], ["b", "d"])


def test_a_node_of_several_outputs_is_kept_for_one() -> None:
    """What makes something that is needed stays, whatever else it makes."""
    content = graph_of(
        helper.make_node("Split", ["x"], ["a", "b"], axis=0),
        helper.make_node("Exp", ["b"], ["c"]),
        helper.make_node("Abs", ["a"], ["d"]),
        outputs=("c", "d"),
    )
    assert kept(content, "c") == (["Split", "Exp"], ["c"])


def test_graphs_within_nodes_are_left_alone() -> None:
    """A branch may use what is outside without naming it as an input."""
    inner = helper.make_graph(
        [helper.make_node("Exp", ["x"], ["y"])],
        "inner",
        [],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])],
    )
    content = graph_of(
        helper.make_node("Abs", ["x"], ["a"]),
        helper.make_node("If", ["a"], ["b"], then_branch=inner, else_branch=inner),
        outputs=("a", "b"),
    )
    assert only_outputs(content, ["a"]) is content


def answers(content: bytes, batch: np.ndarray) -> list[np.ndarray]:
    """Return what a label needs."""
    session: onnxruntime.InferenceSession = open_session(content, "cpu", 1)
    return list(session.run(list(LABELLING), {INPUT: batch}))


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(ROOT.glob("exported/*.onnx")), ids=lambda path: path.stem)
def test_exported_models_answer_the_same(path: Path) -> None:
    """With the models that we ship, labels are the same to the last bit, and nodes are fewer."""
    content = path.read_bytes()
    small = only_outputs(content, LABELLING)
    whole, part = (onnx.load_from_string(one).graph for one in (content, small))
    assert len(part.node) < len(whole.node)
    shape = [dim.dim_value for dim in whole.input[0].type.tensor_type.shape.dim[1:]]
    batch = np.random.default_rng(0).uniform(-80, 0, (5, *shape)).astype(np.float32)
    for ours, theirs in zip(answers(small, batch), answers(content, batch), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_rest_of_the_file_is_unchanged() -> None:
    """Metadata, weights and inputs are where they were."""
    content = tiny_model().SerializeToString()
    before = onnx.load_from_string(content)
    after = onnx.load_from_string(only_outputs(content, LABELLING))
    assert after.metadata_props == before.metadata_props
    assert after.graph.input == before.graph.input
    assert after.graph.initializer == before.graph.initializer
    batch = np.zeros((2, SMALL_SPEC.n_mels, SMALL_SPEC.frames), np.float32)
    assert answers(after.SerializeToString(), batch)[0].shape[0] == 2
