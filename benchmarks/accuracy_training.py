"""One training of the accuracy benchmark: started, gone on with, and its predictions kept."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.accuracy_store import OWN_STATISTICS, Job, Outcome, load_job, save_job
from emotool.errors import TrainingError
from emotool_training.architectures import PRETRAINED
from emotool_training.evaluation.predictions import read_predictions
from emotool_training.export.figures import recipe_digest
from emotool_training.jobs.trained import recipe_of
from emotool_training.network.pretrained import default_weights
from emotool_training.recipes.recipe import load_recipe
from emotool_training.runs.folder import OWN_STATISTICS as OWN_STATISTICS_FILE
from emotool_training.runs.folder import Run, find_runs, open_run

__all__ = ["Places", "Wanted", "check_recipe", "keep", "trained"]

ROOT = Path(__file__).resolve().parents[1]
SPLITS = {"another_corpus": "corpora", "new_speakers": "folds", "random_clips": "clips"}


@dataclass(frozen=True)
class Places:
    """Where things are.

    Parameters
    ----------
    data : Path
        The corpora's folder.
    folds : Path
        The CSV of folds, with ``validation_speakers.csv`` beside it.
    runs : Path
        Gets a folder for each job.
    results : Path
        The folder of `benchmarks.accuracy_store`.
    weights : mapping
        By architecture, what networks that can be pretrained start from; else what they do where
        nothing is chosen.
    """

    data: Path
    folds: Path
    runs: Path
    results: Path
    weights: Mapping[str, str] = field(default_factory=dict)

    def weights_of(self, architecture: str) -> str:
        """Return what an architecture starts from."""
        return self.weights.get(architecture, default_weights(architecture))


@dataclass(frozen=True)
class Wanted:
    """What a job trains.

    Parameters
    ----------
    recipe : str
        A recipe's name, or the path of its JSON file.
    digest : str
        The recipe's, as it is now.
    folds : int
        How many folds the protocol has.
    """

    recipe: str
    digest: str
    folds: int


def check_recipe(job: Job, wanted: Wanted, results: Path) -> None:
    """Refuse to go on with results of a recipe that has changed since."""
    if load_job(results, job)[1].recipe != wanted.digest:
        raise TrainingError(
            f"{job.file(results, '.csv')} is of another recipe than the present {job.model}",
            hint=f"remove {results / job.model}, or bring the recipe back",
        )


def trained(job: Job, wanted: Wanted, places: Places) -> Run:
    """Train a job, in a process of its own, or find the run that has."""
    root = places.runs / f"{job.protocol}-fold{job.fold}-seed{job.seed}-{wanted.digest[:12]}"
    finished = find_runs(root, job.model, finished=True)
    if finished:
        return finished[0]
    unfinished = find_runs(root, job.model, finished=False)
    named = [str(unfinished[0].folder), "--resume"] if unfinished else [wanted.recipe]
    choices = {
        "data": places.data,
        "folds": places.folds,
        "fold": job.fold,
        "split": SPLITS[job.protocol],
        "seed": job.seed,
        "runs": root,
    }
    if load_recipe(wanted.recipe).architecture in PRETRAINED:
        choices["weights"] = places.weights_of(load_recipe(wanted.recipe).architecture)
    arguments = [part for name, value in choices.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "emotool", "train", *named, *arguments]
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=False)
    if done.returncode == 130:
        raise KeyboardInterrupt
    if done.returncode:
        raise TrainingError(f"training ended with exit code {done.returncode}")
    return open_run(Path(done.stdout.strip()))


def keep(job: Job, run: Run, folds: int, results: Path) -> None:
    """Keep a finished run's predictions, unless it is not the job's."""
    metrics, recipe = run.metrics(), recipe_of(run)
    choices = run.config["choices"]
    if (choices["fold"], choices["seed"], choices["split"]) != (
        job.fold,
        job.seed,
        SPLITS[job.protocol],
    ):
        raise TrainingError(f"{run.folder} is no run of {job}")
    split = json.loads((run.folder / "split.json").read_text(encoding="utf-8"))
    tested = set(split["clips"]["test"])
    rejected = sorted(tested & set(metrics["rejected"]))
    for key in rejected:
        print(f"not predicted: {key}: {metrics['rejected'][key]}", file=sys.stderr)
    timing = json.loads((run.folder / "timing.json").read_text(encoding="utf-8"))
    outcome = Outcome(
        recipe=recipe_digest(recipe),
        kind=recipe_digest(recipe, length=False),
        split=split["digest"],
        folds=folds,
        test_clips=len(tested) - len(rejected),
        best_epoch=metrics["best_epoch"],
        seconds=timing["seconds_since_started_or_resumed"],
        git_commit=run.config["git_commit"],
    )
    own = run.folder / OWN_STATISTICS_FILE
    if job.protocol == "another_corpus" and own.is_file():
        # Before the job itself, which is done as soon as its files are there.
        beside = dataclasses.replace(job, protocol=OWN_STATISTICS)
        save_job(results, beside, read_predictions(own), outcome)
    save_job(results, job, read_predictions(run.folder / "predictions.csv"), outcome)
