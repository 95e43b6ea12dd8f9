"""Give a model file's graph another head and another temperature.

Two kinds of graph are changed. One whose head is linear and stored by name
(`emotool.model.linear_head`) gets other weights: its map of evidence follows them. In any other,
the base's logits stay and a product of the embedding is added to them; its map of evidence stays
that of the base's label.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from emotool.errors import ModelError

__all__ = [
    "Added",
    "add_to_logits",
    "drop_unused",
    "replace_head",
    "replace_temperature",
]

Floats = npt.NDArray[np.float32]

_OTHER = "the graph of its head has an unknown form"


@dataclass(frozen=True, eq=False)
class Added:
    """What is added to a base's centred logits.

    Parameters
    ----------
    chosen : ndarray of float32, shape (base labels, labels)
        1 where a label is one of the base's, else 0.
    kernel : ndarray of float32, shape (size, labels)
    bias : ndarray of float32, shape (labels,)
    """

    chosen: Floats
    kernel: Floats
    bias: Floats


def replace_head(model: onnx.ModelProto, kernel: Floats, bias: Floats) -> None:
    """Put a linear head for any number of labels into a graph that stores one by name, in place.

    Parameters
    ----------
    kernel : ndarray of float32, shape (size, labels)
    bias : ndarray of float32, shape (labels,)
    """
    _store(model, {"head_kernel": kernel, "head_bias": bias})
    makers = {name: node for node in model.graph.node for name in node.output}
    # The evidence's weights: kernel x (chosen - others / (labels - 1)).
    products = [n for n in model.graph.node if n.op_type == "MatMul" and "head_kernel" in n.input]
    path: Any = next((n for n in products if n.input[0] == "head_kernel"), None)
    for place, operator in ((1, "Unsqueeze"), (0, "Sub"), (1, "Div")):
        path = makers.get(path.input[place]) if path is not None else None
        if path is None or path.op_type != operator:
            raise ModelError(_OTHER)
    path.input[1] = _number(model, "other_labels", float(len(bias) - 1))
    _resize(model, len(bias))


def replace_temperature(model: onnx.ModelProto, temperature: float) -> None:
    """Put a temperature into a graph, in place; its logits are divided by it."""
    node = _maker(model, "logits")
    if node.op_type == "Div":
        node.input[1] = _number(model, "temperature", temperature)
    elif node.op_type == "Mul":
        node.input[1] = _number(model, "temperature", 1.0 / temperature)
    else:
        raise ModelError(_OTHER)


def add_to_logits(model: onnx.ModelProto, added: Added, temperature: float) -> None:
    """Add a product of the embedding to a graph's logits, in place.

    Parameters
    ----------
    model : onnx.ModelProto
        With the outputs of `emotool_training.architectures`.
    added : Added
    temperature : float
        What the sum is divided by.
    """
    graph = model.graph
    prefix = f"adapted_{sum(t.name.endswith('_added_kernel') for t in graph.initializer)}"
    before = f"{prefix}_base_logits"
    for made in graph.node:
        for names in (made.input, made.output):
            for place, name in enumerate(names):
                if name == "logits":
                    names[place] = before
    softmax = _maker(model, "probabilities")
    graph.node.remove(softmax)

    def stored(name: str, values: npt.NDArray[Any]) -> str:
        graph.initializer.append(numpy_helper.from_array(values, f"{prefix}_{name}"))
        return f"{prefix}_{name}"

    def node(operator: str, *inputs: str, name: str, **attributes: Any) -> str:
        output = name if name in ("logits", "probabilities") else f"{prefix}_{name}"
        graph.node.append(
            helper.make_node(operator, inputs, [output], name=f"make_{prefix}_{name}", **attributes)
        )
        return output

    axis = stored("axis", np.array([2], np.int64))
    # Products for each window, as in `emotool_training.export.onnx_encoder`.
    bases = node("Unsqueeze", before, axis, name="bases")
    size = len(added.chosen)
    centring = np.eye(size) - 1 / size
    rows = stored("of_centred", (added.chosen.T @ centring).astype(np.float32))
    chosen = node("Squeeze", node("MatMul", rows, bases, name="of_base"), axis, name="chosen")
    column = node("Unsqueeze", "embedding", axis, name="column")
    rows = stored("added_kernel", np.ascontiguousarray(added.kernel.T))
    product = node("MatMul", rows, column, name="product")
    margins = node("Squeeze", product, axis, name="margins")
    biased = node("Add", margins, stored("bias", added.bias), name="biased")
    raw = node("Add", chosen, biased, name="raw")
    heat = stored("temperature", np.array(temperature, np.float32))
    node("Div", raw, heat, name="logits")
    node("Softmax", "logits", name="probabilities", axis=-1)
    _resize(model, added.bias.size)


def drop_unused(model: onnx.ModelProto) -> None:
    """Remove weights that no node uses, in place."""
    used = {name for node in model.graph.node for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


def _maker(model: onnx.ModelProto, output: str) -> Any:
    """Find the node that makes a tensor."""
    found = next((n for n in model.graph.node if output in n.output), None)
    if found is None:
        raise ModelError(_OTHER)
    return found


def _store(model: onnx.ModelProto, values: Mapping[str, Floats]) -> None:
    """Replace weights by name."""
    there = {tensor.name: tensor for tensor in model.graph.initializer}
    for name, array in values.items():
        if name not in there:
            raise ModelError(_OTHER)
        there[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array), name))


def _number(model: onnx.ModelProto, name: str, value: float) -> str:
    """Store a float32 number under a name, which may be there from an earlier adaptation."""
    tensor = numpy_helper.from_array(np.array(value, np.float32), name)
    for there in model.graph.initializer:
        if there.name == name:
            there.CopyFrom(tensor)
            return name
    model.graph.initializer.append(tensor)
    return name


def _resize(model: onnx.ModelProto, labels: int) -> None:
    """Declare the number of labels, and forget inner shapes."""
    for value in model.graph.output:
        if value.name in ("probabilities", "logits"):
            value.type.CopyFrom(helper.make_tensor_type_proto(TensorProto.FLOAT, ["batch", labels]))
    del model.graph.value_info[:]
