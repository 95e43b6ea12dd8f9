"""A small convolutional network, trained from scratch.

Blocks of 3x3 convolutions with batch normalisation, each followed by a halving of mel and time
axes, as in the VGG networks (Simonyan and Zisserman 2015, arXiv:1409.1556), with batch
normalisation (Ioffe and Szegedy 2015, arXiv:1502.03167).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from emotool.spectrogram import SpectrogramSpec
from training.architectures.blocks import EvidenceHead, Normalise
from training.strict import from_dict

__all__ = ["Config", "build"]


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the network.

    Attributes
    ----------
    widths : tuple of int
        Channels of each block, from the spectrogram inwards.
    depth : int
        Convolutions in each block.
    block_dropout : float
        Share of channels left out at the end of each block in training, 0 … 1.
    dropout : float
        Share of pooled features left out before the classifier in training, 0 … 1.
    """

    widths: tuple[int, ...] = (24, 48, 96, 160, 160)
    depth: int = 1
    block_dropout: float = 0.1
    dropout: float = 0.4


def build(labels: Sequence[str], spec: SpectrogramSpec, config: Mapping[str, Any]) -> keras.Model:
    """Build the network (see `training.architectures` for inputs and outputs).

    Examples
    --------
    >>> model = build(("happy", "sad"), SpectrogramSpec(), {"widths": (4, 8)})
    >>> model.output["activation"].shape
    (None, 64, 94)
    """
    settings = from_dict(Config, config, "the cnn's settings")
    log_mel = keras.Input((spec.n_mels, spec.frames), name="log_mel")
    x = Normalise.of(spec)(log_mel)  # [batch, n_mels, frames, 1]
    last = len(settings.widths) - 1
    for number, width in enumerate(settings.widths):
        for _ in range(settings.depth):
            x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
            x = layers.BatchNormalization()(x)
            x = layers.ReLU()(x)
        if number < last:
            x = layers.MaxPooling2D(2)(x)  # halves mel and time, rounding down
            x = layers.SpatialDropout2D(settings.block_dropout)(x)
    outputs = EvidenceHead(len(labels), settings.dropout, name="head")(x)
    return keras.Model(log_mel, outputs, name="cnn")
