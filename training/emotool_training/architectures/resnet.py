"""ResNet50 on spectrograms, with a head of our own.

The network of He et al. (2016), doi:10.1109/CVPR.2016.90, as Keras Applications builds it, cut
behind one of its stages, so that its ImageNet weights fit by the layers' names
(`emotool_training.network.pretrained`). Which of its layers learn, and how fast, is the recipe's
business (``layer_rates``); its batch normalisation always keeps the statistics it came with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras

from emotool.errors import TrainingError
from emotool.features.spec import SpectrogramSpec
from emotool.files.validation import validate
from emotool_training.architectures.blocks import (
    Activity,
    EvidenceHead,
    Normalise,
    SpectrogramImage,
)

__all__ = ["TAPS", "Config", "build"]

TAPS = "taps"
"""Name of the layer behind which the head comes, where there are taps."""


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the network.

    Attributes
    ----------
    cut : str
        The last layer whose output goes into the head.
    taps : tuple of str
        Earlier layers whose outputs go there too, averaged down to the same height and width:
        what an earlier layer sees is nearer to sound than to photographs.
    statistics : str
        What a window's normalisation looks at: ``active`` frames, the others being grey, or the
        whole ``window``.
    channels : str
        The image's three channels: ``grey`` (three times the spectrogram) or ``delta`` (the
        spectrogram with its first and second differences over time).
    dropout : float
        Share of pooled features left out before the classifier in training, 0 … 1.
    pooling : str
        ``row_means`` (over time, rows apart), ``row_statistics`` (with deviations),
        ``statistics`` (over time) or ``mean_max`` (over all places).
    projection : int
        For the first three: a column over frequency is projected to so many features.
    """

    cut: str = "conv4_block6_out"
    taps: tuple[str, ...] = ()
    statistics: Literal["active", "window"] = "window"
    channels: Literal["grey", "delta"] = "grey"
    dropout: float = 0.3
    pooling: Literal["row_means", "row_statistics", "statistics", "mean_max"] = "row_means"
    projection: int = 256


def build(labels: Sequence[str], spec: SpectrogramSpec, config: Mapping[str, Any]) -> keras.Model:
    """Build the network (see `emotool_training.architectures` for inputs and outputs).

    Examples
    --------
    >>> settings = {"cut": "conv2_block1_out", "projection": 8}
    >>> model = build(("happy", "sad"), SpectrogramSpec(), settings)
    >>> model.output["activation"].shape
    (None, 32, 47)
    """
    settings = validate(Config, config, "the resnet's settings", TrainingError)
    log_mel = keras.Input((spec.n_mels, spec.frames), name="log_mel")
    activity = Activity(name="activity")(log_mel)  # [batch, frames]
    constants = spec.normalisation == "constants"
    normalise = Normalise("constants" if constants else settings.statistics, name="normalise")
    normalised = normalise(log_mel, activity)  # [batch, n_mels, frames, 1]
    image = SpectrogramImage(settings.channels, name="image")(normalised)  # [.., frames, 3]
    # Built on our tensor, its layers become layers of this model, under their own names.
    whole = keras.applications.ResNet50(include_top=False, weights=None, input_tensor=image)
    features = _tapped(whole, settings)  # [batch, h, w, c]
    head = EvidenceHead(
        len(labels), settings.dropout, settings.pooling, settings.projection, name="head"
    )
    model = keras.Model(log_mel, head(features, activity), name="resnet")
    for layer in model.layers:
        # A few batches of speech estimate these statistics worse than ImageNet has.
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    return model


def _tapped(whole: keras.Model, settings: Config) -> Any:
    """Concatenate the maps of all selected layers, [batch, h, w, sum of c]."""
    names = {layer.name for layer in whole.layers}
    for name in (settings.cut, *settings.taps):
        if name not in names:
            raise TrainingError(
                f"ResNet50 has no layer {name!r} to be cut behind or tapped",
                hint="the layers that end its blocks are named like conv4_block3_out",
            )
    last = whole.get_layer(settings.cut).output  # [batch, h, w, c]
    if not settings.taps:
        return last
    maps = []
    for name in settings.taps:
        earlier = whole.get_layer(name).output  # [batch, a h, b w, c]
        ratio = tuple(round(earlier.shape[axis] / last.shape[axis]) for axis in (1, 2))
        pool = keras.layers.AveragePooling2D(ratio, padding="same", name=f"{name}_tap")
        maps.append(pool(earlier) if max(ratio) > 1 else earlier)  # [batch, h, w, c]
    return keras.layers.Concatenate(name=TAPS)([*maps, last])
