"""The tables of ``emotool data check``, on stdout."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from emotool.text import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from emotool_training.audit.report import Report, Row

__all__ = ["duration", "show_report"]

SHOWN_PER_KIND = 10
"""Problems of one kind that are listed; ``--json`` lists all."""


def show_report(report: "Report", *, speakers: bool = True) -> None:
    """Print what is there and what is wrong."""
    from rich.console import Console

    console = Console()
    if speakers:
        console.print(_table("Speakers", report.speakers))
    console.print(_table("Corpora", report.corpora, total=True))
    for corpus, reason, count in report.excluded:
        line = printable(f"skipped: {count:,} of {corpus}: {reason}")
        console.print(line, markup=False, highlight=False)
    if report.copies:
        console.print(f"skipped: {report.copies:,} further copies of clips", highlight=False)
    _show_problems(console, report)


def duration(seconds: float) -> str:
    """Write a duration as hours, minutes and seconds.

    Examples
    --------
    >>> duration(3_725.4), duration(59.6)
    ('1:02:05', '0:01:00')
    """
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _table(title: str, rows: Sequence["Row"], *, total: bool = False) -> "Table":
    """Lay out corpora or speakers, one a line."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    of_speakers = bool(rows and rows[0].speaker)
    emotions = list(rows[0].emotions) if rows else []
    # No padding: a line of six emotions fits 80 columns.
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("speaker" if of_speakers else "corpus", overflow="fold", min_width=12)
    table.add_column(
        "sex" if of_speakers else "speakers", justify="left" if of_speakers else "right"
    )
    for heading in (*emotions, "clips", "h:mm:ss"):
        table.add_column(heading, justify="right", no_wrap=True)
    corpus = ""
    for row in rows:
        if of_speakers and corpus not in ("", row.corpus):
            table.add_section()
        corpus = row.corpus
        counts = [f"{count:,}" if count else "·" for count in row.emotions.values()]
        table.add_row(
            Text(printable(_name(row))),
            row.sex if of_speakers else f"{row.speakers:,}",
            *counts,
            f"{row.clips:,}",
            duration(row.duration_s),
        )
    if total and len(rows) > 1:
        table.add_section()
        sums = Counter({name: sum(row.emotions[name] for row in rows) for name in emotions})
        table.add_row(
            "all",
            f"{sum(row.speakers for row in rows):,}",
            *(f"{sums[name]:,}" for name in emotions),
            f"{sum(row.clips for row in rows):,}",
            duration(sum(row.duration_s for row in rows)),
        )
    return table


def _name(row: "Row") -> str:
    """Name a row: a speaker by its own name, or that of the corpus whose speakers are unknown."""
    if row.speaker == "unknown":
        return f"{row.corpus}, speakers unknown"
    return row.speaker or row.corpus


def _problems(count: int) -> str:
    return f"{count:,} problem{'' if count == 1 else 's'}"


def _show_problems(console: "Console", report: "Report") -> None:
    """List what is wrong by kind, the first few of each."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    if report.sound:
        console.print("No problems found.", style="green")
        return
    counts = Counter(problem.kind for problem in report.problems)
    table = Table(title=_problems(counts.total()), title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("kind", no_wrap=True)
    table.add_column("file", overflow="fold", ratio=1)
    table.add_column("problem", overflow="fold", ratio=1)
    shown: Counter[str] = Counter()
    for problem in report.problems:
        shown[problem.kind] += 1
        if shown[problem.kind] <= SHOWN_PER_KIND:
            path, message = (printable(t) for t in (str(problem.path), problem.message))
            table.add_row(Text(problem.kind, style="red"), Text(path), Text(message))
        elif shown[problem.kind] == counts[problem.kind]:
            more = counts[problem.kind] - SHOWN_PER_KIND
            table.add_row(
                Text(problem.kind, style="red"),
                Text(f"and {more:,} more"),
                Text("--json lists all"),
            )
    console.print(table)
