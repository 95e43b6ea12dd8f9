r"""Results as CSV and TSV: one header line, one line per clip.

UTF-8 without a byte-order mark, comma-separated, unless a `Dialect` says otherwise; cells quoted
as in RFC 4180 where they hold a separator, a quote or a line break. Lines end in ``\n`` (every
CSV reader takes that, and so do the tools of a Unix shell). A cell that a spreadsheet would run
as a formula gets a leading apostrophe, since file names are untrusted (OWASP, "CSV Injection").
"""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from emotool.text import harmless, printable
from emotool.writers.base import WriterOptions
from emotool.writers.file_output import TextOutput

if TYPE_CHECKING:
    from emotool.results.column import Kind
    from emotool.results.columns import Columns
    from emotool.results.row import ClipResult

__all__ = ["CsvWriter", "TsvWriter", "quoted"]

_NUMBER: Final = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?([eE][+-]?[0-9]+)?")
# Separators of other dialects are quoted too: a spreadsheet that expects one of them would
# otherwise split the cell there and might find a formula after it.
_QUOTE_IF: Final = frozenset(',;\t"\r\n')


class CsvWriter(TextOutput):
    """Writes results as CSV, a line at a time.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.
    table : Columns
        The columns.
    facts : mapping
        Facts of the run; a table has no place for them.
    options : WriterOptions
        ``raw`` keeps cells as they are that look like formulas; ``dialect`` punctuates.

    Attributes
    ----------
    separator : str or None
        The separator of cells, whatever the dialect; None where that decides.
    """

    separator: ClassVar[str | None] = None

    def __init__(
        self, target: str, table: "Columns", facts: Mapping[str, Any], options: WriterOptions
    ) -> None:
        super().__init__(target)
        self._table = table
        self._numeric = [column.decimals is not None for column in table.columns]
        self._kinds = [column.kind for column in table.columns]
        self._raw = options.raw
        self._decimal = options.dialect.decimal
        self._separator = self.separator or options.dialect.separator
        if options.dialect.byte_order_mark and not self.terminal:
            self.put("\N{ZERO WIDTH NO-BREAK SPACE}")
        self._put_line(self._text(name) for name in table.names)

    def write(self, result: "ClipResult") -> None:
        """Add a clip's line."""
        cells = zip(self._table.cells(result), self._numeric, self._kinds, strict=True)
        # No number holds the separator, so none is quoted: some readers take what is for text.
        self._put_line(
            self._number(cell) if is_number else self._text(cell, kind)
            for cell, is_number, kind in cells
        )

    def _number(self, cell: str) -> str:
        return cell if self._decimal == "." else cell.replace(".", self._decimal)

    def _text(self, cell: str, kind: "Kind" = "text") -> str:
        if self.terminal:
            cell = printable(cell)
        if not self._raw and not (kind == "cell" and _NUMBER.fullmatch(cell)):
            cell = harmless(cell)
        return quoted(cell, self._separator)

    def _put_line(self, cells: Iterable[str]) -> None:
        self.put(self._separator.join(cells) + "\n")


class TsvWriter(CsvWriter):
    """Writes results as tab-separated values, a line at a time."""

    separator: ClassVar[str | None] = "\t"


def quoted(cell: str, separator: str = ",") -> str:
    """Quote a cell if it holds what would end it.

    Examples
    --------
    >>> print(quoted('he said "no", twice'))
    "he said ""no"", twice"
    >>> print(quoted("plain"))
    plain
    """
    if _QUOTE_IF.isdisjoint(cell) and separator not in cell:
        return cell
    return '"' + cell.replace('"', '""') + '"'
