"""Normalisation of the spectrogram, inside the graph, so that no caller can forget it."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from emotool.spectrogram import SpectrogramSpec

__all__ = ["Normalise", "set_constants"]

EPSILON_DB = 1e-3
"""Keeps the division finite for an image of one colour. A spectrogram of speech has a standard
deviation of some 20 dB, of which this is nothing."""


class Normalise(keras.layers.Layer):  # type: ignore[misc]
    """Bring a dB image to mean 0 and standard deviation 1 and add a channel axis.

    With ``"window"`` each image by its own mean and deviation: the level of the recording drops
    out. With ``"constants"`` each mel band by the training set's (`set_constants`), 0 and 1
    until these are set.

    Shape
    -----
    f32 [batch, n_mels, frames] dB → f32 [batch, n_mels, frames, 1]
    """

    def __init__(self, normalisation: str = "window", **options: Any) -> None:
        # float32 whatever the mixed precision policy: 8 bits of mantissa would blur dB values.
        super().__init__(dtype="float32", **options)
        self.normalisation = normalisation

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights that hold the constants, if there are to be any."""
        if self.normalisation == "constants":
            shape = (input_shape[1], 1)  # [n_mels, 1]
            self.mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.deviation = self.add_weight(shape, "ones", trainable=False, name="deviation")

    def call(self, log_mel: Any) -> Any:
        """Normalise ``log_mel`` [batch, n_mels, frames]."""
        if self.normalisation == "constants":
            image = (log_mel - self.mean) / (self.deviation + EPSILON_DB)
        else:
            mean = ops.mean(log_mel, axis=(1, 2), keepdims=True)  # [batch, 1, 1]
            centred = log_mel - mean
            variance = ops.mean(ops.square(centred), axis=(1, 2), keepdims=True)  # [batch, 1, 1]
            image = centred / (ops.sqrt(variance) + EPSILON_DB)
        return ops.expand_dims(image, -1)  # [batch, n_mels, frames, 1]

    @classmethod
    def of(cls, spec: SpectrogramSpec) -> "Normalise":
        """Make the layer that ``spec.normalisation`` asks for."""
        return cls(spec.normalisation, name="normalise")


def set_constants(model: keras.Model, mean: ArrayLike, deviation: ArrayLike) -> None:
    """Give a model's `Normalise` layers the training set's constants.

    Parameters
    ----------
    model : keras.Model
        A model whose spec says ``"constants"``; others are left as they are.
    mean, deviation : array_like, shape (n_mels,)
        Of each mel band over the training clips, in dB.
    """
    for layer in model.layers:
        if isinstance(layer, Normalise) and layer.normalisation == "constants":
            layer.mean.assign(np.asarray(mean, np.float32)[:, None])  # [n_mels, 1]
            layer.deviation.assign(np.asarray(deviation, np.float32)[:, None])  # [n_mels, 1]
