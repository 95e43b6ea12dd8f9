"""Normalise spectrograms inside the graph, as part of the exported model."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

__all__ = ["Activity", "Normalise", "set_constants"]

Shape = tuple[int | None, ...]

EPSILON_DB = 1e-3
"""Keeps the division finite for an image of one colour. A spectrogram of speech has a standard
deviation of some 20 dB, of which this is nothing."""


class Activity(keras.layers.Layer):  # type: ignore[misc]
    """Mark frames with sound; silent ones, such as the padding of a short clip, are 0.

    Parameters
    ----------
    range_db : float
        A frame sounds if its loudest mel is less than this below the window's loudest.

    Shape
    -----
    f32 [batch, n_mels, frames] dB → f32 [batch, frames], 0 or 1
    """

    def __init__(self, range_db: float = 60.0, **options: Any) -> None:
        super().__init__(dtype="float32", trainable=False, **options)
        self.range_db = range_db

    def call(self, log_mel: Any) -> Any:
        """Mark the frames of ``log_mel`` [batch, n_mels, frames]."""
        loudest = ops.max(log_mel, axis=1)  # [batch, frames]
        peak = ops.max(loudest, axis=1, keepdims=True)  # [batch, 1]
        return ops.cast(loudest > peak - self.range_db, "float32")


class Normalise(keras.layers.Layer):  # type: ignore[misc]
    """Scale a dB image to mean 0 and standard deviation 1 and add a channel axis.

    Parameters
    ----------
    kind : str
        ``window``: by the window's own mean and deviation, so that the recording's level drops
        out. ``active``: the same over the frames that sound, with 0 in the others: how much
        silence there is behind a clip drops out too. ``constants``: each mel by the training
        set's mean and deviation (`set_constants`; 0 and 1 until then).

    Shape
    -----
    log_mel f32 [batch, n_mels, frames] dB, activity f32 [batch, frames] →
    f32 [batch, n_mels, frames, 1]
    """

    def __init__(self, kind: str = "window", **options: Any) -> None:
        # float32 whatever the mixed precision policy: 8 bits of mantissa would blur dB values.
        super().__init__(dtype="float32", **options)
        if kind not in ("window", "active", "constants"):
            raise ValueError(f"unknown normalisation {kind!r}")
        self.kind = kind

    def build(self, log_mel_shape: Shape, activity_shape: Shape) -> None:
        """Make the weights that hold the constants, if the layer uses them."""
        if self.kind == "constants":
            shape = (log_mel_shape[1], 1)  # [n_mels, 1]
            self.mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.deviation = self.add_weight(shape, "ones", trainable=False, name="deviation")

    def call(self, log_mel: Any, activity: Any) -> Any:
        """Normalise ``log_mel`` [batch, n_mels, frames]."""
        if self.kind == "constants":
            image = (log_mel - self.mean) / (self.deviation + EPSILON_DB)
        else:
            weights = activity if self.kind == "active" else ops.ones_like(activity)
            image = _by_own_statistics(log_mel, weights)
        return ops.expand_dims(image, -1)  # [batch, n_mels, frames, 1]


def _by_own_statistics(log_mel: Any, weights: Any) -> Any:
    """Normalise each image by its frames' weighted mean and deviation; weight 0 gives 0."""
    weights = weights[:, None, :]  # [batch, 1, frames]
    share = weights / ops.sum(weights, axis=2, keepdims=True)  # [batch, 1, frames]
    over_time = ops.sum(log_mel * share, axis=2, keepdims=True)  # [batch, n_mels, 1]
    centred = log_mel - ops.mean(over_time, axis=1, keepdims=True)
    squares = ops.sum(ops.square(centred) * share, axis=2, keepdims=True)  # [batch, n_mels, 1]
    deviation = ops.sqrt(ops.mean(squares, axis=1, keepdims=True))  # [batch, 1, 1]
    return centred * weights / (deviation + EPSILON_DB)


def set_constants(model: keras.Model, mean: ArrayLike, deviation: ArrayLike) -> None:
    """Give a model's `Normalise` layers the training set's constants.

    Parameters
    ----------
    model : keras.Model
        A model that normalises by constants; others are left as they are.
    mean, deviation : array_like, shape (n_mels,)
        Of each mel band over the training clips, in dB.
    """
    for layer in model.layers:
        if isinstance(layer, Normalise) and layer.kind == "constants":
            layer.mean.assign(np.asarray(mean, np.float32)[:, None])  # [n_mels, 1]
            layer.deviation.assign(np.asarray(deviation, np.float32)[:, None])  # [n_mels, 1]
