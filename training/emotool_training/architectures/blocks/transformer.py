"""Layers of a transformer's encoder over time, with frames that nothing looks at."""

from typing import Any

import keras
from keras import ops

__all__ = ["LayerNorm", "TransformerBlock", "gelu"]

Shape = tuple[int | None, ...]

EPSILON = 1e-5
"""Added to a variance before the root, as in the networks of Radford et al. (2022)."""

HIDDEN_SCORE = -1e9
"""Added to the scores of frames that are masked: their share of attention is 0 in float32."""


def gelu(values: Any) -> Any:
    """Apply the exact Gaussian error linear unit (Hendrycks and Gimpel 2016, arXiv:1606.08415).

    Keras's own becomes the operator ``Erfc`` when it is exported, which ONNX does not have.
    """
    return 0.5 * values * (1.0 + ops.erf(values * 0.5**0.5))


class LayerNorm(keras.layers.Layer):  # type: ignore[misc]
    """Bring each frame to mean 0 and standard deviation 1, then scale and shift.

    Written out in a form that `emotool_training.export.onnx_rewrites` recognises and replaces
    by one operator; Keras's own layer is exported in forms that change with its options.

    Shape
    -----
    f32 [batch, frames, width] → the same
    """

    def build(self, shape: Shape) -> None:
        """Make ``gamma`` and ``beta``, [width]."""
        self.gamma = self.add_weight(name="gamma", shape=shape[-1:], initializer="ones")
        self.beta = self.add_weight(name="beta", shape=shape[-1:], initializer="zeros")

    def call(self, frames: Any) -> Any:
        """Normalise over the last axis."""
        centred = frames - ops.mean(frames, axis=-1, keepdims=True)  # [batch, frames, width]
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)  # [batch, frames, 1]
        return centred / ops.sqrt(variance + EPSILON) * self.gamma + self.beta


class TransformerBlock(keras.layers.Layer):  # type: ignore[misc]
    """Self-attention, then a network of two layers for each frame; both normalise first.

    The block of Vaswani et al. (2017), arXiv:1706.03762, in the order of Xiong et al. (2020),
    arXiv:2002.04745. The keys have no bias, as in Whisper.

    Parameters
    ----------
    heads : int
        Of attention; divides the width.
    hidden : int
        Units of the network's first layer.

    Shape
    -----
    frames f32 [batch, frames, width] and sounding f32 [batch, frames] (1 for a frame that may be
    attended to, else 0) → f32 [batch, frames, width]
    """

    def __init__(self, heads: int, hidden: int, **options: Any) -> None:
        super().__init__(**options)
        self.heads, self.hidden = heads, hidden
        self.attention_norm = LayerNorm(name="attention_norm")
        self.feedforward_norm = LayerNorm(name="feedforward_norm")

    def build(self, frames_shape: Shape, sounding_shape: Shape) -> None:
        """Make the weights."""
        width = frames_shape[-1] or 0
        if width % self.heads:
            raise ValueError(f"{self.heads} heads do not divide a width of {width}")
        dense = dict.fromkeys(("query", "key", "value", "attention_output"), width)
        dense |= {"feedforward_in": self.hidden, "feedforward_out": width}
        for name, units in dense.items():
            layer = keras.layers.Dense(units, use_bias=name != "key", name=name)
            layer.build((None, self.hidden if name == "feedforward_out" else width))
            setattr(self, name, layer)
        self.attention_norm.build(frames_shape)
        self.feedforward_norm.build(frames_shape)

    def call(self, frames: Any, sounding: Any) -> Any:
        """Add the outputs of attention and of the network to the frames."""
        frames = frames + self._attend(self.attention_norm(frames), sounding)
        inner = gelu(self.feedforward_in(self.feedforward_norm(frames)))  # [b, frames, hidden]
        return frames + self.feedforward_out(inner)  # [batch, frames, width]

    def _attend(self, frames: Any, sounding: Any) -> Any:
        """Mix the frames that may be attended to, [batch, frames, width]."""
        query, key, value = (
            self._split(layer(frames)) for layer in (self.query, self.key, self.value)
        )  # [batch, heads, frames, size]
        size = query.shape[-1]
        scores = ops.matmul(query * size**-0.5, ops.transpose(key, (0, 1, 3, 2)))
        scores = scores + (1.0 - sounding[:, None, None, :]) * HIDDEN_SCORE  # [b, heads, f, f]
        mixed = ops.matmul(ops.softmax(scores, axis=-1), value)  # [batch, heads, frames, size]
        mixed = ops.transpose(mixed, (0, 2, 1, 3))  # [batch, frames, heads, size]
        return self.attention_output(ops.reshape(mixed, (-1, *frames.shape[1:])))

    def _split(self, values: Any) -> Any:
        """Give each head its share, [batch, frames, width] to [batch, heads, frames, size]."""
        _, frames, width = values.shape
        shared = ops.reshape(values, (-1, frames, self.heads, width // self.heads))
        return ops.transpose(shared, (0, 2, 1, 3))
