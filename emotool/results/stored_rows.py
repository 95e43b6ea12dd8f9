r"""Rows that `emotool classify` has written, read again as results.

JSON and JSON Lines hold all that the rows of a table can have. Parquet, CSV and TSV write bytes of
a path that are not UTF-8 as ``\xNN``, and CSV and TSV put an apostrophe before cells that look like
formulas: where a cell can mean two things, and the difference matters, it is an error.
"""

import base64
import csv
import json
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emotool.errors import InputError
from emotool.results.columns import Columns
from emotool.results.row import STATUSES, UNCERTAIN, ClipResult
from emotool.text import printable, unharmed

__all__ = ["StoredTable", "read_rows"]

_MOST_CHARACTERS: Final = 1 << 21  # of a cell: twice what a manifest's may have
_BATCH_ROWS: Final = 8192
_ESCAPED: Final = re.compile(r"\\(x[89a-f][0-9a-f]|ud[89a-f][0-9a-f]{2})")
_TIE: Final = 1e-12  # far below the decimals of probabilities

_TEXTS: Final = ("model", "stage", "error")
# What a file that is no such table leads to.
_INVALID: Final = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
    csv.Error,
)

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table of results, and how to read it.

    Parameters
    ----------
    path : Path
        The file.
    suffix : str
        Its format: ``.csv``, ``.tsv``, ``.json``, ``.jsonl`` or ``.parquet``.
    columns : Columns
        Its columns.
    separator, decimal : str
        Punctuation of CSV.
    as_written : bool, default False
        Leave the cells of CSV and TSV as they are, to be written to CSV or TSV again.
    exact_paths : bool, default False
        Whether bytes of paths that are not UTF-8 must be known.
    """

    path: Path
    suffix: str
    columns: Columns
    separator: str = ","
    decimal: str = "."
    as_written: bool = False
    exact_paths: bool = False


def read_rows(table: StoredTable) -> Generator[tuple[ClipResult, dict[str, str]]]:
    """Read a table's rows.

    Yields
    ------
    ClipResult
        With an index that grows by one for each clip, from 0.
    dict of str to str
        The cells of the manifest; empty without one.

    Raises
    ------
    InputError
        If the file is no such table, or a cell can mean two things.
    """
    shown = printable(str(table.path))
    index, path = -1, ""
    before: tuple[float, float] | None = None
    try:
        for record in _READERS[table.suffix](table):
            span = _span(record)
            # Windows of a clip follow each other; a file may be listed twice in a row.
            if record["path"] != path or span is None or before is None or span[0] <= before[0]:
                index += 1
            path, before = record["path"], span
            yield _result(record, table.columns, index, span), record.get("manifest") or {}
    except _INVALID as error:
        raise InputError(f"cannot read the rows of {shown}: {error!r}") from error


def _span(record: Record) -> tuple[float, float] | None:
    start = record.get("start_s")
    return None if start is None else (start, record["end_s"])


def _result(
    record: Record, columns: Columns, index: int, span: tuple[float, float] | None
) -> ClipResult:
    shares, numbers = record.get("probabilities") or {}, record.get("dimensions") or {}
    status, label = record["status"], record.get("label") or ""
    known = ("", UNCERTAIN, *columns.labels)
    if status not in STATUSES or (label not in known and unharmed(label) not in known):
        raise ValueError(f"a row has the status {status!r} and the label {label!r}")
    measures = [record.get("confidence"), record["duration_s"], *(span or ())]
    _check([*measures, *shares.values(), *numbers.values()], int | float | None)
    _check([record["path"], *(record.get("manifest") or {}).values()], str)
    _check([*(record[name] or "" for name in _TEXTS), *(record["flags"] or ())], str)
    return ClipResult(
        index,
        _path(record),
        status,
        record["model"] or "",
        label,
        record.get("confidence"),
        _ordered([shares[label] for label in columns.labels] if shares else [], record, columns),
        record["duration_s"],
        tuple(record["flags"] or ()),
        record["stage"] or "",
        record["error"] or "",
        span=span,
        dimensions=tuple(numbers[name] for name in columns.dimensions) if numbers else (),
    )


def _check(values: Iterable[Any], kind: Any) -> None:
    for value in values:
        if not isinstance(value, kind):
            raise TypeError(f"a row has {value!r} where something else belongs")


def _path(record: Record) -> str:
    if content := record.get("path_bytes"):
        return base64.b64decode(content).decode("utf-8", "surrogateescape")
    path: str = record["path"]
    return path


def _ordered(shares: list[float], record: Record, columns: Columns) -> tuple[float, ...]:
    """Give probabilities that are equal after rounding the order that they had before it."""
    top = {each["label"]: place for place, each in enumerate(record.get("top") or ())}
    if not top or len(set(shares)) == len(shares):
        return tuple(shares)
    last = len(columns.labels)
    places = [top.get(label, last) for label in columns.labels]
    return tuple(share + _TIE * (last - place) for share, place in zip(shares, places, strict=True))


def _json_records(table: StoredTable) -> Iterable[Record]:
    document = json.loads(table.path.read_text("utf-8"))
    clips: list[Record] = document["clips"]
    return clips


def _json_lines(table: StoredTable) -> Iterator[Record]:
    with table.path.open(encoding="utf-8", newline="\n") as handle:
        for line in handle:
            yield json.loads(line)


def _parquet_records(table: StoredTable) -> Iterator[Record]:
    from pyarrow import parquet

    with parquet.ParquetFile(table.path) as file:
        if tuple(file.schema_arrow.names) != table.columns.names:
            raise ValueError("its columns are others than its record says")
        for batch in file.iter_batches(_BATCH_ROWS):
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield _record(values, table)


def _delimited_records(table: StoredTable) -> Iterator[Record]:
    csv.field_size_limit(_MOST_CHARACTERS)
    separator = "\t" if table.suffix == ".tsv" else table.separator
    with table.path.open(encoding="utf-8-sig", newline="") as handle:
        rows = csv.reader(handle, delimiter=separator, strict=True)
        if tuple(map(unharmed, next(rows, []))) != tuple(map(unharmed, table.columns.names)):
            raise ValueError("its columns are others than its record says")
        for cells in rows:
            columns = zip(cells, table.columns.columns, strict=True)
            yield _record([_value(cell, column, table) for cell, column in columns], table)


def _value(cell: str, column: Any, table: StoredTable) -> Any:
    """Return the value that a cell of CSV stands for."""
    if column.decimals is not None:
        return float(cell.replace(table.decimal, ".")) if cell else None
    if not table.as_written and unharmed(cell) != cell:
        raise ValueError(
            f"the cell {printable(cell[:80])!r} may have had its apostrophe before: merge CSV to "
            "CSV or TSV, or make the parts in another format"
        )
    return cell.split(";") if column.kind == "texts" and cell else cell or None


def _record(values: Sequence[Any], table: StoredTable) -> Record:
    """Return a row of columns as the object that JSON has."""
    given = iter(values)
    record: dict[str, Any] = {}
    for entry in table.columns.entries:
        cells = [next(given) for _ in entry.columns]
        record[entry.name] = cells[0] if cells else None
        if entry.name == "probabilities":
            shares = zip(table.columns.labels, cells, strict=True)
            record[entry.name] = {label: share for label, share in shares if share is not None}
        elif entry.name == "dimensions":
            numbers = zip(table.columns.dimensions, cells, strict=True)
            record[entry.name] = {name: each for name, each in numbers if each is not None}
        elif entry.name == "top":
            pairs = zip(cells[::2], cells[1::2], strict=True)
            record[entry.name] = [{"label": label} for label, _ in pairs if label]
        elif entry.name == "manifest":
            keys = (column.key for column in entry.columns)
            record[entry.name] = {key: cell or "" for key, cell in zip(keys, cells, strict=True)}
    if record["status"] == "failed" and record["error"]:
        record["stage"], _, record["error"] = record["error"].partition(": ")
    if table.exact_paths and _ESCAPED.search(record["path"]):
        raise ValueError(
            f"the path {printable(record['path'])!r} may hold bytes that are no text: make the "
            "parts as .jsonl to merge them to JSON"
        )
    return record


_READERS: Final = {
    ".csv": _delimited_records,
    ".json": _json_records,
    ".jsonl": _json_lines,
    ".parquet": _parquet_records,
    ".tsv": _delimited_records,
}
