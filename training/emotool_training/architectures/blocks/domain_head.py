"""A linear head on standardised statistics over time, with evidence over time."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from emotool_training.architectures.blocks.margin import margin_weights

__all__ = ["DomainHead", "FramePooling", "set_head"]

Shape = tuple[int | None, ...]

VARIANCE_FLOOR = 1e-6
"""Added to a variance before the root: a window of one sounding frame has none."""


class FramePooling(keras.layers.Layer):  # type: ignore[misc]
    """Pool frames that sound: mean and standard deviation of each feature over time.

    Shape
    -----
    frames f32 [batch, frames, width] and sounding f32 [batch, frames], of which at least one is 1
    → f32 [batch, 2 width], means before deviations
    """

    def call(self, frames: Any, sounding: Any) -> Any:
        """Pool."""
        share = sounding / ops.sum(sounding, axis=1, keepdims=True)  # [batch, frames]
        mean = ops.sum(frames * share[:, :, None], axis=1)  # [batch, width]
        squares = ops.square(frames - mean[:, None]) * share[:, :, None]  # [b, frames, width]
        deviation = ops.sqrt(ops.sum(squares, axis=1) + VARIANCE_FLOOR)  # [batch, width]
        return ops.concatenate([mean, deviation], axis=-1)


class DomainHead(keras.layers.Layer):  # type: ignore[misc]
    """Standardise a pooled vector by stored statistics, classify it linearly, map the evidence.

    The statistics are those of the corpora that trained (`set_head`). Those of another corpus
    may be put in their place without any label: what a corpus's recordings have in common then
    drops out.

    Parameters
    ----------
    n_labels : int
        How many labels, 2 or more.

    Shape
    -----
    pooled f32 [batch, 2 width] of `FramePooling`, frames f32 [batch, frames, width] and sounding
    f32 [batch, frames] → a dict of f32: ``logits`` [batch, n_labels], ``embedding`` [batch,
    2 width] (standardised), ``activation`` [batch, 1, frames].
    """

    def __init__(self, n_labels: int, **options: Any) -> None:
        super().__init__(dtype="float32", **options)
        self.n_labels = n_labels

    def build(self, pooled_shape: Shape, frames_shape: Shape, sounding_shape: Shape) -> None:
        """Make the statistics, which do not learn by gradients, and the linear layer."""
        size = pooled_shape[-1]
        fixed = {"shape": (size,), "trainable": False}
        self.mean = self.add_weight(name="mean", initializer="zeros", **fixed)
        self.deviation = self.add_weight(name="deviation", initializer="ones", **fixed)
        self.kernel = self.add_weight(name="kernel", shape=(size, self.n_labels))
        self.bias = self.add_weight(name="bias", shape=(self.n_labels,), initializer="zeros")

    def call(self, pooled: Any, frames: Any, sounding: Any) -> dict[str, Any]:
        """Return logits, embedding and evidence."""
        embedding = (pooled - self.mean) / self.deviation  # [batch, 2 width]
        logits = ops.matmul(embedding, self.kernel) + self.bias  # [batch, n_labels]
        weights = margin_weights(self.kernel, logits) / self.deviation  # [batch, 2 width]
        activation = self._evidence(pooled, frames, sounding, weights)
        return {"logits": logits, "embedding": embedding, "activation": activation[:, None]}

    def _evidence(self, pooled: Any, frames: Any, sounding: Any, weights: Any) -> Any:
        """Share the margin's weighted sum of the embedding among the frames, [batch, frames].

        A mean is shared by each frame's distance from the stored mean; a deviation by each
        frame's squared distance from the window's own.
        """
        width = frames.shape[-1]
        share = sounding / ops.sum(sounding, axis=1, keepdims=True)  # [batch, frames]
        mean, deviation = pooled[:, :width], pooled[:, width:]
        level, swing = weights[:, :width], weights[:, width:]  # [batch, width]
        apart = frames - mean[:, None]  # [batch, frames, width]
        of_level = ops.sum((frames - self.mean[:width]) * level[:, None], axis=-1)
        slope = (swing / deviation)[:, None]  # [batch, 1, width]
        of_swing = ops.sum(ops.square(apart) * slope, axis=-1)  # [batch, frames]
        constant = ops.sum(swing * self.mean[width:], axis=-1, keepdims=True)  # [batch, 1]
        return share * (of_level + of_swing - constant)


def set_head(head: DomainHead, values: dict[str, ArrayLike]) -> None:
    """Give a head its ``mean``, ``deviation``, ``kernel`` and ``bias``."""
    for name, value in values.items():
        getattr(head, name).assign(np.asarray(value, np.float32))
