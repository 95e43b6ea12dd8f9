"""Results in the formats people use: one writer per format, chosen by the output's suffix.

A new format is one module with a `Writer` and one line in ``WRITERS``; its module, and what
that imports, is loaded only when the format is asked for.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from emotool.errors import MissingExtraError, OutputError
from emotool.results.columns import Kept
from emotool.results.row import ClipResult
from emotool.text import printable
from emotool.writers.base import STDOUT, Dialect, Writer, WriterOptions

if TYPE_CHECKING:
    pass

__all__ = ["EXTRAS", "WRITERS", "ClipResult", "Dialect", "Kept", "check_target", "open_writer"]


WRITERS = {
    ".csv": "emotool.writers.csv_writer:CsvWriter",
    ".html": "emotool.writers.html.writer:HtmlWriter",
    ".json": "emotool.writers.json_writers:JsonWriter",
    ".jsonl": "emotool.writers.json_writers:JsonLinesWriter",
    ".parquet": "emotool.writers.parquet_writers:ParquetWriter",
    ".tsv": "emotool.writers.csv_writer:TsvWriter",
    ".xlsx": "emotool.writers.xlsx_writer:XlsxWriter",
}
"""Which writer makes which suffix, as ``module:class``."""


EXTRAS = {".parquet": ("parquet", "pyarrow"), ".xlsx": ("xlsx", "xlsxwriter")}
"""Which extra a suffix needs, and the module that it brings."""


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
