"""Split a model into a frozen backbone and the layers trained on its feature maps."""

import math
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from emotool.errors import TrainingError
from emotool_training.architectures.blocks import EvidenceHead, RowMeans, TimeStatistics

__all__ = ["BackboneSplit", "flat_layers", "split_backbone"]


@dataclass(frozen=True, eq=False)
class BackboneSplit:
    """The two parts of a model; they share their layers with it.

    Parameters
    ----------
    backbone : keras.Model
        ``log_mel`` f32 [batch, n_mels, frames] → a feature map, [batch, h, w, c] or
        [batch, w, c], and the activity of frames f32 [batch, frames].
    trainable : keras.Model
        Both in one vector, f32 [batch, h w c + frames] → the model's outputs. Where the head
        is all of it and takes rows' statistics, the backbone has taken them (w is 1), so that what
        is cached is small; ``activation`` is then the rows' alone.
    """

    backbone: keras.Model
    trainable: keras.Model


def split_backbone(model: keras.Model, layer: str) -> BackboneSplit:
    """Split a model behind a layer that everything but the frames' activity has to pass.

    Parameters
    ----------
    model : keras.Model
        Of `emotool_training.architectures`, with a layer ``activity``.
    layer : str
        The last layer of the backbone.

    Raises
    ------
    TrainingError
        If there is no such layer, or an output is computed without it.
    """
    names = [one.name for one in model.layers]
    if layer not in names or "activity" not in names:
        raise TrainingError(f"{model.name} has no layer {layer!r} to be split behind")
    maps, activity = model.get_layer(layer).output, model.get_layer("activity").output
    try:
        inner = keras.Model([maps, activity], model.output, name="learning")
    except ValueError as error:
        raise TrainingError(
            f"{model.name} cannot be split behind {layer!r}: not all outputs are computed from it"
        ) from error
    if (head := _head_of_rows(inner)) is not None:
        pool = TimeStatistics(deviations=head.pooling.deviations, name="time_statistics")
        maps = pool(maps, activity)  # [batch, h, 1, k c]
    shape = maps.shape[1:]
    frames = activity.shape[1]
    # One vector, so that whatever handles windows handles these.
    whole = keras.Input((math.prod(shape) + frames,), name="kept")
    unpacked = layers.Reshape(shape)(whole[:, :-frames])  # as the backbone's maps
    sounding = whole[:, -frames:]  # [batch, frames]
    outputs = head(unpacked, sounding) if head else inner([unpacked, sounding])
    trainable = keras.Model(whole, outputs, name=f"{model.name}_tail")
    return BackboneSplit(keras.Model(model.input, [maps, activity]), trainable)


def _head_of_rows(trainable: keras.Model) -> Any | None:
    """Return the head if it is all that learns, and looks at nothing but statistics over time."""
    learning = [layer for layer in trainable.layers if layer.weights]
    if len(learning) != 1 or not isinstance(learning[0], EvidenceHead):
        return None
    return learning[0] if isinstance(learning[0].pooling, RowMeans) else None


def flat_layers(model: keras.Model) -> list[Any]:
    """List a model's layers, those of models inside it in their place.

    Examples
    --------
    >>> inner = keras.Sequential([keras.Input((2,)), layers.Dense(1, name="deep")])
    >>> [layer.name for layer in flat_layers(keras.Sequential([inner])) if layer.weights]
    ['deep']
    """
    found: list[Any] = []
    for layer in model.layers:
        found += flat_layers(layer) if isinstance(layer, keras.Model) else [layer]
    return found
