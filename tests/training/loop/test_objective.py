"""What a classifier is trained for and judged by."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

import keras
import tensorflow as tf

from emotool_training.features.clips import ValidationClips
from emotool_training.loop.objective import Classification

pytestmark = pytest.mark.training


def model() -> keras.Model:
    """Take a window's first two numbers for logits."""
    log_mel = keras.Input((1, 2))
    return keras.Model(log_mel, {"logits": keras.layers.Flatten()(log_mel)})


def judged(logits: list[tuple[float, float]], corpora: list[str]) -> tuple[Any, dict[str, float]]:
    """Judge clips of one window each, all of label 0 but the last; gives the objective too."""
    windows = [np.array(pair, np.float32).reshape(1, 1, 2) for pair in logits]
    targets = np.array([0] * (len(logits) - 1) + [1])
    objective = Classification(model(), ValidationClips(windows, targets, corpora))
    return objective, objective.validate()


def test_figures_are_those_of_the_clips() -> None:
    """Loss of the truth's probability, accuracy over clips, UAR per corpus and averaged."""
    _, figures = judged([(0, 0.1), (9, 0), (9, 0), (0, 9)], ["a", "b", "b", "b"])
    assert figures["validation_accuracy"] == 0.75
    assert figures["validation_uar"] == 0.5  # 0 in a, 1 in b
    expected = -np.log(1 / (1 + np.exp(0.1))) / 4
    assert figures["validation_loss"] == pytest.approx(expected, abs=2e-4)


def test_ties_of_uar_are_broken_by_loss() -> None:
    """Of two epochs that are right equally often the surer one is the better."""
    objective, unsure = judged([(1, 0), (0, 1)], ["a", "a"])
    _, sure = judged([(5, 0), (0, 5)], ["a", "a"])
    _, wrong = judged([(9, 0), (9, 0)], ["a", "a"])
    assert unsure["validation_uar"] == sure["validation_uar"] == 1.0
    assert objective.score(sure) > objective.score(unsure) > objective.score(wrong)


def test_the_loss_is_the_cross_entropy_with_soft_targets() -> None:
    """Mixed and smoothed targets are taken as they are."""
    objective, _ = judged([(0, 0)], ["a"])
    windows = tf.constant([[[1.0, 0.0]]])
    targets = tf.constant([[0.7, 0.3]])
    normaliser = np.log(np.e + 1)
    expected = -(0.7 * (1 - normaliser) + 0.3 * (0 - normaliser))
    assert float(objective.loss(windows, targets)) == pytest.approx(expected, abs=1e-5)
