"""Update weights: the schedule of the learning rate, AdamW by groups of layers, averaging.

AdamW: Loshchilov and Hutter (2019), "Decoupled weight decay regularization", arXiv:1711.05101.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from emotool_training.network.split import flat_layers
from emotool_training.recipes.recipe import Recipe

__all__ = ["Optimiser", "WeightAverage", "learning_rate"]

SPARED = ("bias", "gamma", "beta")
"""Weights without decay: pulling these to zero only shifts or shrinks what is normalised."""


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Return the rate for one step.

    Parameters
    ----------
    recipe : Recipe
        Gives the highest rate, the share of it at the end, and the epochs of the rise.
    step : int
        Steps done before this one.
    steps_per_epoch : int

    Returns
    -------
    float
        In 0 … ``recipe.learning_rate``.

    Examples
    --------
    >>> rates = {"learning_rate": 1.0, "final_rate": 0.0}
    >>> recipe = Recipe("cnn", "cnn", epochs=10, warmup_epochs=2, **rates)
    >>> [round(learning_rate(recipe, epoch * 5, 5), 2) for epoch in (0, 1, 2, 6, 9)]
    [0.1, 0.6, 1.0, 0.5, 0.04]
    """
    rise = recipe.warmup_epochs * steps_per_epoch
    if step < rise:
        return recipe.learning_rate * (step + 1) / rise
    whole = max(1.0, recipe.epochs * steps_per_epoch - rise)
    progress = min(1.0, (step - rise) / whole)
    cosine = 0.5 * (1 + math.cos(math.pi * progress))
    return recipe.learning_rate * (recipe.final_rate + (1 - recipe.final_rate) * cosine)


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
        """Update the average with the current weights; may be called inside a `tf.function`."""
        if not self._weights:
            return
        self._steps.assign_add(1.0)
        decay = tf.minimum(self._decay, self._steps / (self._steps + 9.0))
        for average, weight in zip(self._average, self._weights, strict=True):
            average.assign_add((1.0 - decay) * (weight.value - average))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Use the average as the model's weights while the block runs."""
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


class Optimiser:
    """Updates a model's weights, group by group.

    Layers that ``recipe.layer_rates`` keeps still (share 0) are made untrainable here.

    Parameters
    ----------
    model : keras.Model
    recipe : Recipe
    """

    def __init__(self, model: keras.Model, recipe: Recipe) -> None:
        self._recipe = recipe
        groups: dict[str, list[Any]] = {}
        for layer in flat_layers(model):
            name = group_of(layer.name, recipe)
            if recipe.layer_rates.get(name, 1.0) == 0:
                layer.trainable = False
            groups.setdefault(name, []).extend(layer.trainable_variables)
        self._groups = {name: found for name, found in sorted(groups.items()) if found}
        self._optimisers = {name: self._new(found) for name, found in self._groups.items()}
        self.weights = [v for found in self._groups.values() for v in found]

    def _new(self, weights: Sequence[Any]) -> keras.optimizers.Optimizer:
        optimiser = keras.optimizers.AdamW(
            learning_rate=0.0, weight_decay=self._recipe.weight_decay, epsilon=1e-7
        )
        optimiser.exclude_from_weight_decay(var_names=list(SPARED))
        optimiser.build(weights)
        return optimiser

    def set_rate(self, step: int, steps_per_epoch: int) -> float:
        """Set the rates for one step and return that of layers without a share of their own."""
        rate = learning_rate(self._recipe, step, steps_per_epoch)
        for name, optimiser in self._optimisers.items():
            share = self._recipe.layer_rates.get(name, 1.0)
            waiting = step // steps_per_epoch < self._recipe.frozen_epochs.get(name, 0)
            optimiser.learning_rate.assign(0.0 if waiting else rate * share)
        return rate

    def apply(self, gradients: Sequence[tf.Tensor]) -> None:
        """Take a step along gradients given in the order of ``weights``."""
        if self._recipe.gradient_clip > 0:
            gradients, _ = tf.clip_by_global_norm(gradients, self._recipe.gradient_clip)
        start = 0
        for name, optimiser in self._optimisers.items():
            found = self._groups[name]
            optimiser.apply(gradients[start : start + len(found)], found)
            start += len(found)

    @property
    def state(self) -> list[Any]:
        """Every variable that the next step depends on, for checkpoints."""
        return [v for optimiser in self._optimisers.values() for v in optimiser.variables]


def group_of(layer: str, recipe: Recipe) -> str:
    """Name the entry of ``recipe.layer_rates`` that a layer belongs to; empty for none.

    Examples
    --------
    >>> group_of("conv4_block1", Recipe("r", "r", layer_rates={"conv": 0.1, "conv4": 0.3}))
    'conv4'
    """
    return max((name for name in recipe.layer_rates if layer.startswith(name)), key=len, default="")
