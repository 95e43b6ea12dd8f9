"""Rewrite an ONNX graph to be faster with the same outputs.

Converters write what Keras's layers do, one after the other. Two habits of ResNets cost time
in int8 models, because they happen in float32 on the largest maps:

* zeros are padded around a map before its maximum is taken. After a ReLU no value is below
  zero, so padding by nothing at all, which pooling can do itself, gives the same maxima;
* one grey image is given three times, as three channels. The first convolution then adds up
  three products of the same value: one with the sum of the three kernels is as good.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from emotool.model.onnx_prune import only_outputs

__all__ = ["shorten"]


def shorten(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Apply all rewrites, and remove nodes and weights that are then unused.

    Parameters
    ----------
    proto : onnx.ModelProto
        A float32 model; it is changed.

    Returns
    -------
    onnx.ModelProto
        With the same inputs and outputs.
    """
    graph = _Graph(proto.graph)
    for node in list(proto.graph.node):
        if node.op_type == "MaxPool":
            _pool_padding(graph, node)
        elif node.op_type == "Conv":
            _add_kernels(graph, node)
    names = [output.name for output in proto.graph.output]
    short = onnx.load_from_string(only_outputs(proto.SerializeToString(), names))
    used = {name for node in short.graph.node for name in node.input}
    weights = [tensor for tensor in short.graph.initializer if tensor.name in used]
    del short.graph.initializer[:]
    short.graph.initializer.extend(weights)
    return short


class _Graph:
    """Index of a graph: producers and consumers of values, and weights."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self._makers = {name: node for node in graph.node for name in node.output}
        self._weights = {tensor.name: tensor for tensor in graph.initializer}

    def maker(self, value: str, operator: str) -> onnx.NodeProto | None:
        """Return the node of a kind that makes a value, if nothing else uses that value."""
        node: onnx.NodeProto | None = self._makers.get(value)
        if node is None or node.op_type != operator or self.uses(value) != 1:
            return None
        return node

    def uses(self, value: str) -> int:
        inner: int = sum(list(node.input).count(value) for node in self.graph.node)
        outside = [output for output in self.graph.output if output.name == value]
        return inner + len(outside)

    def weight(self, name: str) -> NDArray[Any] | None:
        tensor = self._weights.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def add_weight(self, name: str, values: NDArray[Any]) -> None:
        self.graph.initializer.append(numpy_helper.from_array(values, name))


def _pool_padding(graph: _Graph, pool: onnx.NodeProto) -> None:
    """Let a maximum over a padded ReLU pad for itself."""
    pad = graph.maker(pool.input[0], "Pad")
    if pad is None or _attribute(pad, "mode", b"constant") != b"constant" or len(pad.input) > 2:
        return
    relu = graph.maker(pad.input[0], "Relu")
    around = graph.weight(pad.input[1])
    own = _attribute(pool, "pads", [0])
    if relu is None or around is None or around.size != 8 or any(own):
        return
    # [batch, channels, top, left, batch, channels, bottom, right]
    if around[[0, 1, 4, 5]].any() or _attribute(pool, "auto_pad", b"NOTSET") != b"NOTSET":
        return
    kept = [one for one in pool.attribute if one.name != "pads"]
    del pool.attribute[:]
    pool.attribute.extend(kept)
    sides = [int(around[side]) for side in (2, 3, 6, 7)]
    pool.attribute.append(onnx.helper.make_attribute("pads", sides))
    pool.input[0] = relu.output[0]


def _add_kernels(graph: _Graph, convolution: onnx.NodeProto) -> None:
    """Give a convolution one channel instead of several that are the same."""
    kernel = graph.weight(convolution.input[1])
    turn = graph.maker(convolution.input[0], "Transpose")
    if kernel is None or turn is None or _attribute(convolution, "group", 1) != 1:
        return
    if _attribute(turn, "perm", []) != [0, 3, 1, 2]:
        return
    scaled, gain = _without_gain(graph, turn.input[0])
    image = _repeated(graph, scaled, kernel.shape[1])
    if image:
        turn.input[0] = image  # [batch, height, width, 1]
        name = f"{convolution.input[1]}__added"
        total = gain * kernel.sum(axis=1, keepdims=True, dtype=np.float64)  # [out, 1, h, w]
        graph.add_weight(name, total.astype(kernel.dtype))
        convolution.input[1] = name


def _without_gain(graph: _Graph, value: str) -> tuple[str, float]:
    """Return what a value is a multiple of, and how many times; itself if that is not known.

    ONNX Runtime 1.32 multiplies an image of one channel in the last place number by number, which
    takes longer than normalising it (seen in its profiler). The kernel takes the gain for free.
    """
    scale = graph.maker(value, "Mul")
    if scale is not None:
        for gain, other in (scale.input, reversed(scale.input)):
            number = graph.weight(gain)
            if number is not None and number.size == 1:  # for each channel, they would differ
                return str(other), float(number.reshape(()))
    return value, 1.0


def _repeated(graph: _Graph, value: str, times: int) -> str:
    """Return the [.., 1] of which a value [.., times] is made by repetition; "" if it is not."""
    shaped = graph.maker(value, "Reshape")
    tiled = shaped and graph.maker(shaped.input[0], "Tile")
    longer = tiled and graph.maker(tiled.input[0], "Unsqueeze")
    if not tiled or not longer:
        return ""
    repeats, axes = graph.weight(tiled.input[1]), graph.weight(longer.input[1])
    same = repeats is not None and repeats.tolist() == [1, 1, 1, 1, times]
    if times > 1 and same and axes is not None and axes.tolist() == [4]:
        return str(longer.input[0])
    return ""


def _attribute(node: onnx.NodeProto, name: str, otherwise: Any) -> Any:
    found: Sequence[Any] = [one for one in node.attribute if one.name == name]
    return onnx.helper.get_attribute_value(found[0]) if found else otherwise
