"""What writers share: their interface, their options, and the files that they write.

A writer takes a run's results in input order and makes one file of them, whole or not at all.
`TextOutput` and `BinaryOutput` of `emotool.writers.file_output` open, finish and discard that file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, Self, TypeAlias

if TYPE_CHECKING:
    from emotool.inputs.clips import Clip
    from emotool.model.classifier import Classifier
    from emotool.results.columns import Columns
    from emotool.results.row import ClipResult


__all__ = [
    "DELIMITERS",
    "STDOUT",
    "Content",
    "Dialect",
    "Output",
    "Sources",
    "Writer",
    "WriterOptions",
]

STDOUT: Final = "-"
"""The target that means standard output; it is written as CSV."""

DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
"""Delimiters of CSV, by name."""

Content: TypeAlias = Literal["table", "embeddings", "audacity", "raven", "praat"]
"""What an output holds: the names of programs stand for folders of their annotations."""


@dataclass(frozen=True, slots=True)
class Output:
    """A file or folder that a run writes.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.
    suffix : str, default ""
        The format of a table (``.csv``, ``.json``, …), if not the target's own suffix.
    content : Content, default "table"
        What it holds.
    default : bool, default False
        Whether the user has not named the target: then a file there that holds anything but
        labels of the same clips is not replaced, and the next free name is taken
        (`emotool.run.default_place.settle`).
    """

    target: str
    suffix: str = ""
    content: Content = "table"
    default: bool = False

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder with a file for each clip."""
        return self.content not in ("table", "embeddings")


@dataclass(frozen=True, slots=True)
class Dialect:
    """Punctuation of CSV and TSV.

    Parameters
    ----------
    delimiter : str, optional
        What stands between the cells of a CSV: a value of `DELIMITERS`. Without it a comma, or
        a semicolon where the comma is taken by numbers, as spreadsheets of such languages
        expect it. A TSV always has tabs.
    decimal : str, default "."
        What stands before a number's decimals: ``.`` or ``,``.
    byte_order_mark : bool, default False
        Begin with one: Excel takes a file without it for the machine's old code page.

    Raises
    ------
    ValueError
        If a mark is none of these, or both are the same.

    Examples
    --------
    >>> Dialect().separator, Dialect(decimal=",").separator
    (',', ';')
    >>> Dialect(delimiter=",", decimal=",")
    Traceback (most recent call last):
    ValueError: ',' cannot be both the delimiter and the decimal mark
    """

    delimiter: str | None = None
    decimal: str = "."
    byte_order_mark: bool = False

    def __post_init__(self) -> None:
        if self.decimal not in (".", ","):
            raise ValueError(f"the decimal mark is '.' or ',', not {self.decimal!r}")
        if self.delimiter is not None and self.delimiter not in DELIMITERS.values():
            known = ", ".join(DELIMITERS)
            raise ValueError(f"the delimiter is one of {known}, not {self.delimiter!r}")
        if self.delimiter == self.decimal:
            raise ValueError(f"{self.decimal!r} cannot be both the delimiter and the decimal mark")

    @property
    def separator(self) -> str:
        """What stands between the cells of a CSV."""
        return self.delimiter or (";" if self.decimal == "," else ",")


@dataclass(frozen=True, slots=True)
class Sources:
    """The clips and the model that results are about.

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
    """Choices that formats leave.

    Parameters
    ----------
    raw : bool, default False
        Do not escape cells that a spreadsheet would run as a formula. Formats that have no such
        cells (JSON) never escape any.
    dialect : Dialect, optional
        Punctuation of CSV and TSV.
    sources : Sources, optional
        The clips and the model, for formats that show sounds.
    """

    raw: bool = False
    dialect: Dialect = Dialect()
    sources: Sources | None = None


class Writer(Protocol):
    """Writes results in input order to one file, whole or not at all.

    Used as a context manager it is closed at the end of the block, and discarded, leaving
    what was there before, if the block raises.
    """

    def __init__(
        self,
        target: str,
        table: "Columns",
        facts: Mapping[str, Any],
        options: WriterOptions,
    ) -> None: ...

    def write(self, result: "ClipResult") -> None:
        """Add a row; raises `OutputError` if the place is full or gone."""

    def close(self) -> None:
        """Finish the file and put it in its place; raises `OutputError` if that fails."""

    def discard(self) -> None:
        """Discard the file; never raises."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
