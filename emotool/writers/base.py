"""What writers of text formats share: opening, finishing and giving up their file."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Final, Protocol, Self

from emotool.errors import OutputError
from emotool.files.atomic import AtomicFile
from emotool.results.columns import Kept
from emotool.results.row import ClipResult

if TYPE_CHECKING:
    from emotool.inputs.clips import Clip
    from emotool.model.classifier import Classifier

__all__ = [
    "DELIMITERS",
    "STDOUT",
    "BinaryOutput",
    "Dialect",
    "Sources",
    "TextOutput",
    "Writer",
    "WriterOptions",
]


DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
"""What may stand between the cells of a CSV, by name."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """Punctuation of CSV and TSV.

    Parameters
    ----------
    delimiter : str, optional
        What stands between the cells of a CSV: a value of `DELIMITERS`. Without it a comma, or
        a semicolon where the comma is taken by numbers, as spreadsheets of such languages
        expect it. A TSV has tabs whatever this says.
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
    ValueError: ',' cannot both part cells and stand in numbers
    """

    delimiter: str | None = None
    decimal: str = "."
    byte_order_mark: bool = False

    def __post_init__(self) -> None:
        if self.decimal not in (".", ","):
            raise ValueError(f"numbers have a point or a comma, not {self.decimal!r}")
        if self.delimiter is not None and self.delimiter not in DELIMITERS.values():
            known = ", ".join(DELIMITERS)
            raise ValueError(f"cells are parted by one of {known}, not {self.delimiter!r}")
        if self.delimiter == self.decimal:
            raise ValueError(f"{self.decimal!r} cannot both part cells and stand in numbers")

    @property
    def separator(self) -> str:
        """What stands between the cells of a CSV."""
        return self.delimiter or (";" if self.decimal == "," else ",")


class _Sink:
    """The file as libraries see it, who may want to write on when it is given up already."""

    def __init__(self, handle: IO[Any]) -> None:
        self._handle = handle
        self.dropped = False
        self.closed = False  # pyarrow asks

    def write(self, data: Any) -> int:
        if not self.dropped:
            try:
                self._handle.write(data)
            except BaseException:
                self.dropped = True  # a file with a piece missing is good for nothing
                raise
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...


class BinaryOutput:
    """A binary file, or standard output if that is no terminal.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.

    Attributes
    ----------
    sink : object
        What a library writes to: ``write(bytes)``, without seeking.

    Raises
    ------
    OutputError
        If the place cannot be written to, or is a person's terminal.
    """

    def __init__(self, target: str) -> None:
        if target == "-":
            if sys.stdout is None:  # descriptor 1 may be another file by now
                raise OutputError("cannot write to standard output: it is closed")
            sys.stdout.flush()  # what was printed before comes first
        self._file = AtomicFile(1 if target == "-" else target)
        if self._file.streaming and self._file.handle.isatty():
            self._file.discard()
            raise OutputError(
                f"{self._file.shown} is a terminal, and this format is no text",
                hint="write it to a file with -o, or pipe it to another program",
            )
        self.sink = _Sink(self._file.handle)

    def discard(self) -> None:
        """Give the file up; what was there before stays."""
        self.sink.dropped = True
        self._file.discard()

    def close(self) -> None:
        """Put the file in its place; formats with an end write that first."""
        self._file.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


class TextOutput:
    """A text file, or standard output, that rows are put into one after the other.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.

    Attributes
    ----------
    terminal : bool
        Whether a person's terminal shows what is written, and would obey control characters.
    """

    def __init__(self, target: str) -> None:
        if target == "-":
            if sys.stdout is None:  # descriptor 1 may be another file by now
                raise OutputError("cannot write to standard output: it is closed")
            sys.stdout.flush()  # what was printed before comes first
        self._file = AtomicFile(1 if target == "-" else target, text=True)
        self._handle: IO[str] = self._file.handle
        self.terminal = self._file.streaming and self._handle.isatty()

    def put(self, text: str) -> None:
        """Write a piece of the file; a reader of a pipe gets it at once."""
        try:
            self._handle.write(text)
            if self._file.streaming:
                self._handle.flush()
        except (OSError, OutputError):
            self.discard()  # a file with a piece missing is good for nothing
            raise

    def discard(self) -> None:
        """Give the file up; what was there before stays."""
        self._file.discard()

    def close(self) -> None:
        """Put the file in its place; formats with an end write that first."""
        self._file.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


STDOUT = "-"
"""The target that means standard output; it is written as CSV."""


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
