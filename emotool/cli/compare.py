"""``emotool compare``: two tables of labels side by side."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emotool.cli.help import Short
from emotool.text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from emotool.results.agreement import Comparison, Table

__all__ = ["SHORT", "compare"]

SHORT = Short(
    examples=(
        ("Two models", "emotool compare cnn.csv resnet.csv"),
        ("Labels by people", "emotool compare labels.csv people.csv --truth emotion"),
        ("Corrected labels", "emotool compare labels.csv corrections.csv"),
    ),
)

_SHOWN = 20


def compare(
    first: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="Table of labels by `emotool classify` (CSV, TSV, JSON or JSON Lines).",
        ),
    ],
    second: Annotated[
        str,
        typer.Argument(
            metavar="B",
            help="Second table of labels; corrections.csv of a report; or, with --truth, any "
            "table with paths and true labels.",
        ),
    ],
    truth: Annotated[
        str | None,
        typer.Option(
            "--truth",
            metavar="COLUMN",
            help="Column of B that holds the true labels.",
        ),
    ] = None,
    column: Annotated[
        str,
        typer.Option(
            "--column",
            metavar="COLUMN",
            help="Column of B that holds the paths.",
        ),
    ] = "path",
    root: Annotated[
        str | None,
        typer.Option(
            "--root",
            metavar="FOLDER",
            help="Folder of the clips that B, a corrections.csv, is about: report paths that are "
            "not there.",
        ),
    ] = None,
    by_name: Annotated[
        bool,
        typer.Option(
            "--by-name",
            help="Also match paths of different folders by a file name that only they have.",
        ),
    ] = False,
    show: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="List at most N clips whose labels differ; 0 lists none.",
        ),
    ] = _SHOWN,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print everything as JSON, including all clips whose labels differ.",
        ),
    ] = False,
) -> None:
    """Compare two tables of labels: how far they agree, and on which clips they differ.

    Clips are matched by path: ./a/x.wav is a/x.wav, and a path that is the end of one other path
    only is the same clip. Upper and lower case of labels do not matter. Clips that only one table
    has, that have no label in one or are uncertain, and labels that the other table's model does
    not know are counted and listed separately. Cohen's kappa (1960) is the agreement beyond
    chance: 1 is full agreement, 0 is chance. With --truth there are the recall of each label and
    their mean (UAR), too, and so there are if B is the corrections.csv of a report.

    Exit codes: 0 the tables were compared, whether they agree or not; 1 they could not be.
    """
    from emotool.results.agreement import compare as work_out
    from emotool.results.agreement import read_table

    ours = read_table(first)
    corrections = None if truth else _corrections(second, root, ours)
    other = corrections or read_table(second, truth or "label", column)
    found = work_out(ours, other, by_name=by_name)
    if as_json:
        typer.echo(json.dumps(_document(found, first, second), indent=1))
        return
    from rich.console import Console

    console = Console(highlight=False)
    _show(found, console, truth=bool(truth or corrections))
    _show_clips(found, (first, second), show, console)


def _corrections(path: str, root: str | None, ours: "Table") -> "Table | None":
    """Return the labels of a table of corrections, its counts printed; None for another table.

    A clip has the path that was labelled: as the table writes it, or as it lies below the root.
    """
    from emotool.errors import InputError
    from emotool.inputs.corrections import is_corrections, read_corrections
    from emotool.results.agreement import Table

    if not is_corrections(path):
        if root is not None:
            raise InputError(
                f"{printable(path)} is no table of corrections, which --root is for",
                hint="it has the columns path and correction",
            )
        return None
    found = read_corrections(path, root, find=root is not None)
    typer.echo(found.summary, err=True)
    labels = dict.fromkeys(found.undecided, "")
    for one in found.usable:
        labels[one.shown if one.shown in ours.labels else one.path] = one.correction
    return Table(path, labels)


def _document(found: "Comparison", first: str, second: str) -> dict[str, Any]:
    from emotool.results.agreement import cohens_kappa

    def rows(clips: tuple[tuple[str, str, str], ...]) -> list[dict[str, str | None]]:
        return [{"path": path, "a": a or None, "b": b or None} for path, a, b in clips]

    return {
        "a": printable(first),
        "b": printable(second),
        "compared": found.compared,
        "agreement": found.agreement,
        "kappa": cohens_kappa(found.pairs),
        "uar": found.uar,
        "recall": found.recalls,
        "labels": found.labels,
        "confusion": [[found.pairs[a, b] for b in found.labels] for a in found.labels],
        "differing": rows(found.differing),
        "unlabelled": rows(found.unlabelled),
        "uncertain": rows(found.uncertain),
        "unknown": rows(found.unknown),
        "joined": found.joined,
        "alike": found.alike,
        "only_a": found.only_first,
        "only_b": found.only_second,
    }


def _show(found: "Comparison", console: "Console", *, truth: bool) -> None:
    """Print the figures and the confusion matrix, and recalls if the second table is the truth."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from emotool.results.agreement import cohens_kappa

    kappa = cohens_kappa(found.pairs)
    said = "not defined (one label only)" if kappa is None else f"{kappa:.3f}"
    console.print(
        f"{_clips(found.compared)} compared · agreement {100 * found.agreement:.1f} % · "
        f"Cohen's kappa {said}"
    )
    matrix = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    matrix.add_column(Text("A \\ B"))
    for label in found.labels:
        matrix.add_column(Text(printable(label)), justify="right")
    for a in found.labels:
        counts = [f"{found.pairs[a, b]:,}" for b in found.labels]
        matrix.add_row(Text(printable(a)), *counts)
    console.print(matrix)
    if truth:
        recalls = ", ".join(f"{printable(k)} {100 * v:.1f} %" for k, v in found.recalls.items())
        console.print(Text(f"UAR {100 * found.uar:.1f} % · recall: {recalls}"), soft_wrap=True)


def _show_clips(found: "Comparison", names: tuple[str, str], most: int, console: "Console") -> None:
    """Count the clips that are not alike and list some; another program gets paths unbroken."""
    from rich.text import Text

    kinds = (
        ("differs", "differ", found.differing),
        ("lacks a label", "lack a label", found.unlabelled),
        ("is uncertain", "are uncertain", found.uncertain),
        ("has a label unknown to a model", "have labels unknown to a model", found.unknown),
    )
    end = ":" if most else ""
    for singular, plural, rows in kinds:
        if rows:
            console.print(f"{_clips(len(rows))} {singular if len(rows) == 1 else plural}{end}")
        for path, one, other in rows[:most]:
            line = f"  {printable(path)}: {_label(one)} / {_label(other)}"
            console.print(Text(line), soft_wrap=True)
        if most and len(rows) > most:
            console.print(f"  … and {len(rows) - most:,} more (--json has all)")
    for name, paths in zip(names, (found.only_first, found.only_second), strict=True):
        if paths:
            some = [printable(path) for path in paths[: min(3, most)]]
            some += ["…"] if some and len(some) < len(paths) else []
            line = f"{_clips(len(paths))} only in {printable(name)}{end} {', '.join(some)}"
            console.print(Text(line.rstrip()), soft_wrap=True)
    if found.joined:
        console.print(f"{_clips(len(found.joined))} matched by paths written differently")
    if found.alike:
        one, other = map(printable, found.alike[0])
        line = f"{_clips(len(found.alike))} of each table have equal file names, such as {one} and "
        console.print(Text(f"{line}{other}: --by-name matches them"), soft_wrap=True)


def _clips(number: int) -> str:
    return "1 clip" if number == 1 else f"{number:,} clips"


def _label(label: str) -> str:
    return printable(label) or "–"
