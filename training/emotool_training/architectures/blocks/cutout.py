"""Cutout (DeVries and Taylor 2017, arXiv:1708.04552): patches masked in training."""

from typing import Any

import keras
from keras import ops

__all__ = ["Cutout"]

PATCH = (16, 12)
"""Size of a masked patch, in mels and frames."""


class Cutout(keras.layers.Layer):  # type: ignore[misc]
    """Set patches of an image to its mean, 0, in training.

    Parameters
    ----------
    share : float
        Share of patches, 0 … 1.

    Shape
    -----
    [batch, h, w, c] → the same
    """

    def __init__(self, share: float, **options: Any) -> None:
        super().__init__(dtype="float32", **options)
        self.share = share
        self.seeds = keras.random.SeedGenerator(0)

    def call(self, image: Any, training: bool | None = None) -> Any:
        """Mask ``image``."""
        if not training or self.share <= 0:
            return image
        _, height, width, _ = image.shape
        rows, columns = -(-height // PATCH[0]), -(-width // PATCH[1])
        drawn = keras.random.uniform((ops.shape(image)[0], rows, columns, 1), seed=self.seeds)
        kept = ops.cast(drawn >= self.share, "float32")  # [batch, rows, columns, 1]
        kept = ops.repeat(ops.repeat(kept, PATCH[0], axis=1), PATCH[1], axis=2)
        return image * kept[:, :height, :width]
