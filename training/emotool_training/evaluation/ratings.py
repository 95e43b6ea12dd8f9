"""Evaluate a model that gives dimensions on a manifest with listeners' numbers."""

import csv
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emotool.errors import CorpusError, InputError, TrainingError
from emotool.files.atomic import atomic_write
from emotool.inputs.clips import Clip
from emotool.inputs.delimited import read_delimited
from emotool.inputs.encoding import read_text
from emotool.model.classifier import Classifier
from emotool.results.row import ClipResult
from emotool.run.pipeline import classify_clips
from emotool.workers.pool import PoolOptions
from emotool_training.evaluation.concordance import Rated, score_numbers
from emotool_training.evaluation.evaluate import GROUPS, TrainedOn
from emotool_training.folders import make_folder
from emotool_training.runs.folder import write_json

__all__ = ["RatedClip", "RatingEvaluation", "evaluate_ratings", "read_ratings", "write_ratings"]


@dataclass(frozen=True, slots=True)
class RatedClip:
    """A clip with listeners' numbers.

    Parameters
    ----------
    key : str
        Its path as the manifest has it.
    path : Path
        The file; need not be there.
    numbers : tuple of float
        One per dimension; NaN where there is none.
    speaker, corpus : str
        As the manifest has them; maybe empty.
    """

    key: str
    path: Path
    numbers: tuple[float, ...]
    speaker: str = ""
    corpus: str = ""


@dataclass(frozen=True, eq=False)
class RatingEvaluation:
    """A model's numbers beside those of listeners, and how far they agree.

    Parameters
    ----------
    answered : sequence of (RatedClip, ClipResult)
        Clips that have numbers.
    unanswered : sequence of ClipResult
        The others.
    figures : dict of str to dict
        By group of speakers, as `emotool_training.evaluation.concordance.score_numbers` gives them.
    """

    answered: Sequence[tuple[RatedClip, ClipResult]]
    unanswered: Sequence[ClipResult]
    figures: dict[str, dict[str, Any]]


def read_ratings(path: Path, dimensions: Sequence[str]) -> list[RatedClip]:
    """Read a manifest with a column ``path`` and one per dimension.

    Parameters
    ----------
    path : Path
        A CSV or TSV; ``speaker`` and ``corpus`` may be there.
    dimensions : sequence of str
        The model's; at least one must be a column.

    Raises
    ------
    CorpusError
        If it is no such table, or a cell is no number.
    """
    try:
        table = read_delimited(read_text(str(path), str(path)), str(path))
    except InputError as error:
        raise CorpusError(f"{path}: cannot be read as a CSV", hint=error.hint) from error
    names = list(table.columns)
    if "path" not in names or not set(dimensions) & set(names):
        raise CorpusError(
            f"{path}: a manifest for this model has the columns path and {' or '.join(dimensions)}",
            hint=f"its columns: {', '.join(names) or 'none'}",
        )
    clips = []
    for line, row in table.rows:
        cells = dict(zip(names, row, strict=True))
        numbers = tuple(_number(cells.get(name, ""), path, line) for name in dimensions)
        file = path.parent / cells["path"]
        speaker, corpus = cells.get("speaker", ""), cells.get("corpus", "")
        clips.append(RatedClip(cells["path"], file, numbers, speaker.strip(), corpus.strip()))
    return clips


def _number(cell: str, path: Path, line: int) -> float:
    try:
        found = float(cell) if cell.strip() else math.nan
    except ValueError:
        found = math.inf
    if math.isinf(found):
        raise CorpusError(f"{path}: line {line}: {cell[:80]!r} is no number")
    return found


def evaluate_ratings(
    classifier: Classifier,
    clips: Sequence[RatedClip],
    options: PoolOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RatingEvaluation:
    """Classify rated clips and score the numbers.

    Parameters
    ----------
    classifier : Classifier
        Gives dimensions.
    clips : sequence of RatedClip
    options : PoolOptions, optional
        How clips are read.
    progress : callable, optional
        Called with how many of how many clips are done.

    Raises
    ------
    TrainingError
        If no clip got numbers.
    """
    listed = [Clip(i, one.key, os.fspath(one.path)) for i, one in enumerate(clips)]
    answered: list[tuple[RatedClip, ClipResult]] = []
    unanswered: list[ClipResult] = []
    for result in classify_clips(listed, classifier, options):
        if result.status == "ok":
            answered.append((clips[result.index], result))
        else:
            unanswered.append(result)
        if progress is not None:
            progress(len(answered) + len(unanswered), len(clips))
    if not answered:
        first = f"; the first, {unanswered[0].shown}: {unanswered[0].reason}" if clips else ""
        raise TrainingError(f"none of {len(clips)} clips got numbers{first}")
    trained_on = TrainedOn.by(classifier.metadata)
    groups = [trained_on.group(clip.speaker, clip.corpus) for clip, _ in answered]
    figures = {
        name: score_numbers(_rated(classifier, [answered[i] for i in places]))
        for name in GROUPS
        if (places := [i for i, group in enumerate(groups) if group == name])
    }
    return RatingEvaluation(answered, unanswered, figures)


def _rated(classifier: Classifier, pairs: Sequence[tuple[RatedClip, ClipResult]]) -> Rated:
    return Rated(
        classifier.dimensions,
        np.array([clip.numbers for clip, _ in pairs], np.float64),
        np.array([result.dimensions for _, result in pairs], np.float64),
        [clip.speaker for clip, _ in pairs],
        [clip.corpus for clip, _ in pairs],
    )


def write_ratings(evaluation: RatingEvaluation, classifier: Classifier, folder: Path) -> None:
    """Write ``evaluation.json`` and ``predictions.csv`` to a folder.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    make_folder(folder, "choose a folder that you may write to with -o")
    names = classifier.dimensions
    with atomic_write(folder / "predictions.csv", text=True) as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["path", "speaker", "corpus", *(f"true_{name}" for name in names), *names])
        for clip, result in evaluation.answered:
            truth = ["" if math.isnan(number) else number for number in clip.numbers]
            given = [f"{number:.6f}" for number in result.dimensions]
            writer.writerow([clip.key, clip.speaker, clip.corpus, *truth, *given])
    write_json(
        folder / "evaluation.json",
        {
            "model": classifier.name,
            "sha256": classifier.sha256,
            "groups": evaluation.figures,
            "unanswered": {
                one.shown: f"{one.status} {one.reason}" for one in evaluation.unanswered
            },
        },
    )
