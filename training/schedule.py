"""The learning rate over a run: a linear rise, then half a cosine.

Loshchilov and Hutter (2017), "SGDR", arXiv:1608.03983.
"""

import math

from training.recipe import Recipe

__all__ = ["learning_rate"]


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
