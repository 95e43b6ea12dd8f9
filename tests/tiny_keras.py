"""A Keras model of an architecture's shape, small enough to build in every test that needs one."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotool.features.spec import SpectrogramSpec
from emotool.model.metadata import golden_input

SPEC = SpectrogramSpec(window_seconds=0.5, n_mels=32)


LABELS = ("happy", "neutral", "sad")


@cache
def tiny_model() -> Any:
    """Build a network of a few thousand weights with an architecture's outputs."""
    import keras

    keras.utils.set_random_seed(0)
    log_mel = keras.Input((SPEC.n_mels, SPEC.frames), name="log_mel")
    x = keras.layers.Rescaling(1 / 80, 1)(log_mel)
    x = keras.layers.Reshape((SPEC.n_mels, SPEC.frames, 1))(x)
    x = keras.layers.Conv2D(24, 3, strides=2, use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Conv2D(24, 3, strides=2, activation="relu")(x)
    embedding = keras.layers.GlobalAveragePooling2D(name="embedding")(x)
    # A layer called like an output, so that names must be sorted out.
    logits = keras.layers.Dense(3, name="logits")(embedding)
    activation = keras.ops.sum(x, axis=-1)
    outputs = {"logits": logits, "embedding": embedding, "activation": activation}
    return keras.Model(log_mel, outputs)


def noise(clips: int) -> NDArray[np.float32]:
    """Spectrograms of noise, [clips, n_mels, frames] in dB."""
    return np.concatenate([golden_input(seed, SPEC) for seed in range(clips)])
