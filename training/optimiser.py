"""AdamW with a learning rate of its own for each group of layers.

Loshchilov and Hutter (2019), "Decoupled weight decay regularization", arXiv:1711.05101.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from training.cut import leaves
from training.recipe import Recipe
from training.schedule import learning_rate

__all__ = ["Optimiser"]

SPARED = ("bias", "gamma", "beta")
"""Weights without decay: pulling these to zero only shifts or shrinks what is normalised."""


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
        for layer in leaves(model):
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
