"""Pitch test-time augmentation: each window at several pitches."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from emotool.features.spec import SpectrogramSpec
from emotool_training.augmentation.spectrogram import warp_mels

__all__ = ["PitchAugmentation"]


class PitchAugmentation(keras.layers.Layer):  # type: ignore[misc]
    """Divide every frequency of a window by each of some factors.

    A network's outputs for the copies are then averaged, as for several crops of a photograph
    (Krizhevsky et al. 2017, doi:10.1145/3065386). Speakers differ in pitch: what holds at several
    pitches is likelier to hold for a speaker who was not in the training data.

    Parameters
    ----------
    spec : SpectrogramSpec
    factors : sequence of float
        As `emotool_training.augmentation.spectrogram.warp_mels` takes them.

    Shape
    -----
    f32 [batch, n_mels, frames] dB → f32 [factors * batch, n_mels, frames]: the whole batch by
    one factor, then by the next.
    """

    def __init__(self, spec: SpectrogramSpec, factors: Sequence[float], **options: Any) -> None:
        super().__init__(dtype="float32", trainable=False, **options)
        self._shifts = [_neighbours(spec, factor) for factor in factors]

    def call(self, log_mel: Any) -> Any:
        """Concatenate the batch at all pitches."""
        shifted = []
        for lower, share in self._shifts:
            # Two rows of each band, not a matrix nearly all of whose weights are zeros.
            below = ops.take(log_mel, lower, axis=1)  # [batch, n_mels, frames]
            above = ops.take(log_mel, lower + 1, axis=1)  # [batch, n_mels, frames]
            shifted.append(below + share * (above - below))
        return ops.concatenate(shifted, axis=0)  # [factors * batch, n_mels, frames]


def _neighbours(spec: SpectrogramSpec, factor: float) -> tuple[Any, Any]:
    """Return which band each band comes from, int [n_mels], and how much is the next one's."""
    weights = warp_mels(np.eye(spec.n_mels, dtype=np.float32), spec, factor)  # [n_mels, n_mels]
    lower = np.minimum((weights > 0).argmax(axis=1), spec.n_mels - 2)  # [n_mels]
    return lower, weights[np.arange(spec.n_mels), lower + 1][:, None]  # and [n_mels, 1]
