"""Convert a Keras model to an ONNX graph with fixed names of inputs and outputs.

The graph takes ``log_mel`` [batch, n_mels, frames] in dB and gives ``logits`` (divided by the
temperature), ``probabilities`` (their softmax), ``embedding`` and ``activation``. The batch is
free, everything else is fixed. Names and the name of the batch axis are set here, since those
that converters make up change from version to version.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from emotool.errors import TrainingError
from emotool_training.export.onnx_rewrites import shorten

__all__ = ["OPSET", "OUTPUTS", "store_half", "to_onnx"]

OPSET = 17
"""Read by every ONNX Runtime since 1.12; nothing newer is needed."""

INPUT = "log_mel"
OUTPUTS = ("probabilities", "logits", "embedding", "activation")
MIN_HALF_ELEMENTS = 1024  # smaller tensors save nothing worth their rounding


def to_onnx(model: Any, temperature: float = 1.0) -> onnx.ModelProto:
    """Convert a Keras model of `emotool_training.architectures`.

    Parameters
    ----------
    model : keras.Model
        Input ``log_mel``, outputs ``logits``, ``embedding`` and ``activation``.
    temperature : float
        What the logits are divided by, above 0.

    Returns
    -------
    onnx.ModelProto
        Opset `OPSET`, checked; outputs as in `OUTPUTS`, float32.

    Raises
    ------
    TrainingError
        If the temperature is not above 0 or an output is missing.
    """
    import tensorflow as tf  # seconds to import: only where a model is converted
    import tf2onnx

    if not temperature > 0:
        raise TrainingError(f"a temperature must be above 0, not {temperature}")
    signature = [tf.TensorSpec([None, *model.input_shape[1:]], tf.float32, name=INPUT)]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def predict(log_mel: Any) -> list[Any]:
        outputs = model(log_mel, training=False)
        missing = {"logits", "embedding", "activation"} - set(outputs)
        if missing:
            raise TrainingError(f"the model has no output {', '.join(sorted(missing))}")
        logits = tf.cast(outputs["logits"], tf.float32) / temperature
        rest = [tf.cast(outputs[name], tf.float32) for name in ("embedding", "activation")]
        # A list keeps its order through the converter, a dict is sorted.
        return [tf.identity(value) for value in (tf.nn.softmax(logits), logits, *rest)]

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    proto: onnx.ModelProto
    proto, _ = tf2onnx.convert.from_function(predict, input_signature=signature, opset=OPSET)
    made_up = [value.name for value in proto.graph.output]
    _rename(proto.graph, dict(zip(made_up, OUTPUTS, strict=True)))
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    del proto.graph.value_info[:]  # inner shapes under the converter's name for the batch
    _drop_unused_domains(proto)
    proto = shorten(proto)
    onnx.checker.check_model(proto, full_check=True)
    return proto


def _rename(graph: onnx.GraphProto, new_names: Mapping[str, str]) -> None:
    """Rename tensors everywhere in a graph; one that has a wanted name already gives way."""
    names = {old: f"{old}__inner" for old in new_names.values() if old not in new_names}
    names |= new_names
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = names.get(name, name)
        for index, name in enumerate(node.output):
            node.output[index] = names.get(name, name)
    for value in (*graph.output, *graph.initializer):
        value.name = names.get(value.name, value.name)


def _drop_unused_domains(proto: onnx.ModelProto) -> None:
    """Remove operator sets that no node uses, so that no reader needs them."""
    used = {node.domain for node in proto.graph.node}
    kept = [one for one in proto.opset_import if one.domain in used]
    del proto.opset_import[:]
    proto.opset_import.extend(kept)


def store_half(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Store weights as float16, cast to float32 when the model is loaded.

    Halves the file. The arithmetic stays float32: ONNX Runtime folds the casts once, at load.

    Parameters
    ----------
    proto : onnx.ModelProto
        A float32 model; it is not changed.

    Returns
    -------
    onnx.ModelProto
        A copy in which every weight of at least 1,024 elements is stored in two bytes.

    Raises
    ------
    TrainingError
        If a weight is too large for float16 (above 65,504).
    """
    half = onnx.ModelProto()
    half.CopyFrom(proto)
    graph = half.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < MIN_HALF_ELEMENTS:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(_as_half(values, name), f"{name}__half"))
        casts.append(
            onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT)
        )
    _prepend(graph, casts)
    onnx.checker.check_model(half, full_check=True)
    return half


def _as_half(values: NDArray[Any], name: str) -> NDArray[np.float16]:
    """Round to float16, refusing what does not fit."""
    if np.abs(values).max() > np.finfo(np.float16).max:
        raise TrainingError(f"weight {name} is too large to be stored as float16")
    return values.astype(np.float16)


def _prepend(graph: onnx.GraphProto, nodes: Iterable[onnx.NodeProto]) -> None:
    """Put nodes before all others: a graph's nodes stand in the order they are computed."""
    everything = [*nodes, *graph.node]
    del graph.node[:]
    graph.node.extend(everything)
