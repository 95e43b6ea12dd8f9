"""What ``emotool evaluate`` shows: figures by group of clips, corpus, sex and intensity."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from emotool.text import printable

if TYPE_CHECKING:
    from rich.table import Table

    from training.evaluate import Evaluation

__all__ = ["show_evaluation"]

SHOWN = 10
"""Clips without a label that are listed; ``evaluation.json`` has all."""

_FIGURES = ("uar", "accuracy", "f1")


def show_evaluation(evaluation: "Evaluation", model: str) -> None:
    """Print figures on stdout."""
    from rich.console import Console

    from training.evaluate import GROUPS

    console = Console()
    for group, figures in evaluation.figures.items():
        console.print(_table(f"{model}: {GROUPS[group]}", figures))
        console.print(_confusion(figures))
        calibration = figures["calibration"]
        console.print(
            f"calibration error (15 bins) {calibration['ece']:.3f}, "
            f"-log p of the true label {calibration['nll']:.3f}\n",
            highlight=False,
        )
    if evaluation.unanswered:
        console.print(f"without a label, and in no figure: {len(evaluation.unanswered):,} clips")
    for result in evaluation.unanswered[:SHOWN]:
        text = f"  {printable(result.shown)}: {result.status} {printable(result.error)}"
        console.print(text.rstrip(), markup=False, highlight=False)
    if len(evaluation.unanswered) > SHOWN:
        console.print(f"  and {len(evaluation.unanswered) - SHOWN:,} more", highlight=False)


def _table(title: str, figures: Mapping[str, Any]) -> "Table":
    """Lay out a group's figures, a line for each part of it."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(printable(title)), title_justify="left", box=box.SIMPLE)
    table.add_column("")
    for name in ("clips", "speakers", "UAR (95 %)", "accuracy (95 %)", "F1 (95 %)"):
        table.add_column(name, justify="right")
    for name, part in _lines(figures):
        values = (f"{part['clips']:,}", str(part["speakers"]))
        table.add_row(Text(printable(name)), *values, *(_cell(part, n) for n in _FIGURES))
    return table


def _lines(figures: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name each part of the figures: all, corpora, sexes, intensities."""
    averaged = figures["averaged_corpora"]
    note = f"all (UAR: mean of {len(averaged)} corpora)" if len(averaged) > 1 else "all"
    yield note, figures
    for kind in ("per_corpus", "per_sex", "per_intensity"):
        yield from sorted(figures[kind].items())


def _cell(part: Mapping[str, Any], name: str) -> str:
    """Write a rate in per cent, with its interval where one is known."""
    low, high = part.get(f"{name}_low"), part.get(f"{name}_high")
    bounds = "" if low is None or high is None else f" ({100 * low:.1f}-{100 * high:.1f})"
    return f"{100 * part[name]:.1f}{bounds}"


def _confusion(figures: Mapping[str, Any]) -> "Table":
    """Lay out the confusion matrix."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title="true \\ predicted", title_justify="left", box=box.SIMPLE)
    table.add_column("")
    for label in figures["labels"]:
        table.add_column(Text(printable(label)), justify="right")
    for label, counts in zip(figures["labels"], figures["confusion"], strict=True):
        table.add_row(Text(printable(label)), *(f"{count:,}" for count in counts))
    return table
