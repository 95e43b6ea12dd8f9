"""The stages of a training: the head first where the recipe says so, then all that learns."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotool.errors import TrainingError
from training.cut import cut
from training.dataset import TrainingClips, TrainingSet
from training.fit import Fit, Progress
from training.kept_maps import KeptMaps, KeptSet
from training.objective import Classification, ValidationClips
from training.progress import Display
from training.recipe import Recipe
from training.runs import Run

__all__ = ["Task", "fit"]

HEAD = "head"
"""Name of the head's stage, which its files begin with."""

LEARNING = "learning"
"""Name of the stage in which a part of the network learns from kept maps."""


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be trained.

    Parameters
    ----------
    model : keras.Model
    training : TrainingClips
    validation : ValidationClips
    seed : int
    run : Run
        Keeps checkpoints and weights.
    cache : Path
        Where maps are kept.
    """

    model: Any
    training: TrainingClips
    validation: ValidationClips
    seed: int
    run: Run
    cache: Path


def fit(task: Task, recipe: Recipe, display: Display) -> Progress:
    """Train a model by a recipe; the best weights are in it, and in its run, at the end.

    Returns
    -------
    Progress
        Of the last stage.

    Raises
    ------
    TrainingError
        If training fails.
    """
    if recipe.kept is None:
        if recipe.head_first is not None:
            raise TrainingError(f"recipe {recipe.name}: head_first needs kept")
        data = TrainingSet(task.training, recipe, task.seed)
        objective = Classification(task.model, task.validation)
        whole = Fit(task.model, objective, data, recipe, task.run.stage())
        with display.training(recipe.epochs):
            return whole.run(display)
    if recipe.head_first is not None:
        first = recipe.head_first
        schedule = dataclasses.replace(
            recipe,
            epochs=first.epochs,
            patience=first.epochs,
            first_judged=first.epochs,
            learning_rate=first.learning_rate,
            kept=dataclasses.replace(recipe.kept, layer=first.layer),
        )
        display.say("first stage: the head")
        _fit_tail(task, schedule, HEAD, display)
        display.say("second stage: all that learns")
    progress = _fit_tail(task, recipe, LEARNING, display)
    task.run.stage().save_best(task.model)
    return progress


def _fit_tail(task: Task, recipe: Recipe, stage: str, display: Display) -> Progress:
    """Train what comes behind the kept maps."""
    if recipe.kept is None:
        raise TrainingError(f"recipe {recipe.name} keeps no maps")
    parts = cut(task.model, recipe.kept.layer)
    maps = KeptMaps(parts, recipe, task.cache)
    data = KeptSet(maps.training(task.training, display), recipe, task.seed)
    objective = Classification(parts.tail, maps.validation(task.validation))
    with display.training(recipe.epochs):
        return Fit(parts.tail, objective, data, recipe, task.run.stage(stage)).run(display)
