"""The graph of a transformer's encoder, written node by node.

Converters spread a layer normalisation over a dozen operators and turn frames and features round
several times a block, which costs more time than int8 saves. Written by hand, each normalisation
is one operator, the three projections of attention are one product, and every weight has a name of
its own. `emotool_training.export.parity` compares the result with the Keras model on real clips.

A window's result does not depend on the others of its batch: its logits are a product of its own,
and in int8 each frame of a product's input has a scale of its own. (A scale of the whole batch, as
in ONNX Runtime's dynamic quantisation, would let a clip's neighbours change it.)
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from emotool_training.architectures import whisper
from emotool_training.architectures.blocks import TransformerBlock
from emotool_training.export.onnx_writer import Writer

__all__ = ["encoder_graph", "is_encoder"]


def is_encoder(model: Any) -> bool:
    """Return whether a Keras model is one that this module writes."""
    return any(isinstance(layer, TransformerBlock) for layer in model.layers)


def encoder_graph(model: Any, temperature: float, *, int8: bool = False) -> onnx.ModelProto:
    """Write the graph of a model of `emotool_training.architectures.whisper`.

    Parameters
    ----------
    model : keras.Model
        With its weights.
    temperature : float
        What the logits are divided by, above 0.
    int8 : bool
        Whether the blocks' products and the second convolution are in int8; all else is float32.

    Returns
    -------
    onnx.ModelProto
        Input ``log_mel``; outputs ``probabilities``, ``logits``, ``embedding`` and ``activation``.
        The statistics and the head are the float32 weights ``domain_mean``, ``domain_deviation``
        [size], ``head_kernel`` [size, labels] and ``head_bias`` [labels].
    """
    weights = {weight.path: np.asarray(weight.numpy(), np.float32) for weight in model.weights}
    writer = Writer(weights, int8=int8)
    blocks = [layer for layer in model.layers if isinstance(layer, TransformerBlock)]
    _, n_mels, frames = model.input_shape
    width = weights["conv2/bias"].size
    count = len(weights[f"{whisper.POSITIONS}/vectors"])  # frames behind the convolutions
    sounding = _sounding(writer, frames, count)  # [batch, count]
    x = _stem(writer, frames)  # [batch, count, width]
    hidden = writer.node("Sub", sounding, writer.number(1.0))  # 0, or -1 for padding
    bias = writer.node("Mul", hidden, writer.number(1e9))
    bias = writer.node("Reshape", bias, writer.shape(-1, 1, 1, count))
    pooled = _pooled(model)
    maps = []
    for block in blocks:
        x = _block(writer, block, x, bias)
        if block.name in pooled:
            maps.append(x)
    features = writer.node("Concat", *maps, axis=-1) if len(maps) > 1 else maps[0]
    _head(writer, features, sounding, temperature)
    n_labels = weights["head/bias"].size
    size = 2 * len(maps) * width
    shapes = {
        "probabilities": (n_labels,),
        "logits": (n_labels,),
        "embedding": (size,),
        "activation": (1, count),
    }
    return writer.model({"log_mel": (n_mels, frames)}, shapes)


def _pooled(model: Any) -> list[str]:
    """Name the blocks whose frames are pooled."""
    names = [layer.name for layer in model.layers]
    place = whisper.TAPS if whisper.TAPS in names else "pooling"
    sources = model.get_layer(place).input
    tensors = sources if place == whisper.TAPS else sources[:1]
    # pylint: disable-next=protected-access  # Keras has no public way to a tensor's layer
    return [tensor._keras_history.operation.name for tensor in tensors]


def _sounding(writer: Writer, frames: int, count: int) -> str:
    """Mark the frames up to the last that sounds, f32 [batch, count]; see `whisper.Sounding`."""
    floor = writer.node("ReduceMin", "log_mel", axes=[1, 2], keepdims=0)  # [batch]
    floor = writer.node("Reshape", floor, writer.shape(-1, 1))
    loudest = writer.node("ReduceMax", "log_mel", axes=[1], keepdims=0)  # [batch, frames]
    least = writer.node("Add", floor, writer.number(whisper.FLOOR_DB))
    above = writer.cast(writer.node("Greater", loudest, least), TensorProto.FLOAT)
    numbers = np.arange(1, frames + 1, dtype=np.float32)[None]  # [1, frames]
    places = writer.node("Mul", above, writer.weight("frame_numbers", numbers))
    last = writer.node("ReduceMax", places, axes=[1], keepdims=1)  # [batch, 1]
    silent = writer.cast(writer.node("Less", last, writer.number(1.0)), TensorProto.FLOAT)
    last = writer.node("Add", last, writer.node("Mul", silent, writer.number(float(frames))))
    halves = writer.weight("frame_halves", numbers[:, : 2 * count : 2])  # [1, count]
    return writer.cast(writer.node("LessOrEqual", halves, last), TensorProto.FLOAT)


def _stem(writer: Writer, frames: int) -> str:
    """Scale, convolve twice and add positions, f32 [batch, count, width]."""
    loudest = writer.node("ReduceMax", "log_mel", axes=[1, 2], keepdims=1)  # [batch, 1, 1]
    level = writer.node("Sub", "log_mel", loudest)
    ends = [writer.shape(value) for value in (0, frames - 1, 2)]
    level = writer.node("Slice", level, *ends)  # [batch, n_mels, frames - 1]
    scaled = writer.node("Div", level, writer.number(40.0))
    x = writer.node("Add", scaled, writer.number((whisper.LOUDEST_DB / 10.0 + 4.0) / 4.0))
    x = writer.gelu(_convolution(writer, x, 1))  # [batch, width, frames - 1]
    if writer.int8 and frames % 2:
        x = writer.gelu(_integer_convolution(writer, x, frames // 2))  # [batch, count, width]
    else:
        x = writer.gelu(_convolution(writer, x, 2))  # [batch, width, count]
        x = writer.node("Transpose", x, perm=[0, 2, 1])  # [batch, count, width]
    vectors = writer.weights[f"{whisper.POSITIONS}/vectors"]
    return writer.node("Add", x, writer.weight("positions", vectors))


def _convolution(writer: Writer, x: str, number: int) -> str:
    """Convolve over time in float32, [batch, in, n] to [batch, width, n / number]."""
    kernel = writer.weights[f"conv{number}/kernel"].transpose(2, 1, 0)  # [width, in, 3]
    bias = writer.weight(f"conv{number}_bias", writer.weights[f"conv{number}/bias"])
    named = writer.half_weight(f"conv{number}_kernel", kernel)
    return writer.node("Conv", x, named, bias, pads=[1, 1], strides=[number])


def _integer_convolution(writer: Writer, x: str, count: int) -> str:
    """Write the second convolution as a product, [batch, width, 2 count] to [batch, count, width].

    Its three taps at place t are the frames 2 t - 1, 2 t and 2 t + 1: those of the pair t, before
    them the last of the pair t - 1.
    """
    taps, width, out = writer.weights["conv2/kernel"].shape
    frames = writer.node("Transpose", x, perm=[0, 2, 1])  # [batch, 2 count, width]
    pairs = writer.node("Reshape", frames, writer.shape(0, count, 2 * width))
    first, last = (writer.shape(width), writer.shape(2 * width))
    seconds = writer.node("Slice", pairs, first, last, writer.shape(2))  # [batch, count, width]
    kept = [writer.shape(value) for value in (0, count - 1, 1)]
    before = writer.node("Slice", seconds, *kept)  # [batch, count - 1, width]
    before = writer.node("Pad", before, writer.shape(0, 1, 0, 0, 0, 0))  # a frame of 0 in front
    inputs = writer.node("Concat", before, pairs, axis=-1)  # [batch, count, 3 width]
    writer.weights["conv2/taps/kernel"] = writer.weights["conv2/kernel"].reshape(taps * width, out)
    writer.weights["conv2/taps/bias"] = writer.weights["conv2/bias"]
    return writer.dense(inputs, "conv2/taps", one_sided=True)


def _block(writer: Writer, block: TransformerBlock, x: str, bias: str) -> str:
    """Write one block, f32 [batch, count, width]."""
    name = block.name
    inner = writer.normalise(x, f"{name}/attention_norm")
    x = writer.node("Add", x, _attention(writer, block, inner, bias))
    inner = writer.normalise(x, f"{name}/feedforward_norm")
    inner = writer.gelu(writer.dense(inner, f"{name}/feedforward_in"))
    outer = writer.dense(inner, f"{name}/feedforward_out", one_sided=True)
    return writer.node("Add", x, outer)


def _attention(writer: Writer, block: TransformerBlock, x: str, bias: str) -> str:
    """Write self-attention, its three projections in one product, f32 [batch, count, width]."""
    name, heads, weights = block.name, block.heads, writer.weights
    width = weights[f"{name}/query/bias"].size
    size = width // heads
    scale = np.float32(size**-0.5)  # of the scores: a query scaled beforehand costs nothing
    query, key, value = (weights[f"{name}/{part}/kernel"] for part in ("query", "key", "value"))
    no_bias = np.zeros(width, np.float32)
    kernel = np.concatenate([scale * query, key, value], axis=1)  # [width, 3 width]
    offsets = [scale * weights[f"{name}/query/bias"], no_bias, weights[f"{name}/value/bias"]]
    named = f"{name}/projections"
    weights[f"{named}/kernel"], weights[f"{named}/bias"] = kernel, np.concatenate(offsets)
    parts = writer.node("Reshape", writer.dense(x, named), writer.shape(0, 0, 3, heads, size))
    parts = writer.node("Transpose", parts, perm=[2, 0, 3, 1, 4])  # [3, batch, heads, count, size]
    q, k, v = (writer.node("Gather", parts, writer.index(place), axis=0) for place in range(3))
    turned = writer.node("Transpose", k, perm=[0, 1, 3, 2])  # [batch, heads, size, count]
    scores = writer.node("Add", writer.node("MatMul", q, turned), bias)
    mixed = writer.node("MatMul", writer.node("Softmax", scores, axis=-1), v)
    mixed = writer.node("Transpose", mixed, perm=[0, 2, 1, 3])  # [batch, count, heads, size]
    mixed = writer.node("Reshape", mixed, writer.shape(0, 0, width))
    return writer.dense(mixed, f"{name}/attention_output")


def _head(writer: Writer, features: str, sounding: str, temperature: float) -> None:
    """Write pooling, statistics, classifier and evidence; see `blocks.domain_head`."""
    share = writer.node("Div", sounding, writer.total(sounding, 1))  # [batch, count]
    across = writer.node("Unsqueeze", share, writer.shape(1))  # [batch, 1, count]
    mean = writer.node("MatMul", across, features)  # [batch, 1, c]
    apart = writer.node("Sub", features, mean)  # [batch, count, c]
    squares = writer.node("Mul", apart, apart)
    variance = writer.node("MatMul", across, squares)  # [batch, 1, c]
    deviation = writer.node("Sqrt", writer.node("Add", variance, writer.number(1e-6)))
    pooled = writer.node("Concat", mean, deviation, axis=-1)  # [batch, 1, 2 c]
    names = {"mean": "domain_mean", "deviation": "domain_deviation"}
    names |= {"kernel": "head_kernel", "bias": "head_bias"}
    stored = {n: writer.weight(named, writer.weights[f"head/{n}"]) for n, named in names.items()}
    centred = writer.node("Sub", pooled, stored["mean"])
    embedding = writer.node("Div", centred, stored["deviation"])  # [batch, 1, 2 c]
    writer.node("Squeeze", embedding, writer.shape(1), name="embedding")
    column = writer.node("Transpose", embedding, perm=[0, 2, 1])  # [batch, 2 c, 1]
    rows = writer.node("Transpose", stored["kernel"], perm=[1, 0])  # [labels, 2 c]
    # A product for each window: of all windows at once, it would be rounded otherwise.
    margins = writer.node("Squeeze", writer.node("MatMul", rows, column), writer.shape(2))
    raw = writer.node("Add", margins, stored["bias"])  # [batch, labels]
    writer.node("Div", raw, writer.number(temperature), name="logits")
    writer.node("Softmax", "logits", axis=-1, name="probabilities")
    weights = _margin_weights(writer, raw, stored["kernel"])  # [batch, 2 c, 1]
    weights = writer.node("Div", weights, writer.column("deviation_column", "head/deviation"))
    evidence = _evidence(writer, weights, (features, squares, deviation))  # [batch, 1, count]
    writer.node("Mul", evidence, across, name="activation")


def _margin_weights(writer: Writer, logits: str, kernel: str) -> str:
    """Write `blocks.margin.margin_weights`, f32 [batch, size, 1]."""
    labels = writer.weights["head/bias"].size
    best = writer.node("ReduceMax", logits, axes=[1], keepdims=1)  # [batch, 1]
    chosen = writer.cast(writer.node("GreaterOrEqual", logits, best), TensorProto.FLOAT)
    chosen = writer.node("Div", chosen, writer.total(chosen, 1))  # [batch, labels]
    rest = writer.node("Sub", writer.number(1.0), chosen)
    rest = writer.node("Div", rest, writer.number(float(labels - 1)))
    signs = writer.node("Unsqueeze", writer.node("Sub", chosen, rest), writer.shape(2))
    return writer.node("MatMul", kernel, signs)


def _evidence(writer: Writer, weights: str, parts: tuple[str, str, str]) -> str:
    """Write what each frame adds, before its share, f32 [batch, 1, count]."""
    features, squares, deviation = parts
    half = writer.weights["head/mean"].size // 2
    mean, spread = writer.weights["head/mean"][:half], writer.weights["head/mean"][half:]
    first = [writer.shape(value) for value in (0, half, 1)]
    second = [writer.shape(value) for value in (half, 2 * half, 1)]
    level = writer.node("Slice", weights, *first)  # [batch, c, 1]
    swing = writer.node("Slice", weights, *second)  # [batch, c, 1]
    shifted = writer.node("Sub", features, writer.weight("mean_of_means", mean))
    of_level = writer.node("MatMul", shifted, level)  # [batch, count, 1]
    slope = writer.node("Div", swing, writer.node("Transpose", deviation, perm=[0, 2, 1]))
    of_swing = writer.node("MatMul", squares, slope)  # [batch, count, 1]
    row = writer.weight("mean_of_deviations", spread[None])  # [1, c]
    constant = writer.node("MatMul", row, swing)  # [batch, 1, 1]
    summed = writer.node("Sub", writer.node("Add", of_level, of_swing), constant)
    return writer.node("Transpose", summed, perm=[0, 2, 1])
