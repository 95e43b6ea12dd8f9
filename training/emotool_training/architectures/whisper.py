"""The first blocks of Whisper's encoder, with a head of our own.

The network of Radford et al. (2022), arXiv:2212.04356, by the names of its layers in
`emotool_training.network.pretrained`. Its input is a log-mel spectrogram of 80 bands in Whisper's
scale. Two things differ from speech recognition: a window is not filled up to 30 seconds, and
frames behind the last that sounds are left out of attention and pooling, so that a clip's result
does not depend on the silence behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import keras
from keras import layers, ops
from pydantic import Field

from emotool.errors import TrainingError
from emotool.features.spec import SpectrogramSpec
from emotool.files.validation import validate
from emotool_training.architectures.blocks import DomainHead, FramePooling, TransformerBlock, gelu
from emotool_training.recipes.settings import Count

__all__ = ["POSITIONS", "TAPS", "Config", "build"]

POSITIONS = "position_embedding"
"""Name of the layer that adds each frame's position."""

TAPS = "taps"
"""Name of the layer whose frames are pooled."""

LOUDEST_DB = 20.0
"""What each window's loudest point is brought to: about the level of speech near full scale."""

FLOOR_DB = 0.01
"""A frame of which no band is further above the window's floor than this is padding."""


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the network.

    Attributes
    ----------
    blocks : int
        Transformer blocks that are kept.
    pooled : tuple of int
        Blocks, from 1, whose frames are pooled, side by side.
    width, heads, hidden : int
        Of the blocks; those of Whisper base by default.
    """

    blocks: Count = 3
    pooled: Annotated[tuple[Count, ...], Field(min_length=1)] = (2, 3)
    width: Count = 512
    heads: Count = 8
    hidden: Count = 2048


def build(labels: Sequence[str], spec: SpectrogramSpec, config: Mapping[str, Any]) -> keras.Model:
    """Build the network (see `emotool_training.architectures` for inputs and outputs).

    Examples
    --------
    >>> settings = {"blocks": 1, "pooled": [1], "width": 8, "heads": 2, "hidden": 16}
    >>> model = build(("happy", "sad"), SpectrogramSpec(n_mels=80, hop_length=160), settings)
    >>> model.output["embedding"].shape, model.output["activation"].shape
    ((None, 16), (None, 1, 150))
    """
    settings = validate(Config, config, "whisper's settings", TrainingError)
    if max(settings.pooled) > settings.blocks:
        raise TrainingError(
            f"block {max(settings.pooled)} cannot be pooled: {settings.blocks} are kept"
        )
    log_mel = keras.Input((spec.n_mels, spec.frames), name="log_mel")
    activity = Sounding(name="activity")(log_mel)  # [batch, frames]
    x = Scale(name="scale")(log_mel)  # [batch, frames - 1, n_mels]
    x = _convolve(x, settings.width, 1)  # [batch, frames - 1, width]
    x = _convolve(x, settings.width, 2)  # [batch, w, width]
    sounding = HalfRate(x.shape[1], name="sounding")(activity)  # [batch, w]
    x = Positions(name=POSITIONS)(x)
    maps = []
    for number in range(1, settings.blocks + 1):
        block = TransformerBlock(settings.heads, settings.hidden, name=f"block{number}")
        x = block(x, sounding)  # [batch, w, width]
        if number in settings.pooled:
            maps.append(x)
    frames = layers.Concatenate(name=TAPS)(maps) if len(maps) > 1 else maps[0]
    pooled = FramePooling(name="pooling")(frames, sounding)  # [batch, 2 k width]
    head = DomainHead(len(labels), name="head")
    return keras.Model(log_mel, head(pooled, frames, sounding), name="whisper")


def _convolve(x: Any, width: int, number: int) -> Any:
    """Convolve over time by Whisper's convolution 1, or 2, which halves the frames."""
    name = f"conv{number}"
    padded = layers.ZeroPadding1D(1, name=f"{name}_padding")(x)
    return layers.Conv1D(width, 3, strides=number, activation=gelu, name=name)(padded)


class Sounding(keras.layers.Layer):  # type: ignore[misc]
    """Tell a window's sound from the padding behind it, which is at the floor in every band.

    Silence within the sound counts as sound. A window at its floor throughout counts as sound
    too, so that something is pooled.

    Shape
    -----
    f32 [batch, n_mels, frames] dB → f32 [batch, frames], 1 up to the last frame that sounds
    """

    def call(self, log_mel: Any) -> Any:
        """Mark the frames of ``log_mel``."""
        floor = ops.min(log_mel, axis=(1, 2), keepdims=True)[:, :, 0]  # [batch, 1]
        loudest = ops.max(log_mel, axis=1)  # [batch, frames]
        frames = loudest.shape[1]
        numbers = ops.arange(1, frames + 1, dtype="float32")[None]  # [1, frames]
        last = ops.max(ops.cast(loudest > floor + FLOOR_DB, "float32") * numbers, axis=1)
        last = last + frames * ops.cast(last < 1.0, "float32")  # [batch]
        return ops.cast(numbers <= last[:, None], "float32")


class HalfRate(keras.layers.Layer):  # type: ignore[misc]
    """Take every other frame's activity, for the frames that the second convolution leaves.

    Shape
    -----
    f32 [batch, frames] → f32 [batch, w]
    """

    def __init__(self, frames: int, **options: Any) -> None:
        super().__init__(**options)
        self.frames = frames

    def call(self, activity: Any) -> Any:
        """Take those of even number; the first frame always counts, so that none is empty."""
        return activity[:, : 2 * self.frames : 2]


class Scale(keras.layers.Layer):  # type: ignore[misc]
    """Bring decibels to Whisper's scale, frames before bands, without the last frame.

    Whisper takes log10 of the power, adds 4 and divides by 4. The level of each window is set
    first: corpora are recorded 20 dB apart, which is unrelated to emotions.

    Shape
    -----
    f32 [batch, n_mels, frames] dB → f32 [batch, frames - 1, n_mels]
    """

    def call(self, log_mel: Any) -> Any:
        """Scale ``log_mel``."""
        loudest = ops.max(log_mel, axis=(1, 2), keepdims=True)  # [batch, 1, 1]
        scaled = (log_mel - loudest) / 40.0 + (LOUDEST_DB / 10.0 + 4.0) / 4.0
        return ops.transpose(scaled[:, :, :-1], (0, 2, 1))


class Positions(keras.layers.Layer):  # type: ignore[misc]
    """Add to each frame the vector of its position.

    Shape
    -----
    f32 [batch, frames, width] → the same
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the vectors, [frames, width]."""
        self.vectors = self.add_weight(name="vectors", shape=shape[1:])

    def call(self, frames: Any) -> Any:
        """Add them."""
        return frames + self.vectors
