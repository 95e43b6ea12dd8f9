"""Collect what is exported of a finished run: model, figures, temperature.

Figures come from the benchmark's folds where it has tried the run's recipe on the run's clips,
and so does the temperature: each clip is predicted by a model that was not trained on it. Any
other run is published with its own figures and a temperature fitted on its own validation clips.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emotool.errors import TrainingError
from emotool_training.checkout import git_commit
from emotool_training.corpora import Utterance, load_corpora
from emotool_training.evaluation.calibration import fit_temperature
from emotool_training.evaluation.predictions import Predictions, read_predictions
from emotool_training.export.export import Source
from emotool_training.export.figures import benchmark_figures, is_one_more_training, run_figures
from emotool_training.jobs.trained import load_model, recipe_of
from emotool_training.network.pretrained import RANDOM
from emotool_training.recipes.recipe import Recipe
from emotool_training.runs.folder import Run

__all__ = ["held_out_clips", "source_of"]

OUT_OF_FOLD = (
    "Figures are the recipe's, out of fold: each clip was predicted by models of this recipe that "
    "had not been trained on it. This file is one more training by the same recipe"
)


def source_of(run: Run, benchmark: Path) -> Source:
    """Gather what `emotool_training.export.export.export_model` needs of a run.

    Parameters
    ----------
    run : Run
        Finished.
    benchmark : Path
        ``figures.json`` of ``benchmarks/accuracy.py table``; need not be there.

    Returns
    -------
    Source

    Raises
    ------
    TrainingError
        If the run is not finished or a file of it is damaged.
    """
    metrics = run.metrics()
    recipe = recipe_of(run)
    predictions = read_predictions(run.folder / "predictions.csv")
    split = _read_split(run) | {"data": run.config.get("data_digest", "")}
    figures, temperature = _judged(run, predictions, split, benchmark)
    return Source(
        name=recipe.name,
        architecture=_architecture(recipe),
        labels=recipe.labels,
        spectrogram=recipe.spectrogram,
        model=load_model(run),
        split=split,
        metrics=figures,
        temperature=temperature,
        corpora=tuple(run.config.get("corpora", ())),
        notes=(
            f"Trained for {_length(recipe, metrics)}, seed {metrics['seed']}, at commit "
            f"`{run.config.get('git_commit', '')[:12] or '-'}`."
            + (f" Started from {started}." if (started := metrics.get("started_from")) else "")
            + _beside(recipe)
        ),
        git_commit=git_commit(),
    )


def _length(recipe: Recipe, metrics: Mapping[str, Any]) -> str:
    """Say for how long each stage was trained."""
    first = []
    if recipe.reconstruct:
        first.append(f"{recipe.reconstruct.epochs} epochs of reconstruction")
    if recipe.fine_tuning and recipe.kept:
        epochs = f"{metrics['epochs']} epochs (the layers behind {recipe.kept.layer})"
        return f"{epochs}, then one step (a linear head)"
    if recipe.linear_head:
        return "one step (a linear head on frozen frames)"
    if recipe.head_first:
        first.append(f"{recipe.head_first.epochs} epochs of the head alone")
    last = f"{metrics['best_epoch']} epochs"
    return f"{' and '.join(first)}, then for {last} with more layers" if first else last


def _architecture(recipe: Recipe) -> str:
    """Name the architecture, or both."""
    beside = f" + {recipe.companion.architecture}" if recipe.companion else ""
    return recipe.architecture + beside


def _beside(recipe: Recipe) -> str:
    """Describe the ensemble member for the model card."""
    if recipe.companion is None:
        return ""
    one = recipe.companion
    factors = ", ".join(f"{factor:g}" for factor in one.voices)
    pitches = (
        f" It receives each window with all frequencies divided by {factors}." if factors else ""
    )
    return (
        f" Ensembled with a `{one.architecture}`, trained separately for {one.epochs} epochs."
        f"{pitches} The logits are its own times {one.share:.2f} and the main network's times "
        f"{1 - one.share:.2f}."
    )


def _judged(
    run: Run, predictions: Predictions, split: Mapping[str, Any], benchmark: Path
) -> tuple[dict[str, Any], float]:
    """Choose figures and temperature."""
    recipe, metrics = recipe_of(run), run.metrics()
    found = benchmark_figures(benchmark, recipe.name)
    keys = {key for subset in split["clips"].values() for key in subset} - set(metrics["rejected"])
    from_weights = metrics.get("started_from") != RANDOM
    if from_weights and is_one_more_training(found, recipe, keys, metrics["best_epoch"]):
        said = f"{OUT_OF_FOLD}, with another split: {split['description']}"
        protocols = {name: {**one, "description": said} for name, one in found["protocols"].items()}
        # The first is fitted on both.
        for name in ("another_corpus", "new_speakers"):
            if name in protocols:
                return protocols, float(protocols[name]["temperature"])
    validated = predictions.subset("validation")
    temperature = (
        fit_temperature(validated.probabilities, validated.truth, doubt=True)
        if len(validated)
        else 1.0
    )
    return run_figures(predictions, split), temperature


def held_out_clips(run: Run, data: Sequence[Path] = ()) -> tuple[Utterance, ...]:
    """Find the clips that a run validated on, to compare models on; else those it trained on.

    Parameters
    ----------
    run : Run
        Any run.
    data : sequence of Path
        Where the corpora are now; none means where they were.

    Returns
    -------
    tuple of Utterance
        Sorted by key; never test clips, since they also set the ranges of int8.

    Raises
    ------
    CorpusError, TrainingError
        If the folders are not there, or hold none of the clips.
    """
    choices = run.config.get("choices", {})
    roots = data or [Path(path) for path in choices.get("data", ())]
    index = load_corpora(roots, speaker_pattern=choices.get("speaker_pattern"))
    clips = _read_split(run)["clips"]
    for subset in ("validation", "train"):
        wanted = set(clips.get(subset, ()))
        found = tuple(u for u in index.utterances if u.key in wanted)
        if found:
            return found
    raise TrainingError(
        f"none of the clips of {run.folder} is in {', '.join(map(str, roots))}",
        hint="name the corpora's folder with --data",
    )


def _read_split(run: Run) -> dict[str, Any]:
    """Read the run's split; `TrainingError` if it is damaged."""
    path = run.folder / "split.json"
    try:
        split = json.loads(path.read_text(encoding="utf-8"))
        return {**split, "description": str(split["description"]), "clips": dict(split["clips"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path}: cannot be read: {error!r}") from error
