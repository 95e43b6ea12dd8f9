"""Tables of corrections: labels that a person has given clips, as the report downloads them.

A table has the columns ``path`` and ``correction`` and may have ``label`` (the model's),
``confidence``, ``when`` and ``speaker``; other columns are ignored. A downloaded table is seldom
in the folder that its paths are relative to, so the folder is a parameter. The table is
untrusted: its size is bounded, and no path in it leads out of that folder.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emotool.errors import InputError
from emotool.files.opening import kind_of, plain_reason
from emotool.inputs.delimited import Delimited, read_delimited
from emotool.inputs.encoding import encoding_of, read_text
from emotool.inputs.within import Within
from emotool.text import printable, unharmed

__all__ = [
    "CANNOT_TELL",
    "COLUMNS",
    "Correction",
    "Corrections",
    "is_corrections",
    "read_corrections",
]

COLUMNS: Final = ("path", "label", "correction", "confidence", "when")
"""The columns that the report writes, in order."""

CANNOT_TELL: Final = "cannot tell"
"""Stands in the column ``correction`` where the person could not decide."""

_REQUIRED: Final = {"path", "correction"}
_SPEAKER: Final = "speaker"
_MAX_BYTES: Final = 64 << 20
_MAX_ROWS: Final = 500_000
_MAX_LABEL: Final = 64  # characters, as in a model's metadata
_MAX_HEADER: Final = 1 << 16  # bytes
_SHOWN: Final = 3

Find = Callable[[str], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Correction:
    """One clip's label by a person.

    Parameters
    ----------
    shown : str
        The clip's path as the table has it.
    path : str
        What to open.
    correction : str
        The person's label, 1 to 64 printable characters, as it is written.
    label : str, default ""
        The model's label.
    confidence : float or None, default None
        The model's, 0 to 1.
    when : str, default ""
        When the label was given, ISO 8601.
    speaker : str, default ""
        Who speaks.
    """

    shown: str
    path: str
    correction: str
    label: str = ""
    confidence: float | None = None
    when: str = ""
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Corrections:
    """The rows of a table of corrections; each row is in one of the first three or repeated.

    Parameters
    ----------
    name : str
        The table's file.
    usable : tuple of Correction
        Clips that are there and have a label, in the table's order, each file once.
    undecided : tuple of str
        Paths of the rows without a label or with `CANNOT_TELL`.
    lost : tuple of (str, str)
        Paths of the rows that cannot be used, and why.
    repeated : int
        Rows about a file that a later row is about, too; the later one counts.
    """

    name: str
    usable: tuple[Correction, ...]
    undecided: tuple[str, ...] = ()
    lost: tuple[tuple[str, str], ...] = ()
    repeated: int = 0

    @property
    def summary(self) -> str:
        """One line with all counts, which names the first rows that cannot be used."""
        number = len(self.usable)
        parts = [f"{number:,} correction{'s' * (number != 1)}"]
        if self.undecided:
            parts.append(f"{len(self.undecided):,} skipped: {CANNOT_TELL}")
        if self.repeated:
            parts.append(f"{self.repeated:,} replaced by later rows")
        if self.lost:
            some = "; ".join(f"{printable(path)}: {why}" for path, why in self.lost[:_SHOWN])
            more = ", …" if len(self.lost) > _SHOWN else ""
            parts.append(f"{len(self.lost):,} not found or unusable: {some}{more}")
        return f"{printable(self.name)}: {', '.join(parts)}"


def is_corrections(path: str) -> bool:
    r"""Return whether a file is a table with the columns ``path`` and ``correction``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(b"path,label,correction,confidence,when\n")
    ...     file.flush()
    ...     is_corrections(file.name)
    True
    """
    try:
        if kind_of(os.stat(path).st_mode) != "file":  # noqa: PTH116 - bytes of names stay
            return False
        with Path(path).open("rb") as file:
            content = file.read(_MAX_HEADER)
    except (OSError, ValueError):
        return False
    text = content[: len(content) & ~1].decode(encoding_of(content), "replace")
    lines = text.removeprefix("\ufeff").lstrip().splitlines()
    if lines and lines[0].lower().strip('"').startswith("sep="):
        del lines[0]
    return bool(lines) and set(read_delimited(lines[0], path).columns) >= _REQUIRED


def read_corrections(path: str, root: str | None = None, *, find: bool = True) -> Corrections:
    r"""Read a table of corrections and find the clips that it is about.

    Parameters
    ----------
    path : str
        A CSV or TSV file, in any dialect of `emotool.inputs.delimited`, UTF-8 or UTF-16, at most
        64 MiB and 500,000 rows.
    root : str, optional
        The folder of the clips; the current folder if not given. Folders that all paths begin
        with may be missing there: ``recordings/a.wav`` is found in ``recordings``, too, and
        ``/data/recordings/a.wav`` in a copy of that folder.
    find : bool, default True
        Find the clips. Otherwise each path is taken as it is written.

    Returns
    -------
    Corrections

    Raises
    ------
    InputError
        If the table cannot be read, has no such columns or one of them twice, is too large, or
        the root is no folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.wav").write_bytes(b"sound")
    ...     table = Path(folder, "corrections.csv")
    ...     _ = table.write_text("path,correction\nmine/a.wav,calm\nmine/b.wav,sad\n")
    ...     found = read_corrections(str(table), folder)
    >>> [(one.shown, one.correction) for one in found.usable], found.lost
    ([('mine/a.wav', 'calm')], (('mine/b.wav', 'no such file or directory'),))
    """
    shown = printable(path)
    if root is not None and not Path(root).is_dir():
        raise InputError(f"{printable(root)} is not a folder", hint="--root names a folder")
    table = _read(path, shown)
    rows = [dict(zip(table.columns, cells, strict=True)) for _, cells in table.rows]
    finder = Within(root or "", [row["path"] for row in rows]) if find else None
    return _sorted_out(path, rows, finder.find if finder else _as_written)


def _read(path: str, shown: str) -> Delimited:
    """Read the table within its bounds."""
    try:
        status = os.stat(path)  # noqa: PTH116 - bytes of names stay
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {shown}: {plain_reason(error)}") from error
    if (kind := kind_of(status.st_mode)) != "file":
        raise InputError(f"cannot read {shown}: not a file but a {kind}")
    if status.st_size > _MAX_BYTES:
        raise InputError(f"{shown} is larger than {_MAX_BYTES >> 20} MiB")
    text = read_text(path, shown)
    if max(text.count("\n"), text.count("\r")) > _MAX_ROWS:
        raise InputError(f"{shown} has more than {_MAX_ROWS:,} rows")
    table = read_delimited(text, shown)
    for name in (*COLUMNS, _SPEAKER):
        if table.columns.count(name) > 1:
            raise InputError(f"{shown} has two columns called {name!r}")
    if missing := sorted(_REQUIRED - set(table.columns)):
        there = ", ".join(map(printable, table.columns)) or "none"
        raise InputError(
            f"{shown} has no column {missing[0]!r}",
            hint=f"its columns: {there}; the report's button downloads {', '.join(COLUMNS)}",
        )
    return table


def _as_written(path: str) -> tuple[str, str]:
    return path, "" if path else "the row names no file"


def _sorted_out(name: str, rows: Sequence[dict[str, str]], find: Find) -> Corrections:
    """Return the rows by what can be made of them."""
    usable: dict[str, Correction] = {}
    undecided: list[str] = []
    lost: list[tuple[str, str]] = []
    repeated = 0
    for row in rows:
        label = unharmed(row["correction"]).strip()
        file, problem = find(row["path"])
        problem = problem or _fault(label)
        if label.casefold() in ("", CANNOT_TELL):
            undecided.append(row["path"])
        elif problem:
            lost.append((row["path"], problem))
        else:
            repeated += usable.pop(file, None) is not None
            usable[file] = _correction(row, file, label)
    return Corrections(name, tuple(usable.values()), tuple(undecided), tuple(lost), repeated)


def _fault(label: str) -> str:
    """Return why a label cannot be a model's; "" if it can."""
    if len(label) > _MAX_LABEL:
        return f"its label is longer than {_MAX_LABEL} characters"
    return "" if label.isprintable() else "its label holds characters that cannot be shown"


def _correction(row: dict[str, str], file: str, label: str) -> Correction:
    """Return a row as it is used; what else it says is left out where it makes no sense."""
    try:
        share = float(row.get("confidence", ""))
    except ValueError:
        share = -1.0
    texts = {name: unharmed(row.get(name, "")).strip() for name in ("label", "when", _SPEAKER)}
    kept = {name: text if text.isprintable() else "" for name, text in texts.items()}
    return Correction(
        row["path"], file, label, confidence=share if 0 <= share <= 1 else None, **kept
    )
