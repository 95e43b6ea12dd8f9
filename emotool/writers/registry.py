"""Which writer writes which format, chosen by the output's suffix.

A new format is one module with a `Writer` and one line in ``WRITERS``; its module, and what
that imports, is loaded only when the format is asked for.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from emotool.errors import MissingExtraError, OutputError
from emotool.text import printable
from emotool.writers.base import STDOUT, Writer, WriterOptions

if TYPE_CHECKING:
    from emotool.results.columns import Columns
    from emotool.writers.embeddings import EmbeddingOptions

__all__ = [
    "EMBEDDING_WRITERS",
    "EXTRAS",
    "WRITERS",
    "check_embeddings",
    "check_target",
    "open_embeddings",
    "open_writer",
    "table_suffix",
]

WRITERS: Final[Mapping[str, str]] = {
    ".csv": "emotool.writers.csv_writer:CsvWriter",
    ".html": "emotool.writers.html.writer:HtmlWriter",
    ".json": "emotool.writers.json_writers:JsonWriter",
    ".jsonl": "emotool.writers.json_writers:JsonLinesWriter",
    ".parquet": "emotool.writers.parquet_writers:ParquetWriter",
    ".tsv": "emotool.writers.csv_writer:TsvWriter",
    ".xlsx": "emotool.writers.xlsx_writer:XlsxWriter",
}
"""The writer of each suffix of a table, as ``module:class``."""

EMBEDDING_WRITERS: Final[Mapping[str, str]] = {
    ".npz": "emotool.writers.npz_writer:NpzWriter",
    ".parquet": "emotool.writers.parquet_writers:EmbeddingsParquetWriter",
}
"""The writer of each suffix of a file of embeddings, as ``module:class``."""

EXTRAS: Final[Mapping[str, tuple[str, str]]] = {
    ".parquet": ("parquet", "pyarrow"),
    ".xlsx": ("xlsx", "xlsxwriter"),
}
"""The extra that a suffix needs, and the module that it installs."""


def check_target(target: str, suffix: str = "") -> None:
    """Check that there is a writer for an output's suffix, before any work is done.

    Parameters
    ----------
    target : str
        A path, or ``-``.
    suffix : str, optional
        One of `WRITERS`, used instead of the target's own.

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
    emotool.errors.OutputError: unknown format: labels.doc
    """
    _check_extra(table_suffix(target, suffix))


def check_embeddings(target: str) -> None:
    """Check that there is a writer of embeddings for a file's suffix, before any work is done.

    Raises
    ------
    OutputError
        If there is none.
    MissingExtraError
        If it needs a package that is not installed.

    Examples
    --------
    >>> check_embeddings("voices.npz")
    >>> check_embeddings("voices.csv")
    Traceback (most recent call last):
    emotool.errors.OutputError: cannot write embeddings to voices.csv
    """
    suffix = PurePath(target).suffix.lower()
    if suffix not in EMBEDDING_WRITERS:
        raise OutputError(
            f"cannot write embeddings to {printable(target)}",
            hint=f"end the file's name in one of: {', '.join(EMBEDDING_WRITERS)}",
        )
    _check_extra(suffix)


def open_writer(
    target: str,
    table: "Columns",
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
    table : Columns
        The columns.
    facts : mapping, optional
        Facts of the run (model, hash, parameters, versions, times), for formats that have a
        place for them. It is read when the writer closes, so that what is known only at the
        end can still be put in.
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
        If the suffix is unknown or the target cannot be written to.
    MissingExtraError
        If the format needs a package that is not installed.
    """
    check_target(target, suffix)
    writer: Writer = _load(WRITERS[table_suffix(target, suffix)])(
        target, table, {} if facts is None else facts, options or WriterOptions()
    )
    return writer


def open_embeddings(target: str, table: "Columns", options: "EmbeddingOptions") -> Writer:
    """Open a file for embeddings.

    Parameters
    ----------
    target : str
        A path; its suffix chooses the format.
    table : Columns
        The columns of the tables; the file has those that say what a row is about.
    options : EmbeddingOptions

    Returns
    -------
    Writer
        It receives the rows that tables receive.

    Raises
    ------
    OutputError, MissingExtraError
        As `check_embeddings`, and if the target cannot be written to.
    """
    check_embeddings(target)
    suffix = PurePath(target).suffix.lower()
    writer: Writer = _load(EMBEDDING_WRITERS[suffix])(target, table, options)
    return writer


def table_suffix(target: str, suffix: str) -> str:
    """Return the suffix of a table's format; raises `OutputError` if it is unknown."""
    suffix = suffix or PurePath(target).suffix.lower()
    if suffix not in WRITERS and (target == STDOUT or (not suffix and target.startswith("/dev/"))):
        suffix = ".csv"
    if suffix not in WRITERS:
        known = ", ".join(WRITERS)
        raise OutputError(
            f"unknown format: {printable(target)}",
            hint=f"end the name in one of: {known}; or use -o - for CSV on standard output",
        )
    return suffix


def _check_extra(suffix: str) -> None:
    if suffix in EXTRAS:
        extra, module = EXTRAS[suffix]
        if find_spec(module) is None:
            raise MissingExtraError(extra, f"writing {suffix}")


def _load(class_path: str) -> Any:
    module, name = class_path.split(":")
    return getattr(import_module(module), name)
