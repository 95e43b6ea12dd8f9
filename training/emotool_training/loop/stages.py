"""Stages of training: reconstruction, head alone, all trainable layers, ensemble member."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emotool.errors import TrainingError
from emotool_training import architectures
from emotool_training.evaluation.plots import save_learning_curves, save_reconstructions
from emotool_training.features.clips import TrainingClips, ValidationClips
from emotool_training.loop.dataset import TrainingSet
from emotool_training.loop.feature_maps import FeatureMaps, FeatureMapSet
from emotool_training.loop.fit import Fit, Progress
from emotool_training.loop.objective import Classification
from emotool_training.loop.reconstruction import Reconstruction
from emotool_training.network.network import MEMBER, Network, member_recipe
from emotool_training.network.split import split_backbone
from emotool_training.progress import Display
from emotool_training.recipes.recipe import Recipe
from emotool_training.recipes.settings import CachedFeatureMaps, FineTuning, HeadStage
from emotool_training.runs.folder import Run

__all__ = ["Task", "fit", "fit_tail"]

HEAD = "head"
"""Name of the head's stage, which its files begin with."""

RECONSTRUCTION = "reconstruction"
"""Name of the stage in which an encoder learns without labels."""

LEARNING = "learning"
"""Name of the stage in which a network learns that is not yet the whole model."""


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be trained.

    Parameters
    ----------
    network : Network
    training : TrainingClips
    validation : ValidationClips
    seed : int
    run : Run
        Keeps checkpoints and weights.
    cache : Path
        Where feature maps are cached.
    """

    network: Network
    training: TrainingClips
    validation: ValidationClips
    seed: int
    run: Run
    cache: Path


def fit(task: Task, recipe: Recipe, display: Display) -> Progress:
    """Train a network by a recipe; the best weights are in it, and in its run, at the end.

    Returns
    -------
    Progress
        Of the main network's last stage.

    Raises
    ------
    TrainingError
        If training fails.
    """
    if recipe.reconstruct is not None:
        display.say("stage: reconstruction of spectrograms")
        _reconstruct(task, recipe, display)
    if recipe.head_first is not None:
        display.say("stage: head alone")
        _fit_from_maps(task, _for_head(recipe, recipe.head_first), HEAD, display)
    if recipe.reconstruct is not None or recipe.head_first is not None:
        display.say("stage: all trainable layers")
    if recipe.kept is None and recipe.companion is None:
        return _fit_whole(task, task.network.main, recipe, "", display)
    if recipe.kept is None:
        progress = _fit_whole(task, task.network.main, recipe, LEARNING, display)
    else:
        progress = _fit_from_maps(task, recipe, LEARNING, display)
    if recipe.companion is not None:
        _fit_member(task, member_recipe(recipe, recipe.companion), display)
    task.run.stage().save_best(task.network.whole)
    return progress


def fit_tail(task: Task, recipe: Recipe, settings: FineTuning, display: Display) -> Progress:
    """Fine-tune the layers behind the cached feature maps, whose recipe has a linear head.

    Returns
    -------
    Progress

    Raises
    ------
    TrainingError
        If training fails, or the recipe caches no feature maps.
    """
    display.say("stage: fine-tuning")
    weights = task.network.main.trainable_weights
    before = [weight.numpy() for weight in weights]
    progress = _fit_from_maps(task, recipe, LEARNING, display)
    for weight, start in zip(weights, before, strict=True):
        weight.assign(start + settings.share * (weight.numpy() - start))
    return progress


def _fit_member(task: Task, recipe: Recipe, display: Display) -> None:
    """Train the ensemble member, and draw its curves beside the main network's."""
    display.say(f"stage: ensemble member, {recipe.architecture}")
    progress = _fit_whole(task, task.network.member, recipe, MEMBER, display)
    save_learning_curves(
        progress.history,
        progress.best,
        task.run.folder / f"{MEMBER}_learning_curves.png",
        title=f"{recipe.name}'s ensemble member, seed {task.seed}",
    )


def _fit_whole(task: Task, model: Any, recipe: Recipe, stage: str, display: Display) -> Progress:
    """Train all layers of a network that learn, from spectrograms."""
    data = TrainingSet(task.training, recipe, task.seed)
    objective = Classification(model, task.validation)
    with display.training(recipe.epochs):
        return Fit(model, objective, data, recipe, task.run.stage(stage)).run(display)


def _for_head(recipe: Recipe, first: HeadStage) -> Recipe:
    """Make the recipe of the head's stage, which ends with its last weights."""
    return dataclasses.replace(
        recipe,
        epochs=first.epochs,
        patience=first.epochs,
        first_judged=first.epochs,
        learning_rate=first.learning_rate,
        kept=CachedFeatureMaps(first.layer, first.copies),
    )


def _reconstruct(task: Task, recipe: Recipe, display: Display) -> None:
    """Train the encoder with a decoder, and draw its reconstruction of a clip of each label."""
    wanted = recipe.reconstruct
    if wanted is None:
        raise TrainingError(f"recipe {recipe.name} has no stage of reconstruction")
    whole = architectures.build_autoencoder(recipe.architecture, task.network.main, recipe.model)
    schedule = dataclasses.replace(
        recipe,
        epochs=wanted.epochs,
        patience=wanted.epochs,
        first_judged=1,
        learning_rate=wanted.learning_rate,
        layer_rates={},
    )
    data = TrainingSet(task.training, schedule, task.seed)
    objective = Reconstruction(whole, task.validation.windows)
    with display.training(wanted.epochs):
        Fit(whole, objective, data, schedule, task.run.stage(RECONSTRUCTION)).run(display)
    # The first clip of each label that validation has.
    shown = np.unique(task.validation.targets, return_index=True)[1].tolist()
    save_reconstructions(
        whole,
        np.stack([task.validation.windows[place][0] for place in shown]),
        task.run.folder / "reconstructions.png",
        title=f"{recipe.name}: validation clips before and after",
    )


def _fit_from_maps(task: Task, recipe: Recipe, stage: str, display: Display) -> Progress:
    """Train the layers behind the cached feature maps."""
    if recipe.kept is None:
        raise TrainingError(f"recipe {recipe.name} caches no feature maps")
    parts = split_backbone(task.network.main, recipe.kept.layer)
    kept, clips, judged = task.run.stage(stage), task.training, task.validation
    if not kept.is_over(recipe.epochs):  # else none are drawn, and to read them takes minutes
        maps = FeatureMaps(parts, recipe, task.cache)
        clips, judged = maps.training(clips, display), maps.validation(judged)
    data = FeatureMapSet(clips, recipe, task.seed)
    objective = Classification(parts.trainable, judged)
    with display.training(recipe.epochs):
        return Fit(parts.trainable, objective, data, recipe, kept).run(display)
