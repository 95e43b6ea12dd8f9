"""The objective of an autoencoder: to reconstruct spectrograms."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

__all__ = ["Reconstruction"]

BATCH = 32

Floats = npt.NDArray[np.float32]


class Reconstruction:
    """Mean squared error between a normalised spectrogram and what a decoder makes of it.

    Parameters
    ----------
    model : keras.Model
        From an architecture's ``build_autoencoder``.
    clips : sequence of ndarray of float32, shape (windows, n_mels, frames)
        Validation clips, dB; labels are not asked for.
    """

    def __init__(self, model: keras.Model, clips: Sequence[Floats]) -> None:
        self._model = model
        self._windows = np.concatenate(list(clips))  # [windows, n_mels, frames]
        self._error = tf.function(lambda x: self._of(x, training=False), autograph=False)

    def loss(self, windows: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Error of a batch of which patches were masked; f32 []."""
        del targets
        return tf.reduce_mean(self._of(windows, training=True))

    def validate(self) -> dict[str, float]:
        """Return ``validation_loss``, of whole spectrograms."""
        starts = range(0, len(self._windows), BATCH)
        errors = [self._error(tf.constant(self._windows[s : s + BATCH])).numpy() for s in starts]
        return {"validation_loss": float(np.concatenate(errors).mean())}

    def score(self, figures: dict[str, Any]) -> tuple[float, ...]:
        """Rank by error: less is better."""
        return (-figures["validation_loss"],)

    def _of(self, windows: Any, *, training: bool) -> Any:
        outputs = self._model(windows, training=training)
        squares = tf.square(outputs["image"] - outputs["reconstruction"])
        return tf.reduce_mean(squares, axis=(1, 2, 3))  # [batch]
