"""``emotool evaluate`` of a model that gives dimensions: agreement with listeners' numbers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from emotool.text import printable

if TYPE_CHECKING:
    from rich.table import Table

    from emotool.model.classifier import Classifier

__all__ = ["evaluate_numbers"]


def evaluate_numbers(
    classifier: "Classifier",
    data: Sequence[Path],
    output: Path | None,
    *,
    workers: int,
    as_json: bool,
) -> None:
    """Evaluate and show; the exit code is 3 if some clips got no numbers."""
    from emotool.errors import CorpusError
    from emotool.files.destination import numbered
    from emotool.workers.pool import PoolOptions
    from emotool_training.evaluation.ratings import evaluate_ratings, read_ratings, write_ratings
    from emotool_training.progress import progress_bar

    names = ", ".join(classifier.dimensions)
    if not data or any(path.is_dir() for path in data):
        raise CorpusError(
            f"{classifier.name} gives {names}: it is measured on a manifest with such numbers",
            hint=f"--data ratings.csv with the columns path, {names} and speaker",
        )
    clips = [clip for path in data for clip in read_ratings(path, classifier.dimensions)]
    with progress_bar("classifying") as advance:
        evaluation = evaluate_ratings(
            classifier, clips, PoolOptions(workers=workers), progress=advance
        )
    places = numbered(Path("evaluation") / classifier.name)
    folder = output or next(place for place in places if not place.exists())
    write_ratings(evaluation, classifier, folder)
    if as_json:
        typer.echo(json.dumps(evaluation.figures, indent=2, allow_nan=False))
    else:
        _show(classifier.name, evaluation.figures)
    typer.echo(f"{len(clips):,} clips; predictions written to {folder}", err=True)
    for result in evaluation.unanswered[:10]:
        text = f"  {printable(result.shown)}: {result.status} {printable(result.reason)}"
        typer.echo(text.rstrip(), err=True)
    if any(result.status == "failed" for result in evaluation.unanswered):
        raise typer.Exit(3)


def _show(model: str, figures: dict[str, Any]) -> None:
    """Print a table for each group of speakers."""
    from rich.console import Console

    from emotool.model.evidence import warning
    from emotool_training.evaluation.evaluate import GROUPS

    console = Console()
    for group, found in figures.items():
        console.print(f"{printable(model)}: {GROUPS[group]}", markup=False, highlight=False)
        console.print(_table(found))
        if few := warning(found):
            console.print(f"Warning: {few}", markup=False, highlight=False)


def _table(found: dict[str, Any]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("dimension")
    for name in ("clips", "CCC", "95 %", "RMSE"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, part in found["dimensions"].items():
        low, high = part["ccc_low"], part["ccc_high"]
        table.add_row(
            name,
            f"{part['clips']:,}",
            _shown(part["ccc"]),
            "" if low is None else f"{low:.3f} to {high:.3f}",
            _shown(part["rmse"]),
        )
    table.caption = f"{found['speakers']:,} speakers. Intervals are over speakers."
    table.caption_justify = "left"
    return table


def _shown(number: float | None) -> str:
    return "" if number is None else f"{number:.3f}"
