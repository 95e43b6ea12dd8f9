"""Predictions of clips from predictions of windows."""

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

import tensorflow as tf

from emotool_training.loop.predict import clip_probabilities

pytestmark = pytest.mark.training


def double(log_mel: np.ndarray) -> tf.Tensor:
    """Take a window's first two numbers for logits."""
    return tf.constant(log_mel[:, 0, :2])


def clip(*logits: tuple[float, float]) -> np.ndarray:
    """Windows whose logits are these, f32 [windows, 1, 2]."""
    return np.array(logits, np.float32)[:, None]


def test_a_clip_is_the_mean_of_its_windows() -> None:
    """Of probabilities, not of logits."""
    found = clip_probabilities(double, [clip((0, 0), (100, 0)), clip((0, 100))])
    assert np.allclose(found, [[0.75, 0.25], [0, 1]], atol=1e-6)


def test_batches_do_not_follow_the_borders_of_clips() -> None:
    """Clips of any number of windows, more than a batch holds among them, in order."""
    random = np.random.default_rng(0)
    clips = [random.normal(size=(n, 1, 2)).astype(np.float32) for n in (1, 63, 2, 200, 1)]
    together = clip_probabilities(double, iter(clips))
    alone = np.concatenate([clip_probabilities(double, [one]) for one in clips])
    assert np.allclose(together, alone)
    assert np.allclose(together.sum(1), 1)
