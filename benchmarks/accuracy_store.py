"""Out-of-fold predictions on disk: what the results table is made of.

One training is one job: a model, a protocol, a fold and a seed. It leaves

* ``MODEL/PROTOCOL/foldF-seedS.csv``: key, subset (``validation`` or ``test``) and one
  probability per label for each clip that the model was not trained on;
* ``MODEL/PROTOCOL/foldF-seedS.json``: what was trained, for how long, at which commit.

``clips.csv`` holds what does not depend on the model (speaker, true emotion, …), once.
"""

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from emotool.errors import TrainingError
from emotool.files.atomic import atomic_write
from emotool_training.evaluation.predictions import (
    FACTS,
    Predictions,
    format_probability,
    from_rows,
)

__all__ = [
    "OWN_STATISTICS",
    "PROTOCOLS",
    "RESULTS",
    "Job",
    "Outcome",
    "load_all",
    "load_job",
    "save_job",
]

RESULTS = Path(__file__).resolve().parent / "results" / "accuracy"
PROTOCOLS = ("another_corpus", "new_speakers", "random_clips")
OWN_STATISTICS = "another_corpus_own_statistics"
"""What a linear head says of another corpus with that corpus's statistics half-way: no training of
its own, kept beside that of ``another_corpus``."""

_CLIP_FACTS = tuple(name for name in FACTS if name != "subset")
_SUBSETS = ("validation", "test")


@dataclass(frozen=True, order=True)
class Job:
    """One training.

    Parameters
    ----------
    model : str
        A recipe's name.
    protocol : str
        One of `PROTOCOLS`, or `OWN_STATISTICS`.
    seed, fold : int
        The training's seed, and the fold that tests.
    """

    model: str
    protocol: str
    seed: int
    fold: int

    def file(self, results: Path, suffix: str) -> Path:
        """Say where this job's file with a suffix is."""
        name = f"fold{self.fold}-seed{self.seed}{suffix}"
        return results / self.model / self.protocol / name

    def is_done(self, results: Path) -> bool:
        """Whether both files are there; the JSON is written last."""
        return self.file(results, ".json").is_file()


@dataclass(frozen=True)
class Outcome:
    """What a job leaves beside its predictions.

    Parameters
    ----------
    recipe : str
        Digest of the frozen recipe: results of different recipes are never mixed.
    kind : str
        Digest of the recipe apart from how long it trains.
    split : str
        Digest of the split.
    folds : int
        How many folds there are, so that a missing one is noticed.
    test_clips : int
        How many clips the fold tests.
    best_epoch : int
        The epoch whose weights were kept, from 1.
    seconds : float
        How long it took.
    git_commit : str
        Commit of the code that trained.
    """

    recipe: str
    kind: str
    split: str
    folds: int
    test_clips: int
    best_epoch: int
    seconds: float
    git_commit: str


def save_job(results: Path, job: Job, predictions: Predictions, outcome: Outcome) -> None:
    """Keep a job's predictions for validation and test clips.

    Raises
    ------
    TrainingError
        If not every test clip is predicted, or a clip's facts differ from those on disk.
    """
    tested = len(predictions.subset("test"))
    if tested != outcome.test_clips:
        raise TrainingError(f"{job}: {tested} of {outcome.test_clips} test clips are predicted")
    table = job.file(results, ".csv")
    table.parent.mkdir(parents=True, exist_ok=True)
    _merge_clips(results / "clips.csv", predictions)
    with atomic_write(table, text=True) as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["key", "subset", *(f"p_{label}" for label in predictions.labels)])
        for subset in _SUBSETS:
            part = predictions.subset(subset)
            for key, values in zip(part.facts["key"], part.probabilities, strict=True):
                writer.writerow([key, subset, *(format_probability(float(v)) for v in values)])
    with atomic_write(job.file(results, ".json"), text=True) as handle:
        handle.write(json.dumps(asdict(outcome), indent=1) + "\n")


def load_job(results: Path, job: Job) -> tuple[Predictions, Outcome]:
    """Read a finished job.

    Raises
    ------
    TrainingError
        If its files cannot be used.
    """
    return _load(results, job, _read_clips(results / "clips.csv"))


def load_all(
    results: Path, model: str, protocol: str
) -> dict[int, dict[int, tuple[Predictions, Outcome]]]:
    """Read all finished jobs of a model and protocol, by seed and fold.

    Raises
    ------
    TrainingError
        If a file cannot be used, or jobs are of different recipes.
    """
    clips = _read_clips(results / "clips.csv")
    found: dict[int, dict[int, tuple[Predictions, Outcome]]] = {}
    for path in sorted((results / model / protocol).glob("fold*-seed*.json")):
        fold, seed = (int(part.strip("foldse")) for part in path.stem.split("-"))
        job = Job(model, protocol, seed, fold)
        found.setdefault(seed, {})[fold] = _load(results, job, clips)
    recipes = {outcome.recipe for folds in found.values() for _, outcome in folds.values()}
    if len(recipes) > 1:
        raise TrainingError(f"{model}, {protocol}: results of {len(recipes)} different recipes")
    return found


def _load(
    results: Path, job: Job, clips: Mapping[str, Mapping[str, str]]
) -> tuple[Predictions, Outcome]:
    table = job.file(results, ".csv")
    try:
        outcome = Outcome(**json.loads(job.file(results, ".json").read_text(encoding="utf-8")))
        with table.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            labels = [n.removeprefix("p_") for n in reader.fieldnames or () if n.startswith("p_")]
            predictions = from_rows(labels, ({**clips[row["key"]], **row} for row in reader))
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise TrainingError(f"{table}: cannot be used: {error!r}") from error
    if len(predictions.subset("test")) != outcome.test_clips:
        raise TrainingError(f"{table}: {outcome.test_clips} test clips were expected")
    return predictions, outcome


def _read_clips(path: Path) -> dict[str, dict[str, str]]:
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as handle:
        return {row["key"]: row for row in csv.DictReader(handle)}


def _merge_clips(path: Path, predictions: Predictions) -> None:
    """Add the clips that the table does not have yet."""
    clips = _read_clips(path)
    for index, key in enumerate(predictions.facts["key"].tolist()):
        facts = {name: str(predictions.facts[name][index]) for name in _CLIP_FACTS}
        if clips.setdefault(key, facts) != facts:
            raise TrainingError(f"{key}: {facts} differs from {path}")
    with atomic_write(path, text=True) as handle:
        writer = csv.DictWriter(handle, _CLIP_FACTS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(clips[key] for key in sorted(clips))
