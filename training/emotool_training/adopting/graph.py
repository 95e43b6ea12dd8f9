"""A published graph with the inputs and outputs that emotool's contract names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from emotool.errors import ModelError
from emotool.model.feed import LOG_MEL, MASK, WAVEFORM
from emotool.text import printable
from emotool_training.adopting.front_end import log_mel_nodes
from emotool_training.adopting.published import Extractor
from emotool_training.adopting.weights import Opened

__all__ = ["Plan", "Shape", "adapt_graph", "shape_of"]

_OURS: Final = (
    *(LOG_MEL, WAVEFORM, MASK),
    *("probabilities", "logits", "dimensions", "embedding", "activation"),
)
_RENAMED: Final = "published_"
_REDUCE_BY_INPUT: Final = 18  # opset from which reductions have their axes as an input
_INTEGERS: Final = {TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL}
_RANKS: Final = {2: "waveforms [batch, samples]", 3: "spectrograms [batch, mel bands, frames]"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a graph.

    Parameters
    ----------
    logits : str
        Name of the output with a number for each class or dimension.
    classes : int
        How many classes it has; 0 if it gives dimensions.
    dimensions : int
        How many dimensions it has; 0 if it gives classes.
    temperature : float
        What logits of classes are divided by.
    extras : mapping of str to str
        The published name of ``embedding`` and ``activation``, where they are wanted.
    extractor : Extractor
        How sound is prepared.
    """

    logits: str
    classes: int
    dimensions: int
    temperature: float
    extras: Mapping[str, str]
    extractor: Extractor


@dataclass(frozen=True, slots=True)
class Shape:
    """What a published graph takes and gives.

    Parameters
    ----------
    features : str
        Name of the input with sound or spectrograms.
    mask : str
        Name of the input that marks padding; empty if there is none.
    samples : int or None
        The length of a waveform if it is fixed.
    is_spectrogram : bool
    outputs : mapping of str to sequence of (int or None)
        Shapes of the outputs, None for axes that are free.
    """

    features: str
    mask: str
    samples: int | None
    is_spectrogram: bool
    outputs: Mapping[str, Sequence[int | None]]


def shape_of(model: onnx.ModelProto, weights: Iterable[str] = ()) -> Shape:
    """Find out what a graph takes and gives.

    Parameters
    ----------
    model : onnx.ModelProto
    weights : iterable of str
        Names of large weights, which are not in it.

    Raises
    ------
    ModelError
        If it takes something else than sound, or its batch is fixed.
    """
    inside = {tensor.name for tensor in model.graph.initializer} | set(weights)
    inputs = {value.name: value for value in model.graph.input if value.name not in inside}
    masks = [name for name in inputs if name == MASK]
    rest = [name for name in inputs if name not in masks]
    if len(rest) != 1:
        raise ModelError(
            f"the graph takes {_listed(inputs)}; expected a waveform or a spectrogram, and perhaps "
            f"{MASK}",
            hint="export it for audio classification: optimum-cli export onnx --task "
            "audio-classification",
        )
    value = inputs[rest[0]]
    shape = _axes(value)
    if value.type.tensor_type.elem_type != TensorProto.FLOAT or len(shape) not in _RANKS:
        raise ModelError(
            f"the input {printable(rest[0])} is not float32 {' or '.join(_RANKS.values())}",
            hint="export it in float32: optimum-cli export onnx --dtype fp32",
        )
    if shape[0] is not None:
        raise ModelError(
            f"the input {printable(rest[0])} takes a batch of {shape[0]} only",
            hint="export it with a dynamic batch axis, as optimum does unless --no-dynamic-axes "
            "is given",
        )
    return Shape(
        rest[0],
        masks[0] if masks else "",
        shape[1] if len(shape) == 2 else None,
        len(shape) == 3,
        {output.name: _axes(output) for output in model.graph.output},
    )


def adapt_graph(opened: Opened, shape: Shape, plan: Plan) -> None:
    """Give a graph the inputs and outputs of emotool's contract, in place.

    Parameters
    ----------
    opened : Opened
        Of the published file.
    shape : Shape
        Of its graph.
    plan : Plan

    Raises
    ------
    ModelError
        If a tensor that the plan names is not in the graph.
    """
    model = opened.model
    graph = model.graph
    names = _rename(graph, [weight.name for weight in opened.weights])
    features, logits = (
        names.get(shape.features, shape.features),
        names.get(plan.logits, plan.logits),
    )
    made = {name for node in graph.node for name in node.output}
    for name in (plan.logits, *plan.extras.values()):
        if names.get(name, name) not in made:
            raise ModelError(f"the graph computes no {printable(name)}: {_listed(shape.outputs)}")
    before, weights = _inputs(graph, shape, plan, features)
    after, more = _outputs(plan, logits, names)
    opset = max(one.version for one in model.opset_import if one.domain in ("", "ai.onnx"))
    if opset >= _REDUCE_BY_INPUT:
        weights += _axes_as_inputs(before)
    nodes = [*before, *graph.node, *after]
    del graph.node[:], graph.output[:], graph.value_info[:], model.metadata_props[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*weights, *more])
    graph.output.extend(_output_values(plan, shape))
    model.doc_string = graph.doc_string = ""


def _rename(graph: onnx.GraphProto, weights: Sequence[str]) -> dict[str, str]:
    """Free the names of the contract; return the new names of what had them."""
    taken = {tensor.name for tensor in graph.initializer} | set(weights)
    if clash := taken & set(_OURS):
        raise ModelError(f"a weight of the graph is called {_listed(clash)}, an output's name")
    names = {name: _RENAMED + name for name in _OURS}
    _rename_nodes(graph, names)
    for value in graph.input:
        value.name = names.get(value.name, value.name)
    return names


def _rename_nodes(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    """Rename tensors in all nodes, also of the graphs within them."""
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)
        for place, name in enumerate(node.output):
            node.output[place] = names.get(name, name)
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                _rename_nodes(inner, names)
                for value in (*inner.input, *inner.output):
                    value.name = names.get(value.name, value.name)


def _inputs(
    graph: onnx.GraphProto, shape: Shape, plan: Plan, features: str
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Replace the inputs; return nodes and weights that make the published ones of them."""
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    samples: int | str = "samples" if shape.samples is None else shape.samples
    if shape.is_spectrogram:
        samples = plan.extractor.seconds * plan.extractor.sample_rate
        nodes, weights = log_mel_nodes(plan.extractor, WAVEFORM, features)
    else:
        nodes.append(helper.make_node("Identity", [WAVEFORM], [features]))
    mask = next((value for value in graph.input if value.name == _RENAMED + MASK), None)
    kept = [helper.make_tensor_value_info(WAVEFORM, TensorProto.FLOAT, ["batch", samples])]
    if mask is not None:
        kind = mask.type.tensor_type.elem_type
        if kind not in _INTEGERS:
            raise ModelError(f"the input {MASK} is no mask of whole numbers")
        nodes.append(helper.make_node("Cast", [MASK], [_RENAMED + MASK], to=kind))
        kept.append(helper.make_tensor_value_info(MASK, TensorProto.INT64, ["batch", samples]))
    weight_names = {tensor.name for tensor in graph.initializer}
    declared = [value for value in graph.input if value.name in weight_names]
    del graph.input[:]
    graph.input.extend([*kept, *declared])
    return nodes, weights


def _outputs(
    plan: Plan, logits: str, names: Mapping[str, str]
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return nodes and weights that make the outputs of the contract."""
    nodes, weights = [], []
    if plan.classes:
        weights.append(
            numpy_helper.from_array(np.array(plan.temperature, np.float32), "temperature_of_all")
        )
        nodes += [
            helper.make_node("Div", [logits, "temperature_of_all"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
        ]
    else:
        nodes.append(helper.make_node("Identity", [logits], ["dimensions"]))
    for ours, theirs in plan.extras.items():
        nodes.append(helper.make_node("Identity", [names.get(theirs, theirs)], [ours]))
    return nodes, weights


def _axes_as_inputs(nodes: Iterable[onnx.NodeProto]) -> list[onnx.TensorProto]:
    """Give reductions their axes as an input, as opset 18 and later have it."""
    weights = []
    for node in nodes:
        axes = [one for one in node.attribute if one.name == "axes"]
        if node.op_type.startswith("Reduce") and axes:
            weights.append(numpy_helper.from_array(np.array(axes[0].ints, np.int64), "axes_of_all"))
            node.input.append("axes_of_all")
            node.attribute.remove(axes[0])
    return weights


def _output_values(plan: Plan, shape: Shape) -> list[onnx.ValueInfoProto]:
    def value(name: str, *axes: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *axes])

    values = []
    if plan.classes:
        values += [value("probabilities", plan.classes), value("logits", plan.classes)]
    else:
        values.append(value("dimensions", plan.dimensions))
    if "embedding" in plan.extras:
        found = shape.outputs.get(plan.extras["embedding"], (None, None))
        size = found[1] if len(found) == 2 else None
        values.append(value("embedding", "numbers" if size is None else size))
    if "activation" in plan.extras:
        values.append(value("activation", "height", "width"))
    return values


def _axes(value: onnx.ValueInfoProto) -> list[int | None]:
    dimensions = value.type.tensor_type.shape.dim
    return [one.dim_value if one.HasField("dim_value") else None for one in dimensions]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(printable(name)[:60] for name in names) or "nothing"
