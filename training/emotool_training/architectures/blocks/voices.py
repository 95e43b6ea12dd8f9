"""A window in several voices: higher ones and lower ones."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from emotool.features.spec import SpectrogramSpec
from emotool_training.augmentation.spectrogram import warp_mels

__all__ = ["Voices"]


class Voices(keras.layers.Layer):  # type: ignore[misc]
    """Divide every frequency of a window by each of some factors.

    What a network makes of them is averaged then, as of several crops of a photograph
    (Krizhevsky et al. 2017, doi:10.1145/3065386). People differ in the height of their voices: what
    holds of a window in several voices is likelier to hold of one that was never heard.

    Parameters
    ----------
    spec : SpectrogramSpec
    factors : sequence of float
        As `emotool_training.augmentation.spectrogram.warp_mels` takes them.

    Shape
    -----
    f32 [batch, n_mels, frames] dB → f32 [voices * batch, n_mels, frames]: the whole batch in one
    voice, then in the next.
    """

    def __init__(self, spec: SpectrogramSpec, factors: Sequence[float], **options: Any) -> None:
        super().__init__(dtype="float32", trainable=False, **options)
        self._voices = [_neighbours(spec, factor) for factor in factors]

    def call(self, log_mel: Any) -> Any:
        """Put all voices one behind the other."""
        heard = []
        for lower, share in self._voices:
            # Two rows of each band, not a matrix nearly all of whose weights are zeros.
            below = ops.take(log_mel, lower, axis=1)  # [batch, n_mels, frames]
            above = ops.take(log_mel, lower + 1, axis=1)  # [batch, n_mels, frames]
            heard.append(below + share * (above - below))
        return ops.concatenate(heard, axis=0)  # [voices * batch, n_mels, frames]


def _neighbours(spec: SpectrogramSpec, factor: float) -> tuple[Any, Any]:
    """Return which band each band comes from, int [n_mels], and how much is the next one's."""
    weights = warp_mels(np.eye(spec.n_mels, dtype=np.float32), spec, factor)  # [n_mels, n_mels]
    lower = np.minimum((weights > 0).argmax(axis=1), spec.n_mels - 2)  # [n_mels]
    return lower, weights[np.arange(spec.n_mels), lower + 1][:, None]  # and [n_mels, 1]
