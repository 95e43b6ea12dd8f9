"""A graph of ONNX's standard operators, written node by node with weights of one's own names."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = ["Writer"]

OPSET = 17
IR_VERSION = 8
"""What ONNX Runtime has read since 1.12, as it has the operator set."""

_LARGEST = 127.0
"""What the largest magnitude of a unit's weights, or of a frame, becomes."""

_LEVELS = 255.0
"""What a frame's highest value becomes in uint8 where its lowest becomes 0."""

_LEAST_RANGE = 1e-9
"""Keeps a frame of one value from being divided by 0."""

Arrays = dict[str, NDArray[np.float32]]


class Writer:
    """Writes nodes and weights of a graph.

    Parameters
    ----------
    weights : dict of str to ndarray
        Weights to take from, by name.
    int8 : bool
        Whether `dense` computes in int8.
    """

    def __init__(self, weights: Arrays, *, int8: bool) -> None:
        self.weights = dict(weights)
        self.int8 = int8
        self._nodes: list[onnx.NodeProto] = []
        self._stored: dict[str, onnx.TensorProto] = {}

    def node(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        output = name or f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(
            helper.make_node(operator, inputs, [output], name=f"make_{output}", **attributes)
        )
        return output

    def cast(self, value: str, kind: int) -> str:
        """Convert a tensor to another type."""
        return self.node("Cast", value, to=kind)

    def total(self, value: str, axis: int) -> str:
        """Sum over an axis, which stays with length 1."""
        return self.node("ReduceSum", value, self.shape(axis), keepdims=1)

    def weight(self, name: str, values: NDArray[Any]) -> str:
        """Store an array; return its name."""
        if name not in self._stored:
            self._stored[name] = numpy_helper.from_array(values.copy(order="C"), name)
        return name

    def half_weight(self, name: str, values: NDArray[np.float32]) -> str:
        """Store an array in half the bytes, where nothing is lost; return the name to use."""
        half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            return self.weight(name, values)
        return self.cast(self.weight(f"{name}_half", half), TensorProto.FLOAT)

    def column(self, name: str, source: str) -> str:
        """Store a vector of the weights as a column, [size, 1]."""
        return self.weight(name, self.weights[source][:, None])

    def number(self, value: float) -> str:
        """Store a float32 number."""
        return self.weight(f"number_{value!r}", np.array(value, np.float32))

    def shape(self, *values: int) -> str:
        """Store whole numbers, int64 [n]: a shape, or axes."""
        return self.weight(f"shape_{'_'.join(map(str, values))}", np.array(values, np.int64))

    def index(self, value: int) -> str:
        """Store one whole number, int64 []."""
        return self.weight(f"index_{value}", np.array(value, np.int64))

    def gelu(self, x: str) -> str:
        """Write `blocks.gelu` in the form that ONNX Runtime fuses."""
        inner = self.node("Erf", self.node("Div", x, self.number(float(np.float32(2.0**0.5)))))
        outer = self.node("Mul", x, self.node("Add", inner, self.number(1.0)))
        return self.node("Mul", outer, self.number(0.5))

    def normalise(self, x: str, layer: str) -> str:
        """Write `blocks.transformer.LayerNorm` as one operator."""
        gamma, beta = (
            self.weight(f"{layer}/{part}", self.weights[f"{layer}/{part}"])
            for part in ("gamma", "beta")
        )
        return self.node("LayerNormalization", x, gamma, beta, axis=-1, epsilon=1e-5)

    def dense(self, x: str, layer: str, *, one_sided: bool = False) -> str:
        """Write a product of frames [batch, frames, in] with a layer's weights, and its bias.

        ``one_sided`` says that the frames' values lie mostly on one side of 0, as behind a GELU:
        in int8 a frame's own range is then worth two more passes over its values.
        """
        kernel = self.weights[f"{layer}/kernel"]  # [in, out]
        if not self.int8:
            product = self.node("MatMul", x, self.weight(f"{layer}/kernel", kernel))
        elif one_sided:
            product = self._product_by_range(x, layer, kernel)
        else:
            product = self._product_by_magnitude(x, layer, kernel)
        bias = self.weights.get(f"{layer}/bias")
        if bias is None:
            return product
        return self.node("Add", product, self.weight(f"{layer}/bias", bias))

    def _product_by_magnitude(self, x: str, layer: str, kernel: NDArray[np.float32]) -> str:
        """Write a product in integers: each frame's largest magnitude becomes 127."""
        rounded, units = self._rounded(layer, kernel)
        largest = self.node("ReduceMax", self.node("Abs", x), axes=[-1], keepdims=1)
        largest = self.node("Max", largest, self.number(_LEAST_RANGE))
        scale = self.node("Div", largest, self.number(_LARGEST))  # [batch, frames, 1]
        zero = self.weight("middle", np.array(128, np.uint8))
        levels = self.node("QuantizeLinear", self.node("Div", x, scale), self.number(1.0), zero)
        product = self._integer_product(levels, rounded, zero)
        return self._scaled(product, scale, units)

    def _product_by_range(self, x: str, layer: str, kernel: NDArray[np.float32]) -> str:
        """Write a product in integers: each frame's lowest value becomes 0, its highest 255.

        With x = low + scale * levels, the product is scale * (levels · W) + low * (sums of W).
        """
        rounded, units = self._rounded(layer, kernel)
        low = self.node("ReduceMin", x, axes=[-1], keepdims=1)  # [batch, frames, 1]
        above = self.node("Sub", x, low)
        width = self.node("ReduceMax", above, axes=[-1], keepdims=1)
        width = self.node("Max", width, self.number(_LEAST_RANGE))
        scale = self.node("Div", width, self.number(_LEVELS))  # [batch, frames, 1]
        zero = self.weight("lowest", np.array(0, np.uint8))
        levels = self.node("QuantizeLinear", self.node("Div", above, scale), self.number(1.0), zero)
        product = self._integer_product(levels, rounded, zero)
        offset = self.node("Mul", low, f"{layer}/sums")
        return self.node("Add", self._scaled(product, scale, units), offset)

    def _integer_product(self, levels: str, rounded: str, zero: str) -> str:
        """Multiply integers, i32 [batch, frames, out].

        The kernel's zero point is given although it is 0: ONNX Runtime then replaces the kernel,
        in any of its versions, on processors whose int8 sums would overflow
        (``session.x64quantprecision``). Each product has a zero point of its own, since ONNX
        Runtime replaces it too, and refuses a graph where it would do so twice.
        """
        none = self.weight(f"{rounded}_zero", np.array(0, np.int8))
        return self.node("MatMulInteger", levels, rounded, zero, none)

    def _rounded(self, layer: str, kernel: NDArray[np.float32]) -> tuple[str, str]:
        """Store a kernel in int8, and each unit's scale f32 [out]; also the sums of its weights."""
        scales = np.maximum(np.abs(kernel).max(axis=0) / _LARGEST, _LEAST_RANGE)  # [out]
        rounded = np.clip(np.rint(kernel / scales), -_LARGEST, _LARGEST).astype(np.int8)
        sums = rounded.sum(axis=0, dtype=np.int64) * scales  # [out]
        self.weight(f"{layer}/sums", sums.astype(np.float32))
        named = self.weight(f"{layer}/kernel_int8", rounded)
        return named, self.weight(f"{layer}/scale", scales.astype(np.float32))

    def _scaled(self, product: str, scale: str, units: str) -> str:
        """Convert sums of integers [batch, frames, out] to float32."""
        scaled = self.node("Mul", self.cast(product, TensorProto.FLOAT), scale)
        return self.node("Mul", scaled, units)

    def model(
        self, inputs: Mapping[str, tuple[int, ...]], outputs: Mapping[str, tuple[int, ...]]
    ) -> onnx.ModelProto:
        """Put the graph together, check it and leave out what no output needs.

        Parameters
        ----------
        inputs, outputs : mapping
            Names of float32 tensors, and their shapes behind the batch.
        """

        def described(shapes: Mapping[str, tuple[int, ...]]) -> list[onnx.ValueInfoProto]:
            return [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])
                for name, shape in shapes.items()
            ]

        used = {name for node in self._nodes for name in node.input}
        stored = [tensor for name, tensor in self._stored.items() if name in used]
        graph = helper.make_graph(
            self._nodes, "emotool", described(inputs), described(outputs), stored
        )
        opset = helper.make_opsetid("", OPSET)
        proto = helper.make_model(graph, opset_imports=[opset], producer_name="emotool")
        proto.ir_version = IR_VERSION
        onnx.checker.check_model(proto, full_check=True)
        return proto
