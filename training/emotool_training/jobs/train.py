"""A whole training run: features, model, epochs, and everything the run's folder keeps."""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from emotool.errors import TrainingError
from emotool_training import architectures
from emotool_training.architectures.blocks import set_constants
from emotool_training.corpora import Utterance
from emotool_training.evaluation.plots import save_confusion_plot, save_learning_curves
from emotool_training.evaluation.predictions import Predictions, write_predictions
from emotool_training.evaluation.scores import score
from emotool_training.features.clips import TrainingClips
from emotool_training.features.loader import FeatureLoader
from emotool_training.jobs.plan import Plan
from emotool_training.jobs.predicted import predictions_of
from emotool_training.jobs.train_linear import LinearTraining
from emotool_training.loop.fit import Progress
from emotool_training.loop.predict import clip_probabilities, logits_function
from emotool_training.loop.stages import Task, fit, fit_tail
from emotool_training.network.network import Network, build_network
from emotool_training.network.pretrained import default_weights, load_pretrained
from emotool_training.progress import Display
from emotool_training.recipes.recipe import Recipe
from emotool_training.runs.folder import OWN_STATISTICS, Run, exclusively, write_json
from emotool_training.splits import Split
from emotool_training.tf_setup import precision, prepare

__all__ = ["train"]

HALFWAY = 0.5
"""Share of a corpus's own statistics in `OWN_STATISTICS`: in the study of
``docs/research-log.md`` this much never costs accuracy, also where one label prevails."""


def train(run: Run, plan: Plan, display: Display) -> dict[str, Any]:
    """Train a model to the end, continuing from a run's last checkpoint if it has one.

    Parameters
    ----------
    run : Run
        Where everything is kept.
    plan : Plan
    display : Display
        Tells people how it goes.

    Returns
    -------
    dict
        The content of ``metrics.json``.

    Raises
    ------
    TrainingError
        If there is nothing to train on, training fails, or another process is at it.
    OutputError
        If something cannot be written.
    """
    with exclusively(run):
        return _train(run, plan, display)


def _train(run: Run, plan: Plan, display: Display) -> dict[str, Any]:
    """Train as `train` does, with the run's folder locked."""
    began = time.monotonic()
    recipe, split = plan.recipe, plan.split
    _check_labels(recipe, split.train)
    write_json(run.folder / "split.json", split.to_dict())
    gather = FeatureLoader(recipe, plan.cache, display)
    prepare(plan.seed)
    with precision(recipe.precision):
        network = build_network(recipe)  # before minutes of features: it may be impossible
    started_from = _start_from(network, plan)
    if started_from:
        display.say(started_from)
    fit_and_predict = _fit_epochs if recipe.linear_head is None else _fit_linear
    progress, predictions = fit_and_predict(run, plan, network, gather)
    title = f"{recipe.name}, seed {plan.seed}; {split.description}"
    curves = run.folder / "learning_curves.png"
    save_learning_curves(progress.history, progress.best, curves, title=title)
    gather.report_rejected()  # test clips are looked at here for the first time
    metrics = {
        "name": recipe.name,
        "labels": list(recipe.labels),
        "seed": plan.seed,
        "split": {k: v for k, v in split.to_dict().items() if k not in ("clips", "speakers")},
        "epochs": len(progress.history),
        "best_epoch": progress.best + 1,
        "rejected": gather.rejected,
        "started_from": started_from,
        **_keep_predictions(run, predictions, title),
    }
    _keep_timing(run, began)
    write_json(run.folder / "metrics.json", metrics)
    return metrics


def _fit_epochs(
    run: Run, plan: Plan, network: Network, gather: FeatureLoader
) -> tuple[Progress, Predictions]:
    """Train for epochs, by the recipe's stages, and predict."""
    recipe, split, display = plan.recipe, plan.split, gather.display
    training, validation = gather.training(split.train), gather.validation(split.validation)
    gather.report_rejected()
    _set_constants(network, recipe, training)
    weights = network.whole.count_params()
    display.say(
        f"{recipe.name}: {weights:,} parameters, {len(training)} clips to train on, "
        f"{len(validation.targets)} to validate on"
    )
    task = Task(network, training, validation, plan.seed, run, plan.cache.folder)
    progress = fit(task, recipe, display)
    return progress, _predict(network.whole, gather, split)


def _fit_linear(
    run: Run, plan: Plan, network: Network, gather: FeatureLoader
) -> tuple[Progress, Predictions]:
    """Fit the linear head and predict, also by each corpus's own statistics half-way.

    With fine-tuning, the layers before the head learn together with it; then it is fitted again.
    """
    recipe, split = plan.recipe, plan.split
    if recipe.linear_head is None:
        raise TrainingError(f"recipe {recipe.name} fits no linear head")
    training = LinearTraining(network, recipe, gather)
    progress = training.fit(split, run, recipe.linear_head)
    if recipe.fine_tuning is not None:
        clips, judged = gather.training(split.train), gather.validation(split.validation)
        task = Task(network, clips, judged, plan.seed, run, plan.cache.folder)
        progress = fit_tail(task, recipe, recipe.fine_tuning, gather.display)
        training = LinearTraining(network, recipe, gather)
        training.fit(split, run, recipe.linear_head)
    predictions = training.predict(split)
    halfway = training.predict(split, own_statistics=HALFWAY)
    write_predictions(run.folder / OWN_STATISTICS, halfway)
    return progress, predictions


def _check_labels(recipe: Recipe, clips: Sequence[Utterance]) -> None:
    missing = [label for label in recipe.labels if all(clip.emotion != label for clip in clips)]
    if missing:
        raise TrainingError(f"no training clip is labelled {' or '.join(missing)}")


def _set_constants(network: Network, recipe: Recipe, clips: TrainingClips) -> None:
    """Give the network the training set's constants, where its spec wants some."""
    if recipe.spectrogram.normalisation != "constants":
        return
    floor = recipe.spectrogram.top_db
    images = [copies[0].astype(np.float32) for copies in clips.images]
    floored = np.concatenate([np.maximum(i, i.max() - floor) for i in images], axis=1)
    for part in network.parts:
        set_constants(part, floored.mean(1), floored.std(1))  # over [n_mels, all frames]


def _start_from(network: Network, plan: Plan) -> str:
    """Give a network that can be pretrained what it starts from, and say what that is."""
    if plan.recipe.architecture not in architectures.PRETRAINED:
        return ""
    weights = plan.weights or default_weights(plan.recipe.architecture)
    return load_pretrained(network.main, weights)


def _predict(model: Any, gather: FeatureLoader, split: Split) -> Predictions:
    """Predict the validation and test clips, as ``classify`` would."""
    logits = logits_function(model)
    clips: list[tuple[str, Utterance]] = []

    def windows() -> Iterable[Any]:
        for subset in ("validation", "test"):
            members = split.subsets()[subset]
            for clip, array in gather.windows(members, f"{subset} spectrograms"):
                clips.append((subset, clip))
                yield array

    probabilities = clip_probabilities(logits, windows())  # [clips, labels]
    return predictions_of(gather.recipe.labels, clips, probabilities)


def _keep_predictions(run: Run, predictions: Predictions, title: str) -> dict[str, Any]:
    """Write and draw predictions; return the figures of each subset that has clips."""
    write_predictions(run.folder / "predictions.csv", predictions)
    figures = {
        subset: score(predictions.subset(subset))
        for subset in ("validation", "test")
        if len(predictions.subset(subset))
    }
    shown = "test" if "test" in figures else "validation"
    save_confusion_plot(
        figures[shown],
        run.folder / "confusion_matrix.png",
        title=f"{shown}: {title}",
    )
    return figures


def _keep_timing(run: Run, began: float) -> None:
    """Keep what no two runs share, apart from what they should."""
    write_json(
        run.folder / "timing.json",
        {
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds_since_started_or_resumed": round(time.monotonic() - began, 1),
        },
    )
