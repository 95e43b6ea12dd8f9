"""The exponential average of a model's weights over its last steps.

It is steadier than the weights of any one step and most often better (Polyak and Juditsky 1992,
doi:10.1137/0330046; Tarvainen and Valpola 2017, arXiv:1703.01780).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

__all__ = ["WeightAverage"]


class WeightAverage:
    """Average of a model's weights, normalisation statistics included.

    Parameters
    ----------
    model : keras.Model
    decay : float
        Share of the average that a step keeps, in 0 … 1; 0 to average nothing. It begins lower
        and rises to this, so that the first weights are soon forgotten.
    """

    def __init__(self, model: keras.Model, decay: float) -> None:
        self._decay = decay
        self._weights = list(model.weights) if decay > 0 else []
        self._average = [tf.Variable(weight.value, trainable=False) for weight in self._weights]
        self._steps = tf.Variable(0.0, trainable=False)

    def update(self) -> None:
        """Take in the weights as they are now; may be called inside a `tf.function`."""
        if not self._weights:
            return
        self._steps.assign_add(1.0)
        decay = tf.minimum(self._decay, self._steps / (self._steps + 9.0))
        for average, weight in zip(self._average, self._weights, strict=True):
            average.assign_add((1.0 - decay) * (weight.value - average))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model have the average for weights while the block runs."""
        kept = [weight.numpy() for weight in self._weights]
        for weight, average in zip(self._weights, self._average, strict=True):
            weight.assign(average)
        try:
            yield
        finally:
            for weight, value in zip(self._weights, kept, strict=True):
                weight.assign(value)

    @property
    def state(self) -> list[Any]:
        """Every variable the average depends on, for checkpoints."""
        return [self._steps, *self._average]
