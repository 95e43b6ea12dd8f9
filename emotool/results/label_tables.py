"""Tables of labels, as `emotool classify` and people write them."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emotool.errors import InputError
from emotool.inputs.delimited import read_delimited
from emotool.inputs.encoding import read_text
from emotool.text import printable, unharmed

__all__ = ["Table", "read_table"]

_NO_TEXT = (".parquet", ".xlsx", ".html")  # of what classify writes
_OURS = ("path", "status", "label")  # how its tables begin
_KNOWN: Final = "p_"
_OTHER_PATHS: Final = "; --column names the one of B that holds the paths"


@dataclass(frozen=True, slots=True)
class Table:
    """Labels by path.

    Parameters
    ----------
    name : str
        The file, for messages.
    labels : dict of str to str
        Each path's label, "" where it has none, in the file's order.
    known : tuple of str, default ()
        The labels of the model that made the table; empty if that is not known.
    """

    name: str
    labels: dict[str, str]
    known: tuple[str, ...] = ()


def read_table(path: str, column: str = "label", paths: str = "path") -> Table:
    """Read a table that `emotool classify` has written as text, or any CSV of paths and labels.

    Parameters
    ----------
    path : str
        The file; ``.json`` is read as JSON, ``.jsonl`` as JSON Lines, everything else as CSV
        or TSV.
    column : str, default "label"
        Where the labels are.
    paths : str, default "path"
        Where the paths are.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or names a clip twice.
    """
    shown = printable(path)
    suffix = Path(path).suffix.lower()
    if suffix in _NO_TEXT:
        raise InputError(
            f"cannot read {shown}: only CSV, TSV, JSON and JSON Lines are compared",
            hint="emotool classify -o labels.csv writes such a table, also beside others",
        )
    text = read_text(path, shown)
    rows = _READERS.get(suffix, _csv_rows)(text, shown)
    labels: dict[str, str] = {}
    known: dict[str, None] = {}
    for number, row in enumerate(rows, 1):
        for name in (paths, column):
            if name not in row:
                there = ", ".join(printable(str(key)) for key in row) or "none"
                raise InputError(
                    f"{shown} has no column {printable(name)!r} (row {number})",
                    hint=f"its columns: {there}" + (_OTHER_PATHS if name == "path" else ""),
                )
        clip, label = row[paths], row[column]
        if not isinstance(clip, str) or not isinstance(label, str | None):
            raise InputError(
                f"{shown}: row {number}: {printable(paths)} and {printable(column)} must be texts"
            )
        if clip in labels:
            raise InputError(
                f"{shown} has {printable(clip)} twice (row {number})",
                hint="a table of --segments has a row for each window: compare tables of clips"
                if "start_s" in row
                else "",
            )
        labels[clip] = (label or "").strip()
        known |= dict.fromkeys(_known(row))
    return Table(path, labels, tuple(known))


def _known(row: dict[str, Any]) -> Iterable[str]:
    """Return the labels that a row of ours has probabilities of."""
    if tuple(row)[: len(_OURS)] != _OURS and "schema" not in row:
        return ()
    probabilities = row.get("probabilities")
    if isinstance(probabilities, dict):
        return list(map(str, probabilities))
    columns = tuple(row)[len(_OURS) + 1 :]  # those behind the confidence
    ours = itertools.takewhile(lambda name: name.startswith(_KNOWN), columns)
    return [name.removeprefix(_KNOWN) for name in ours]


def _csv_rows(text: str, shown: str) -> Iterator[dict[str, Any]]:
    table = read_delimited(text, shown)
    if not table.columns:
        raise InputError(f"{shown} is empty")
    for name in table.columns:
        if table.columns.count(name) > 1:
            raise InputError(f"{shown} has two columns called {printable(name)!r}")
    ours = table.columns[: len(_OURS)] == _OURS
    for _, cells in table.rows:
        if ours:  # but for paths: the comparison sees which of two is meant
            cells = (cells[0], *map(unharmed, cells[1:]))
        yield dict(zip(table.columns, cells, strict=True))


def _json_rows(text: str, shown: str) -> Sequence[dict[str, Any]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{shown} is not valid JSON: {error}") from error
    rows = document.get("clips") if isinstance(document, dict) else document
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{shown} has no list of clips", hint="emotool classify -o FILE.json")
    return rows


def _json_lines(text: str, shown: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{shown}: line {number} is not valid JSON: {error}") from error
        if not isinstance(row, dict):
            raise InputError(f"{shown}: line {number} is not an object")
        yield row


_READERS: dict[str, Callable[[str, str], Iterable[dict[str, Any]]]] = {
    ".json": _json_rows,
    ".jsonl": _json_lines,
}
