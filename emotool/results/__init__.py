"""Results in the formats people use: one writer per format, chosen by the output's suffix.

A new format is one module with a `Writer` and one line in ``WRITERS``; its module, and what
that imports, is loaded only when the format is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePath
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from emotool.errors import MissingExtraError, OutputError
from emotool.results.dialect import Dialect
from emotool.results.kept import Kept
from emotool.results.row import ClipResult
from emotool.text import printable

if TYPE_CHECKING:
    from emotool.discovery import Clip
    from emotool.model import Classifier

__all__ = [
    "EXTRAS",
    "STDOUT",
    "WRITERS",
    "ClipResult",
    "Dialect",
    "Kept",
    "Sources",
    "Writer",
    "WriterOptions",
    "check_target",
    "open_writer",
]

STDOUT = "-"
"""The target that means standard output; it is written as CSV."""

WRITERS = {
    ".csv": "emotool.results.csv_table:CsvWriter",
    ".html": "emotool.report.writer:HtmlWriter",
    ".json": "emotool.results.json_document:JsonWriter",
    ".jsonl": "emotool.results.json_lines:JsonLinesWriter",
    ".parquet": "emotool.results.parquet_table:ParquetWriter",
    ".tsv": "emotool.results.tsv_table:TsvWriter",
    ".xlsx": "emotool.results.xlsx_table:XlsxWriter",
}
"""Which writer makes which suffix, as ``module:class``."""

EXTRAS = {".parquet": ("parquet", "pyarrow"), ".xlsx": ("xlsx", "xlsxwriter")}
"""Which extra a suffix needs, and the module that it brings."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where results come from, for a format that shows the sound itself.

    Parameters
    ----------
    clips : sequence of Clip
        The inputs; ``clips[i].index`` is ``i``.
    classifier : Classifier
        The model that labels them.
    """

    clips: "Sequence[Clip]"
    classifier: "Classifier"


@dataclass(frozen=True, slots=True)
class WriterOptions:
    """How results are written, where formats leave a choice.

    Parameters
    ----------
    raw : bool, default False
        Leave cells as they are that a spreadsheet would run as a formula. Formats that have
        no such cells (JSON) never change them.
    sources : Sources, optional
        The clips and the model, where there are any to be had.
    dialect : Dialect, optional
        Punctuation of CSV and TSV.
    top : int, default 0
        How many of the most probable labels get columns of their own.
    kept : Kept, optional
        A manifest's own columns, which come after those of the results.
    spans : bool, default False
        Rows are about parts of clips: say which.
    """

    raw: bool = False
    sources: Sources | None = None
    dialect: Dialect = Dialect()
    top: int = 0
    kept: Kept = Kept()
    spans: bool = False


class Writer(Protocol):
    """Takes results in input order and makes one file of them, whole or not at all.

    Used as a context manager it is closed at the end of the block, and discarded, leaving
    what was there before, if the block raises.
    """

    def __init__(
        self,
        target: str,
        labels: Sequence[str],
        facts: Mapping[str, Any],
        options: WriterOptions,
    ) -> None: ...

    def write(self, result: ClipResult) -> None:
        """Add a row; raises `OutputError` if the place is full or gone."""

    def close(self) -> None:
        """Finish the file and put it in its place; raises `OutputError` if that fails."""

    def discard(self) -> None:
        """Give the file up; never raises."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def check_target(target: str, suffix: str = "") -> None:
    """Make sure that there is a writer for an output's suffix, before any work is done.

    Parameters
    ----------
    target : str
        A path, or ``-``.
    suffix : str, optional
        One of `WRITERS`, to be taken instead of the target's own.

    Raises
    ------
    OutputError
        If there is none.
    MissingExtraError
        If it needs a package that is not installed.

    Examples
    --------
    >>> check_target("labels.CSV")
    >>> check_target("labels.doc")
    Traceback (most recent call last):
    emotool.errors.OutputError: cannot tell the format of labels.doc from its suffix
    """
    _class_path(target, suffix)


def open_writer(
    target: str,
    labels: Sequence[str],
    facts: Mapping[str, Any] | None = None,
    options: WriterOptions | None = None,
    suffix: str = "",
) -> Writer:
    """Open an output for results.

    Parameters
    ----------
    target : str
        A path whose suffix chooses the format, or ``-`` for CSV on standard output. Devices
        and FIFOs (``/dev/stdout``, ``/dev/fd/3``) without a suffix get CSV too.
    labels : sequence of str
        The model's labels; they make the columns.
    facts : mapping, optional
        What is to be said about the run (model, hash, parameters, versions, times), for
        formats that have a place for it. It is read when the writer closes, so that what is
        known only at the end can still be put in.
    options : WriterOptions, optional
        Choices that formats leave.
    suffix : str, optional
        One of `WRITERS`: the format, whatever the target's own suffix.

    Returns
    -------
    Writer

    Raises
    ------
    OutputError
        If the suffix is unknown or the place cannot be written to.
    MissingExtraError
        If the format needs a package that is not installed.
    """
    module, name = _class_path(target, suffix).split(":")
    writer: Writer = getattr(import_module(module), name)(
        target, labels, {} if facts is None else facts, options or WriterOptions()
    )
    return writer


def _class_path(target: str, suffix: str) -> str:
    suffix = suffix or PurePath(target).suffix.lower()
    if suffix not in WRITERS and (target == STDOUT or (not suffix and target.startswith("/dev/"))):
        suffix = ".csv"
    if suffix not in WRITERS:
        known = ", ".join(WRITERS)
        raise OutputError(
            f"cannot tell the format of {printable(target)} from its suffix",
            hint=f"end the name in one of: {known}; or use -o - for CSV on standard output",
        )
    if suffix in EXTRAS:
        extra, module = EXTRAS[suffix]
        if find_spec(module) is None:
            raise MissingExtraError(extra, f"writing {suffix}")
    return WRITERS[suffix]
