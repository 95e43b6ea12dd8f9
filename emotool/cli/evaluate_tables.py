"""What ``emotool evaluate`` shows: figures by group of clips, corpus, sex and intensity."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emotool.model.evidence import warning
from emotool.text import printable

if TYPE_CHECKING:
    from rich.table import Table

    from emotool_training.evaluation.evaluate import Evaluation

__all__ = ["show_evaluation"]

SHOWN = 10
"""Clips without a label that are listed; ``evaluation.json`` has all."""


def show_evaluation(evaluation: "Evaluation", model: str, *, speakers: bool = False) -> None:
    """Print figures on stdout, with a line for every speaker if wanted."""
    from rich.console import Console

    from emotool_training.evaluation.evaluate import GROUPS

    console = Console()
    for group, figures in evaluation.figures.items():
        console.print(f"{printable(model)}: {GROUPS[group]}", markup=False, highlight=False)
        console.print(_table(figures, speakers=speakers))
        console.print(_confusion(figures))
        calibration = figures["calibration"]
        console.print(
            f"calibration error (15 bins) {calibration['ece']:.3f}, "
            f"negative log-likelihood {calibration['nll']:.3f}",
            highlight=False,
        )
        console.print(_min_confidence(figures["min_confidence"]))
    if evaluation.unanswered:
        console.print(f"without a label, not counted: {len(evaluation.unanswered):,} clips")
    for result in evaluation.unanswered[:SHOWN]:
        text = f"  {printable(result.shown)}: {result.status} {printable(result.error)}"
        console.print(text.rstrip(), markup=False, highlight=False)
    if len(evaluation.unanswered) > SHOWN:
        console.print(f"  and {len(evaluation.unanswered) - SHOWN:,} more", highlight=False)


def _table(figures: Mapping[str, Any], *, speakers: bool) -> "Table":
    """Lay out a group's figures, a line for each part of it; fits 80 columns."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from emotool_training.evaluation.headline import averaged

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold")
    for name in ("clips", "speakers", "UAR", "95 %", "accuracy", "95 %", "F1"):
        table.add_column(name, justify="right", no_wrap=True)
    _add_line(table, "all", figures)
    for kind in ("corpus", "sex", "intensity", *(["speaker"] if speakers else [])):
        table.add_section()
        for name, part in sorted(figures[f"per_{kind}"].items()):
            _add_line(table, name, part)
    caption = f"In per cent. UAR of all: the {printable(averaged(figures))}."
    if few := warning(figures):
        caption += f" Warning: {few}."
    table.caption = Text(caption)
    table.caption_justify = "left"
    return table


def _add_line(table: "Table", name: str, part: Mapping[str, Any]) -> None:
    """Add the figures of some of the clips."""
    from rich.text import Text

    table.add_row(
        Text(printable(name)),
        f"{part['clips']:,}",
        "?" if part.get("unknown_speakers") else str(part["speakers"]),
        _rate(part, "uar"),
        _interval(part, "uar"),
        _rate(part, "accuracy"),
        _interval(part, "accuracy"),
        _rate(part, "f1"),
    )


def _rate(part: Mapping[str, Any], name: str) -> str:
    return f"{100 * part[name]:.1f}"


def _interval(part: Mapping[str, Any], name: str) -> str:
    """Write an interval; nothing where a single speaker leaves it unknown."""
    low, high = part.get(f"{name}_low"), part.get(f"{name}_high")
    return "" if low is None or high is None else f"{100 * low:.1f}-{100 * high:.1f}"


def _min_confidence(levels: Sequence[Mapping[str, Any]]) -> "Table":
    """Lay out which threshold makes labels correct how often, and how many clips it keeps."""
    from rich import box
    from rich.table import Table

    from emotool_training.evaluation.thresholds import MIN_KEPT

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), caption_justify="left")
    table.add_column("to be right")
    for name in ("use --min-confidence", "keeps", "95 %", "right", "95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in levels:
        wanted, bound = f"{100 * row['wanted']:.0f} % of the time", row["min_confidence"]
        if bound is not None:
            shown = [_rate(row, "kept"), _interval(row, "kept")]
            shown += [_rate(row, "accuracy"), _interval(row, "accuracy")]
            table.add_row(wanted, f"{bound:g}" if bound else "0 (all clips)", *shown)
        elif row["accuracy"] is None:
            table.add_row(wanted, f"under {MIN_KEPT} clips")
        else:
            best = [_rate(row, "accuracy"), _interval(row, "accuracy")]
            table.add_row(wanted, "not reached", "", "at best", *best)
    table.caption = (
        f"In per cent of the clips; a threshold keeps {MIN_KEPT} or more. It is chosen on these "
        "clips: expect a little less on others."
    )
    return table


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
