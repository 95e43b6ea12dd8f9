"""Convert a spectrogram to the image that a network pretrained on photographs expects."""

from typing import Any

import keras
from keras import ops

__all__ = ["SpectrogramImage"]

CONTRAST = 58.0
"""What one standard deviation of a spectrogram becomes, in grey levels of 0 … 255: about the
deviation of ImageNet's photographs per channel."""

DELTA_REACH = 4
"""Frames on either side that a difference looks at (Furui 1986, doi:10.1109/TASSP.1986.1164788)."""

DELTA_GAIN = 6.0
"""Brings differences of normalised spectrograms of speech to about the spectrogram's deviation."""


class SpectrogramImage(keras.layers.Layer):  # type: ignore[misc]
    """Make three channels of a normalised spectrogram, in the scale of ResNet50's preprocessing.

    ``keras.applications.resnet.preprocess_input`` subtracts each channel's mean over ImageNet
    from grey levels of 0 … 255, and divides by nothing: so what is given here is centred at 0
    and has a deviation of `CONTRAST`.

    Parameters
    ----------
    channels : str
        ``grey``: three times the same. ``delta``: the spectrogram, its first and its second
        differences over time.

    Shape
    -----
    f32 [batch, n_mels, frames, 1] → f32 [batch, n_mels, frames, 3]
    """

    def __init__(self, channels: str = "delta", **options: Any) -> None:
        super().__init__(dtype="float32", trainable=False, **options)
        if channels not in ("grey", "delta"):
            raise ValueError(f"unknown channels {channels!r}")
        self.channels = channels

    def call(self, normalised: Any) -> Any:
        """Stack the channels."""
        if self.channels == "grey":
            return CONTRAST * ops.repeat(normalised, 3, axis=-1)
        first = _delta(normalised)
        return CONTRAST * ops.concatenate([normalised, first, _delta(first)], axis=-1)


def _delta(image: Any) -> Any:
    """Slope over time of the line through 2 reach + 1 frames, [batch, n_mels, frames, 1]."""
    frames, reach = image.shape[2], DELTA_REACH
    padded = ops.pad(image, ((0, 0), (0, 0), (reach, reach), (0, 0)), mode="symmetric")
    weighted = [
        k
        * (padded[:, :, reach + k : reach + k + frames] - padded[:, :, reach - k :][:, :, :frames])
        for k in range(1, reach + 1)
    ]
    return DELTA_GAIN / (2 * sum(k * k for k in range(1, reach + 1))) * sum(weighted)
