"""Two tables of labels, or a table and the truth: how far they agree, and where they do not.

Besides the share of equal labels there is Cohen's kappa, which takes from it what would agree
by chance given how often each side uses each label (J. Cohen, 1960, "A coefficient of agreement
for nominal scales", Educational and Psychological Measurement 20(1), 37-46,
doi:10.1177/001316446002000104).
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotool.errors import InputError
from emotool.inputs.delimited import delimited_rows
from emotool.text import harmless, printable, unharmed

__all__ = ["Comparison", "Table", "cohens_kappa", "compare", "read_table"]

_NO_TEXT = (".parquet", ".xlsx", ".html")  # of what classify writes
_OURS = ("path", "status", "label")  # how its tables begin


@dataclass(frozen=True, slots=True)
class Table:
    """Labels by path.

    Parameters
    ----------
    name : str
        The file, for messages.
    labels : dict of str to str
        Each path's label, "" where it has none, in the file's order.
    """

    name: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two tables agree.

    Parameters
    ----------
    pairs : Counter
        How often the first said one label and the second another: ``(first, second)``.
    differing : tuple of (path, first, second)
        The clips on which they differ, in the first table's order.
    unlabelled : tuple of (path, first, second)
        Clips in both tables that have no label in at least one; they are in no figure.
    only_first, only_second : tuple of str
        Paths that only one table has.
    """

    pairs: Counter[tuple[str, str]]
    differing: tuple[tuple[str, str, str], ...]
    unlabelled: tuple[tuple[str, str, str], ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]

    @property
    def compared(self) -> int:
        """How many clips have a label in both."""
        return self.pairs.total()

    @property
    def agreement(self) -> float:
        """The share of equal labels, 0 to 1."""
        return (self.compared - len(self.differing)) / self.compared

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels of the compared clips, sorted."""
        return tuple(sorted({label for pair in self.pairs for label in pair}))


def compare(first: Table, second: Table) -> Comparison:
    """Compare two tables clip by clip.

    Raises
    ------
    InputError
        If no clip has a label in both.

    Examples
    --------
    >>> ours = Table("a.csv", {"1.wav": "sad", "2.wav": "sad", "3.wav": ""})
    >>> theirs = Table("b.csv", {"1.wav": "sad", "2.wav": "happy", "3.wav": "sad"})
    >>> found = compare(ours, theirs)
    >>> found.agreement, found.differing, len(found.unlabelled)
    (0.5, (('2.wav', 'sad', 'happy'),), 1)
    """
    same = _same_clips(first.labels, second.labels)
    common = [(path, first.labels[path], second.labels[other]) for path, other in same.items()]
    both = [row for row in common if row[1] and row[2]]
    if not both:
        what = "has a label in both" if common else "is in both"
        raise InputError(
            f"no clip {what} {printable(first.name)} and {printable(second.name)}",
            hint="clips are the same if their paths are: classify them from the same folder",
        )
    theirs = set(same.values())
    return Comparison(
        Counter((a, b) for _, a, b in both),
        tuple(row for row in both if row[1] != row[2]),
        tuple(row for row in common if not (row[1] and row[2])),
        tuple(path for path in first.labels if path not in same),
        tuple(path for path in second.labels if path not in theirs),
    )


def _same_clips(first: Collection[str], second: Collection[str]) -> dict[str, str]:
    """Return how the second table writes each path of the first that it has.

    CSV has an apostrophe before a path that begins like a formula. That it is not the name's
    own cannot be seen in one table, but by what the other has instead.
    """
    same = {}
    for path in first:
        if path in second:
            same[path] = path
            continue
        for other in (harmless(path), unharmed(path)):
            if other in second and other not in first:
                same[path] = other
    return same


def cohens_kappa(pairs: Counter[tuple[str, str]]) -> float | None:
    """Compute Cohen's kappa (1960, doi:10.1177/001316446002000104) of a confusion matrix.

    Parameters
    ----------
    pairs : Counter
        How often one side said the first label and the other the second.

    Returns
    -------
    float or None
        1 for full agreement, 0 for what chance gives, less for less; None where both sides use
        one and the same label only, or there is nothing: chance explains it all.

    Examples
    --------
    >>> cohens_kappa(Counter({("a", "a"): 20, ("a", "b"): 5, ("b", "a"): 10, ("b", "b"): 15}))
    0.4
    """
    total = pairs.total()
    first: Counter[str] = Counter()
    second: Counter[str] = Counter()
    for (a, b), count in pairs.items():
        first[a] += count
        second[b] += count
    # In whole numbers, so that perfect agreement is exactly 1.
    by_chance = sum(first[label] * second[label] for label in first)  # times total squared
    equal = total * sum(count for (a, b), count in pairs.items() if a == b)
    return None if total**2 == by_chance else (equal - by_chance) / (total**2 - by_chance)


def read_table(path: str, column: str = "label") -> Table:
    """Read a table that `emotool classify` has written as text, or any CSV with ``path``.

    Parameters
    ----------
    path : str
        The file; ``.json`` is read as JSON, ``.jsonl`` as JSON Lines, everything else as CSV
        (commas, semicolons, tabs or vertical bars).
    column : str, default "label"
        Where the labels are.

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
    try:
        # Not read_text(), which would change line breaks within cells.
        text = Path(path).read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise InputError(f"cannot read {shown}: {reason}") from error
    rows = _READERS.get(suffix, _csv_rows)(text, shown)
    labels: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        for name in ("path", column):
            if name not in row:
                there = ", ".join(printable(str(key)) for key in row) or "none"
                raise InputError(
                    f"{shown} has no column {printable(name)!r} (row {number})",
                    hint=f"its columns: {there}",
                )
        clip, label = row["path"], row[column]
        if not isinstance(clip, str) or not isinstance(label, str | None):
            raise InputError(f"{shown}: row {number}: path and {printable(column)} must be texts")
        if clip in labels:
            raise InputError(
                f"{shown} has {printable(clip)} twice (row {number})",
                hint="a table of --segments has a row for each window: compare tables of clips"
                if "start_s" in row
                else "",
            )
        labels[clip] = (label or "").strip()
    return Table(path, labels)


def _csv_rows(text: str, shown: str) -> Iterator[dict[str, Any]]:
    lines = delimited_rows(text, shown)
    header = next(lines, (0, ()))[1]
    if not header:
        raise InputError(f"{shown} is empty")
    ours = header[: len(_OURS)] == _OURS
    for number, cells in lines:
        if len(cells) != len(header):
            raise InputError(f"{shown}: line {number} has another number of cells than the header")
        if ours:  # but for paths: `compare` sees which of two is meant
            cells = (cells[0], *map(unharmed, cells[1:]))
        yield dict(zip(header, cells, strict=True))


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
            raise InputError(f"{shown}: line {number} is no object")
        yield row


_READERS: dict[str, Callable[[str, str], Iterable[dict[str, Any]]]] = {
    ".json": _json_rows,
    ".jsonl": _json_lines,
}
