"""``emotool models``: what can be chosen, or one model's card."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emotool.cli.completion import model_names
from emotool.model.evidence import basis, is_thin
from emotool.text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from emotool.model.catalog import ModelEntry
    from emotool.model.metadata import ModelMetadata

__all__ = ["models"]

_UAR = ("uar", "uar_low", "uar_high")
_EXPECTED = "UAR, the mean recall of the labels; expect another corpus on your own recordings"


def models(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            autocompletion=model_names,
            help="Show the card of this model: a name, or the path of an .onnx file.",
        ),
    ] = None,
) -> None:
    """List the models for `emotool classify --model NAME`, or show one model's card.

    The list shows each model's labels, file size, accuracy (UAR, the mean recall of the labels,
    with its 95 % interval) on another corpus, which is the figure to expect on your own
    recordings, and on new speakers of the training corpora, and licence: built-in models first,
    with what each is for, then your own from the folders in EMOTOOL_MODELS and from exported/. If
    standard output is not a terminal, the list is tab-separated.
    """
    from rich.console import Console

    console = Console(highlight=False)
    if name is None:
        _show_list(console)
    else:
        _show_card(name, console)


@dataclass(frozen=True, slots=True)
class _Row:
    """A model and its metadata, or why it cannot be used."""

    entry: "ModelEntry"
    metadata: "ModelMetadata | None"
    problem: str = ""


def _show_list(console: "Console") -> None:
    from emotool.errors import ModelNotFoundError
    from emotool.model.catalog import list_models, model_folders

    rows = [_row(entry) for entry in list_models()]
    if not rows:
        folders = ", ".join(map(str, model_folders()))
        raise ModelNotFoundError("there are no models", hint=f"looked in: {folders}")
    if console.is_terminal:
        console.print(_table(rows))
    else:
        for cells in _plain(rows):
            typer.echo("\t".join(cells))


def _row(entry: "ModelEntry") -> _Row:
    from emotool.errors import ModelError
    from emotool.model.classifier import read_metadata

    try:
        return _Row(entry, read_metadata(entry.path))
    except ModelError as error:
        # The name stands beside it: the path need not be repeated.
        problem = error.message.removeprefix(printable(str(entry.path))).lstrip(": ")
        return _Row(entry, None, problem)


def _table(rows: list[_Row]) -> Any:
    """Lay the list out for a terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from emotool.model.catalog import BUILT_IN, DEFAULT_MODEL

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), caption_justify="left")
    table.add_column("model", overflow="fold", style="bold", min_width=11)
    table.add_column("labels", ratio=2)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("another\ncorpus", no_wrap=True)
    table.add_column("new\nspeakers", no_wrap=True)
    own = False
    for row in rows:  # the built-in ones come first
        if not row.entry.built_in and not own:
            own = True
            table.add_section()
            table.add_row(Text("your own", style="dim"))
        name = printable(row.entry.name) + (" *" if row.entry.name == DEFAULT_MODEL else "")
        size = f"{row.entry.size_bytes / 1e6:,.1f} MB"
        if row.metadata is None:
            table.add_row(Text(name), Text(row.problem, style="red"), size)
            continue
        metadata = row.metadata
        labels = Text(printable(", ".join(metadata.names)))
        if row.entry.built_in:
            labels.append(f"\n{BUILT_IN[row.entry.name]}", style="dim")
        figures = (_figure(metadata, protocol) for protocol in ("another_corpus", "new_speakers"))
        table.add_row(Text(name), labels, Text(size), *map(Text, figures))
    notes = [_EXPECTED, *_licences(rows)]
    if any(row.entry.name == DEFAULT_MODEL for row in rows):
        notes.insert(0, "* used when no --model is given")
    table.caption = Text("\n".join(notes), style="dim")
    return table


def _licences(rows: list[_Row]) -> Iterator[str]:
    """Yield each licence once, with the models that have it if there are several."""
    models: dict[str, list[str]] = {}
    for row in rows:
        if row.metadata is not None and row.metadata.licence:
            models.setdefault(row.metadata.licence, []).append(row.entry.name)
    for licence, names in models.items():
        of = "" if len(models) == 1 else f" of {', '.join(names)}"
        yield printable(f"licence{of}: {licence}")


def _figure(metadata: "ModelMetadata", protocol: str) -> str:
    """Write a UAR over several short lines, or a dash if the file has none."""
    cell = _uar(metadata, protocol) or "–"
    return cell.replace(" (", "\n(").replace(", only", ",\nonly").replace(" of ", "\nof ")


def _uar(metadata: "ModelMetadata", protocol: str) -> str:
    """Return a UAR with its interval; empty if the file has none."""
    uar, low, high = (metadata.metric(protocol, figure) for figure in _UAR)
    if uar is None:
        return ""
    interval = "" if low is None or high is None else f" ({100 * low:.1f}-{100 * high:.1f})"
    figures = metadata.metrics[protocol]
    few = f", only {basis(figures)}" if is_thin(figures) else ""
    return f"{100 * uar:.1f} %{interval}{few}"


def _plain(rows: list[_Row]) -> list[list[str]]:
    """Lay the list out for another program: a header, then a line for each model."""
    from emotool.model.catalog import BUILT_IN

    figures = (*_UAR, "accuracy")
    counts = ("clips", "speakers")
    lines = [
        [
            "model",
            "origin",
            "labels",
            "size_bytes",
            *figures,
            *counts,
            "licence",
            "path",
            "problem",
            "use",
            *(f"another_corpus_{figure}" for figure in _UAR),
        ]
    ]
    for row in rows:
        metadata = row.metadata
        values = [metadata.metric("new_speakers", f) if metadata else None for f in figures]
        abroad = [metadata.metric("another_corpus", f) if metadata else None for f in _UAR]
        people = [metadata.metric("new_speakers", c) if metadata else None for c in counts]
        lines.append(
            [
                row.entry.name,
                "built-in" if row.entry.built_in else "own",
                ",".join(metadata.names) if metadata else "",
                str(row.entry.size_bytes),
                *("" if value is None else f"{value:.4f}" for value in values),
                *("" if value is None else f"{value:.0f}" for value in people),
                metadata.licence if metadata else "",
                str(row.entry.path),
                row.problem,
                BUILT_IN[row.entry.name] if row.entry.built_in else "",
                *("" if value is None else f"{value:.4f}" for value in abroad),
            ]
        )
    return [[printable(cell) for cell in line] for line in lines]


def _show_card(name: str, console: "Console") -> None:
    from emotool.model.catalog import find_model

    card = _card_text(find_model(name))
    # A card may come with an untrusted model: only its text reaches the terminal.
    card = "\n".join(printable(line.expandtabs()) for line in card.splitlines())
    if console.is_terminal:
        from rich.markdown import Markdown

        console.print(Markdown(card, hyperlinks=False))
    else:
        typer.echo(card)


def _card_text(path: Path) -> str:
    """Read the card beside a model, or else let the model's metadata speak for it."""
    from emotool.errors import ModelError
    from emotool.model.classifier import read_metadata

    card = path.with_suffix(".md")
    try:
        if card.is_file():
            return card.read_text("utf-8", errors="replace")
    except OSError as error:
        raise ModelError(f"cannot read {card}: {error.strerror}") from error
    metadata = read_metadata(path)
    facts = {
        "labels": ", ".join(metadata.names),
        "architecture": metadata.architecture,
        "trained on": ", ".join(metadata.corpora),
        "UAR on another corpus": _uar(metadata, "another_corpus"),
        "UAR on new speakers": _uar(metadata, "new_speakers") or "not measured",
        "licence": metadata.licence,
        "notes": metadata.notes,
    }
    lines = [f"- {fact}: {value}" for fact, value in facts.items() if value]
    return "\n".join([f"# {metadata.name}", "", "This model has no card beside it.", "", *lines])
