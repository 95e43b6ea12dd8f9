"""A small convolutional network, trained from scratch.

A first convolution halves mel and time axes; then blocks, each halving them again, of two 3x3
convolutions with batch normalisation (Ioffe and Szegedy 2015, arXiv:1502.03167) and a short cut
around them (He et al. 2016, doi:10.1109/CVPR.2016.90), or of one without.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import keras
from keras import layers
from pydantic import Field

from emotool.errors import TrainingError
from emotool.features.spec import SpectrogramSpec
from emotool.files.validation import validate
from emotool_training.architectures.blocks import Activity, EvidenceHead, Normalise

__all__ = ["Config", "build"]


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the network.

    Attributes
    ----------
    widths : tuple of int
        Channels of the first convolution and of each block.
    first_kernel, first_stride : int
        Of the first convolution.
    residual : bool
        Blocks of two convolutions with a short cut, rather than of one.
    block_dropout : float
        Share of channels left out at the end of each block in training, 0 … 1.
    dropout : float
        Share of pooled features left out before the classifier in training, 0 … 1.
    statistics : str
        What a window's normalisation looks at: ``active`` frames or the whole ``window``. (A
        spec that asks for constants has them.)
    pooling : str
        ``statistics`` (over time) or ``mean_max`` (over all places).
    projection : int
        For ``statistics``: each frame's column over frequency is projected to so many features;
        0 takes its mean.
    momentum : float
        Of the running means of batch normalisation.
    mel_pool : int
        So many neighbouring mels are averaged first.
    """

    widths: Annotated[tuple[int, ...], Field(min_length=1)] = (24, 32, 64, 96)
    first_kernel: int = 5
    first_stride: int = 2
    residual: bool = True
    block_dropout: float = 0.0
    dropout: float = 0.3
    statistics: Literal["active", "window"] = "active"
    pooling: Literal["statistics", "mean_max"] = "statistics"
    projection: int = 128
    momentum: float = 0.95
    mel_pool: int = 1


def build(labels: Sequence[str], spec: SpectrogramSpec, config: Mapping[str, Any]) -> keras.Model:
    """Build the network (see `emotool_training.architectures` for inputs and outputs).

    Examples
    --------
    >>> model = build(("happy", "sad"), SpectrogramSpec(), {"widths": (4, 8)})
    >>> model.output["activation"].shape
    (None, 32, 47)
    """
    settings = validate(Config, config, "the cnn's settings", TrainingError)
    constants = spec.normalisation == "constants"
    log_mel = keras.Input((spec.n_mels, spec.frames), name="log_mel")
    activity = Activity(name="activity")(log_mel)  # [batch, frames]
    normalise = Normalise("constants" if constants else settings.statistics, name="normalise")
    x = normalise(log_mel, activity)  # [batch, n_mels, frames, 1]
    if settings.mel_pool > 1:
        pool = layers.AveragePooling2D((settings.mel_pool, 1), name="average_mels")
        x = pool(x)  # [batch, n_mels / mel_pool, frames, 1]
    first, *widths = settings.widths
    x = layers.ReLU()(
        _convolve(x, first, settings, kernel=settings.first_kernel, stride=settings.first_stride)
    )
    for width in widths:
        x = layers.MaxPooling2D(2, padding="same")(x)  # halves mel and time, rounding up
        x = _block(x, width, settings)
        if settings.block_dropout:
            x = layers.SpatialDropout2D(settings.block_dropout)(x)
    head = EvidenceHead(
        len(labels), settings.dropout, settings.pooling, settings.projection, name="head"
    )
    return keras.Model(log_mel, head(x, activity), name="cnn")


def _block(x: Any, width: int, settings: Config) -> Any:
    """Convolve [batch, h, w, c] to [batch, h, w, width]."""
    if not settings.residual:
        return layers.ReLU()(_convolve(x, width, settings))
    y = layers.ReLU()(_convolve(x, width, settings))
    y = _convolve(y, width, settings)
    around = x if x.shape[-1] == width else _convolve(x, width, settings, kernel=1)
    return layers.ReLU()(layers.Add()([y, around]))


def _convolve(x: Any, width: int, settings: Config, kernel: int = 3, stride: int = 1) -> Any:
    """Convolve and normalise [batch, h, w, c] to [batch, h / stride, w / stride, width]."""
    x = layers.Conv2D(
        width, kernel, stride, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(x)
    return layers.BatchNormalization(momentum=settings.momentum)(x)
