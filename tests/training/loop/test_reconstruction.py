"""How well an autoencoder gives back, as a number."""

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

import keras
import tensorflow as tf

from emotool_training.loop.reconstruction import Reconstruction

pytestmark = pytest.mark.training


def faint(share: float) -> keras.Model:
    """Build a model that gives back its input, ``share`` times as strong."""
    inputs = keras.Input((8, 6))
    image = keras.layers.Reshape((8, 6, 1))(inputs)
    return keras.Model(inputs, {"image": image, "reconstruction": image * share})


def test_the_error_is_that_of_the_image() -> None:
    """Half as strong leaves a quarter of the power; the image itself leaves nothing."""
    windows = np.random.default_rng(0).normal(0, 2, (40, 8, 6)).astype(np.float32)
    clips = [windows[:3], windows[3:]]
    power = float(np.mean(windows**2))
    objective = Reconstruction(faint(0.5), clips)
    assert objective.validate()["validation_loss"] == pytest.approx(power / 4, rel=1e-5)
    assert float(objective.loss(tf.constant(windows), None)) == pytest.approx(power / 4, rel=1e-5)
    assert Reconstruction(faint(1.0), clips).validate()["validation_loss"] == 0


def test_less_error_ranks_higher() -> None:
    """As early stopping needs it."""
    objective = Reconstruction(faint(1.0), [np.zeros((1, 8, 6), np.float32)])
    assert objective.score({"validation_loss": 1.0}) > objective.score({"validation_loss": 2.0})
