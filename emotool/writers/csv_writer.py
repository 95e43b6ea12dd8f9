r"""Results as CSV: one header line, one line per clip.

UTF-8 without a byte-order mark, comma-separated, unless a `Dialect` says otherwise; cells quoted
as in RFC 4180 where they hold a separator, a quote or a line break. Lines end in ``\n`` (every
CSV reader takes that, and so do the tools of a Unix shell). A cell that a spreadsheet would run
as a formula gets a leading apostrophe, since file names are input from strangers (OWASP, "CSV
Injection").
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from emotool.results.columns import PROBABILITY_DECIMALS, TopLabels, cells, decimal
from emotool.results.row import ClipResult, columns
from emotool.text import harmless, printable
from emotool.writers.base import TextOutput, WriterOptions

__all__ = ["CsvWriter", "TsvWriter", "quoted"]


_FIRST_NUMBER: Final = columns(()).index("confidence")


_NUMBER: Final = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?([eE][+-]?[0-9]+)?")


# Separators of other dialects are quoted too: a spreadsheet that expects one of them would
# otherwise cut the cell there and might find a formula behind the cut.
_QUOTE_IF: Final = frozenset(',;\t"\r\n')


class CsvWriter(TextOutput):
    """Writes results as CSV, a line at a time.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.
    labels : sequence of str
        The model's labels.
    facts : mapping
        Facts of the run; a table has no place for them.
    options : WriterOptions
        ``raw`` keeps cells as they are that look like formulas; ``dialect`` punctuates;
        ``top`` adds columns at the end.

    Attributes
    ----------
    separator : str
        What stands between cells, whatever the dialect; None where that decides.
    """

    separator: ClassVar[str | None] = None

    def __init__(
        self,
        target: str,
        labels: Sequence[str],
        facts: Mapping[str, Any],
        options: WriterOptions,
    ) -> None:
        super().__init__(target)
        self._n_labels = len(labels)
        self._top = TopLabels(labels, options.top)
        self._kept = options.kept
        self._spans = options.spans
        self._raw = options.raw
        self._decimal = options.dialect.decimal
        self._separator = self.separator or options.dialect.separator
        if options.dialect.byte_order_mark and not self.terminal:
            self.put("\N{ZERO WIDTH NO-BREAK SPACE}")
        ours = (*columns(labels, spans=options.spans), *self._top.columns)
        self._put_line(self._texts((*ours, *self._kept.columns(ours))))

    def write(self, result: ClipResult) -> None:
        """Add a clip's line."""
        row = cells(result, self._n_labels, spans=self._spans)
        # Confidence, one per label, duration; start and end.
        end = _FIRST_NUMBER + self._n_labels + (4 if self._spans else 2)
        # No number holds the separator, so none is quoted: in quotes some readers take it for text.
        numbers = map(self._number, row[_FIRST_NUMBER:end])
        line = [*self._texts(row[:_FIRST_NUMBER]), *numbers, *self._texts(row[end:])]
        top = self._top.values(result)
        for label, share in zip(top[::2], top[1::2], strict=True):
            line += self._texts([label or ""])
            line.append(self._number(decimal(share, PROBABILITY_DECIMALS)))
        line += self._texts(self._kept.cells(result), numbers=True)
        self._put_line(line)

    def _number(self, cell: str) -> str:
        return cell if self._decimal == "." else cell.replace(".", self._decimal)

    def _put_line(self, line: Iterable[str]) -> None:
        self.put(self._separator.join(line) + "\n")

    def _texts(self, row: Iterable[str], *, numbers: bool = False) -> Iterable[str]:
        """Make texts cells; with ``numbers``, a negative one among them is no formula."""
        if self.terminal:
            row = map(printable, row)
        if not self._raw:
            row = (c if numbers and _NUMBER.fullmatch(c) else harmless(c) for c in row)
        return (quoted(cell, self._separator) for cell in row)


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


class TsvWriter(CsvWriter):
    """Writes results as tab-separated values, a line at a time."""

    separator: ClassVar[str | None] = "\t"
