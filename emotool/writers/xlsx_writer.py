"""Results as a spreadsheet for Excel, LibreOffice and others (extra ``xlsx``).

A sheet *Labels* (*Clips* for a model without labels) with one row per clip and a sheet *Summary*
with counts and a chart. Text is stored as text, so no file name can be run as a formula. Rows go to
a temporary file as they come: a million clips need no memory.
"""

import contextlib
import tempfile
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import xlsxwriter
from xlsxwriter.format import Format

from emotool.errors import OutputError
from emotool.results.row import ClipResult
from emotool.text import printable
from emotool.writers.base import WriterOptions
from emotool.writers.file_output import BinaryOutput
from emotool.writers.xlsx_summary import Counts, write_summary

if TYPE_CHECKING:
    from emotool.results.columns import Columns

__all__ = ["MAX_CLIPS", "XlsxWriter"]

MAX_CLIPS: Final = 1_048_575
"""Most rows below the header that a sheet can have."""

_MOST_CHARACTERS: Final = 32_767  # of a cell
_CREATED: Final = datetime(2000, 1, 1)  # the same for all: equal rows make equal bytes
_NUMBER_FORMATS: Final = {"share": "0.0%", "seconds": "0.00", "number": "0.000"}


class XlsxWriter(BinaryOutput):
    """Writes results as an Office Open XML workbook.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.
    table : Columns
        The columns.
    facts : mapping
        Facts of the run; the summary has the model and the versions.
    options : WriterOptions
        With ``sources``, too many clips are an error before any is read. ``raw`` changes
        nothing: text is never a formula here.
    """

    def __init__(
        self, target: str, table: "Columns", facts: Mapping[str, Any], options: WriterOptions
    ) -> None:
        if options.sources is not None and len(options.sources.clips) > MAX_CLIPS:
            raise _too_many()
        super().__init__(target)
        self._table = table
        self._counts = Counts(table)
        self._facts = facts
        self._folder = tempfile.TemporaryDirectory(prefix="emotool-")
        self._book = xlsxwriter.Workbook(
            self.sink, {"constant_memory": True, "tmpdir": self._folder.name}
        )
        self._book.set_properties({"created": _CREATED, "author": "emotool"})
        self._sheet = self._book.add_worksheet("Labels" if table.labels else "Clips")
        self._formats = self._prepare()

    def _prepare(self) -> list[Format | None]:
        """Write the header and set the sheet's layout; return each column's format."""
        bold = self._book.add_format({"bold": True, "bottom": 1})
        by_kind = {
            kind: self._book.add_format({"num_format": numbers})
            for kind, numbers in _NUMBER_FORMATS.items()
        }
        indented = self._book.add_format({"indent": 1})
        formats: list[Format | None] = []
        for place, column in enumerate(self._table.columns):
            formats.append(indented if column.indent else by_kind.get(column.kind))
            width = column.width or max(10, min(len(column.name) + 4, 30))  # room for the arrow
            self._sheet.set_column(place, place, width)
            self._sheet.write_string(0, place, _text(column.name), bold)
        self._sheet.freeze_panes(1, 1)
        self._sheet.set_landscape()
        self._sheet.fit_to_pages(1, 0)  # as wide as a page, as long as it takes
        self._sheet.repeat_rows(0)
        return formats

    def write(self, result: ClipResult) -> None:
        """Add a clip's row."""
        row = self._counts.rows + 1
        if row > MAX_CLIPS:
            raise _too_many()
        try:
            cells = zip(self._table.values(result), self._formats, strict=True)
            for place, (value, form) in enumerate(cells):
                if isinstance(value, int | float):
                    self._sheet.write_number(row, place, value, form)
                elif value:
                    text = ";".join(value) if isinstance(value, list) else value
                    self._sheet.write_string(row, place, _text(text), form)
        except OSError as error:
            raise _no_room(error) from error
        self._counts.add(result)

    def close(self) -> None:
        """Add filters, colours and the summary, and put the file in its place."""
        last = max(self._counts.rows, 1)
        try:
            self._sheet.autofilter(0, 0, last, len(self._table.columns) - 1)
            if "confidence" in self._table.names:
                self._colour_confidence(last)
            write_summary(self._book, self._counts, self._facts)
            self._book.close()
        except OSError as error:
            self.discard()
            raise _no_room(error) from error
        except BaseException:
            self.discard()
            raise
        self._folder.cleanup()
        super().close()

    def _colour_confidence(self, last: int) -> None:
        """Colour the confidences of the rows up to the last."""
        place = self._table.names.index("confidence")
        scale = {"type": "2_color_scale", "min_type": "num", "max_type": "num"}
        colours = {"min_color": "#F8CBAD", "max_color": "#A9D08E"}
        low = {"min_value": 1 / max(len(self._table.labels), 1), "max_value": 1}
        self._sheet.conditional_format(1, place, last, place, {**scale, **colours, **low})

    def discard(self) -> None:
        """Discard the file; what was there before stays."""
        super().discard()
        self._book.fileclosed = True
        for sheet in self._book.worksheets():
            with contextlib.suppress(OSError):
                if sheet.row_data_fh is not None:
                    sheet.row_data_fh.close()
        with contextlib.suppress(OSError):
            self._folder.cleanup()


def _text(value: str) -> str:
    """Write text as a cell can hold it: control characters as their codes, and not too long."""
    return printable(value)[:_MOST_CHARACTERS]


def _too_many() -> OutputError:
    return OutputError(
        f"a spreadsheet has no more than {MAX_CLIPS:,} rows below its header",
        hint="write CSV or Parquet: -o labels.csv",
    )


def _no_room(error: OSError) -> OutputError:
    return OutputError(
        f"cannot write a spreadsheet's temporary files: {error.strerror or error}",
        hint="make room in the folder for temporary files, or name another in TMPDIR",
    )
