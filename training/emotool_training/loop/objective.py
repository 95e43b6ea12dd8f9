"""Objectives of training: the loss that is minimised, the scores of validation."""

from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from emotool_training.evaluation import metrics
from emotool_training.features.clips import ValidationClips
from emotool_training.loop.predict import clip_probabilities, logits_function

__all__ = ["Classification", "Objective"]


class Objective(Protocol):
    """What `emotool_training.loop.fit` needs to know of a model's purpose."""

    def loss(self, windows: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Run the model in training mode on a batch; f32 [] to be made small."""

    def validate(self) -> dict[str, float]:
        """Judge the model, as its weights are now, on the validation clips."""

    def score(self, figures: dict[str, float]) -> tuple[float, ...]:
        """Rank what `validate` returned: larger is better, later entries break ties."""


class Classification:
    """Cross-entropy to descend; UAR per corpus averaged over the corpora to be judged by.

    Parameters
    ----------
    model : keras.Model
    clips : ValidationClips
    """

    def __init__(self, model: keras.Model, clips: ValidationClips) -> None:
        self._model = model
        self._clips = clips
        self._logits = logits_function(model)

    def loss(self, windows: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Mean cross-entropy of a batch."""
        logits = self._model(windows, training=True)["logits"]  # [batch, labels]
        losses = tf.nn.softmax_cross_entropy_with_logits(targets, logits)  # [batch]
        return tf.reduce_mean(losses)

    def validate(self) -> dict[str, float]:
        """Return ``validation_uar``, ``validation_accuracy`` and ``validation_loss``."""
        clips = self._clips
        probabilities = clip_probabilities(self._logits, clips.windows)  # [clips, labels]
        of_truth = probabilities[np.arange(len(clips.targets)), clips.targets]  # [clips]
        guess, n_labels = probabilities.argmax(1), probabilities.shape[1]
        return {
            "validation_loss": float(-np.log(np.maximum(of_truth, 1e-12)).mean()),
            "validation_accuracy": metrics.accuracy(clips.targets, guess, n_labels),
            "validation_uar": metrics.mean_uar(clips.targets, guess, clips.corpora, n_labels),
        }

    def score(self, figures: dict[str, Any]) -> tuple[float, ...]:
        """Rank by UAR, equals by loss."""
        return (figures["validation_uar"], -figures["validation_loss"])
