"""Rows of CSV and TSV, in the dialects of spreadsheets and of corpora.

A quote begins a quoted cell only where a cell begins, and only if another quote ends it before a
delimiter or a line break. All other quotes are ordinary characters, as they are everywhere in
the TSV files of Common Voice. A quoted cell may hold line breaks, but two stray quotes look the
same as one such cell, with the rows between them inside. The lines that quotes join are therefore
rows if one of them has a row's number of cells and names a sound file inside of the quotes, not
counting a name that ends with the quote and, on the first line, one behind another outside of the
quotes. In tables with tabs, or if they would be longer than the header together, they are also
rows if all of them have that number.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from emotool.audio.formats import DECODABLE_SUFFIXES, FOREIGN_SUFFIXES
from emotool.errors import InputError

__all__ = ["Delimited", "read_delimited"]

_MAX_CELL: Final = 1 << 20  # characters
_MAX_SPAN: Final = 1 << 16  # characters of a cell with line breaks
_DELIMITERS: Final = ",;\t|"
_SEP: Final = re.compile(r'"?sep=(\\t|\t|[^\w\s"])"?[,;\t|]*[ \t]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
_BLANK_LINES: Final = re.compile(r"(?:[^\S\r\n]*(?:\r\n|\r|\n))*")
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n|\Z")
_BALANCED: Final = re.compile(r'(?:[^"\r\n]|"(?:[^"]|"")*+")*+')
_SOUND: Final = re.compile(
    rf"({'|'.join(map(re.escape, sorted(DECODABLE_SUFFIXES | FOREIGN_SUFFIXES)))})\s*$",
    re.IGNORECASE,
)

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delimited:
    """A table of text.

    Parameters
    ----------
    columns : tuple of str
        The header's names, without blanks around them; empty for an empty file.
    rows : list of (int, tuple of str)
        The number of the line at which each row ends, and as many cells as columns.
    stray : int
        The first line on which quotes could also begin a cell of several lines and were read as
        ordinary characters, which keeps these lines as rows; 0 if there is none.
    """

    columns: Cells
    rows: list[tuple[int, Cells]]
    stray: int = 0


def read_delimited(text: str, shown: str) -> Delimited:
    r"""Read a table; its first line with any text is the header.

    Lines that hold only delimiters and blanks are skipped; columns without a name and without any
    cell, as trailing delimiters make them, are dropped. A line ``sep=;`` before the header names
    the delimiter; otherwise it is the comma, semicolon, tab or bar that the header has most of.

    Parameters
    ----------
    text : str
        A whole file, with the line breaks that it has.
    shown : str
        What messages call the file.

    Raises
    ------
    InputError
        If a row has more or fewer cells than the header, or a cell is longer than 1 MiB.

    Examples
    --------
    >>> table = read_delimited("sep=;\r\npath;who;;\r\na.wav;Ann;;\r\n;;;\r\n", "clips.csv")
    >>> table.columns, table.rows
    (('path', 'who'), [(3, ('a.wav', 'Ann'))])
    >>> read_delimited('path\tsaid\na.wav\t"Well\nb.wav\tyes"\n', "clips.tsv").rows
    [(2, ('a.wav', '"Well')), (3, ('b.wav', 'yes"'))]
    """
    start = _blank_lines(text, 0)
    delimiter = ""
    if named := _SEP.match(text, start):
        delimiter = "\t" if named[1] == "\\t" else named[1]
        start = _blank_lines(text, named.end())
    reader = _Reader(text, delimiter or _delimiter(text, start))
    records = reader.records(start)
    _, header = next(records, (0, ()))
    width = len(header)
    rows: list[tuple[int, Cells]] = []
    for line, cells in records:
        if any(len(cell) > _MAX_CELL for cell in cells):
            raise InputError(f"{shown}: line {line}: a cell is longer than {_MAX_CELL:,} letters")
        if not reader.fits(cells):
            raise InputError(
                f"{shown}: line {line} has {len(cells)} cells, the header {reader.named}"
            )
        rows.append((line, (cells + ("",) * width)[:width]))
    kept = [i for i, name in enumerate(header) if i < reader.named or any(r[i] for _, r in rows)]
    columns = tuple(header[i].strip() or f"column {i + 1}" for i in kept)
    if len(kept) < width:
        rows = [(line, tuple(row[i] for i in kept)) for line, row in rows]
    return Delimited(columns, rows, reader.stray)


class _Reader:
    """Splits a text into rows; `named` is how many cells a row needs at least."""

    def __init__(self, text: str, delimiter: str) -> None:
        self._text, self._delimiter = text, delimiter
        stop = re.escape(delimiter) + r"\r\n"
        self._quoted = re.compile(rf'"((?:[^"]|"")*+)"(?=[{stop}]|\Z)')
        self._quoted_line = re.compile(rf'"((?:[^"\r\n]|"")*+)"(?=[{stop}]|\Z)')
        self._bare = re.compile(rf"[^{stop}]*")
        self._blank = re.compile(rf"[{re.escape(delimiter)}\s]*")
        self.named = self._width = self.stray = 0

    def fits(self, cells: Cells) -> bool:
        """Whether a row has a cell for each named column, and nothing behind the header's end."""
        return len(cells) >= self.named and not any(map(str.strip, cells[self._width :]))

    def records(self, place: int) -> Iterator[tuple[int, Cells]]:
        """Yield the header, then each row that is not blank, and the line at which it ends."""
        text, line = self._text, 1 + len(_breaks(self._text[:place]))
        while place < len(text):
            end = self._line_end(place)
            if self._blank.fullmatch(text, place, end):
                line += 1
            else:
                cells, end, more = self._record(place, end, line)
                if not self._width:
                    self._width = len(cells)
                    self.named = max(i + 1 for i, cell in enumerate(cells) if cell.strip() or not i)
                line += more
                yield line, cells
                line += 1
            after = _LINE_BREAK.match(text, end)
            place = after.end() if after else end

    def _record(self, place: int, end: int, line: int) -> tuple[Cells, int, int]:
        """Return the cells of the row at a place, where it ends, and how many lines more it has."""
        text = self._text
        if '"' not in text[place:end]:
            return tuple(text[place:end].split(self._delimiter)), end, 0
        plain = self._line(place, end)
        cells, last, joined = self._cells(place, self._quoted)
        if last <= end:
            return plain, end, 0
        if not self._width:  # a header: each of its lines must be unlike it
            self.named = self._width = len(plain)
            apart = self._is_rows(place, last, joined)
            self.named = self._width = 0
        else:
            apart = self._is_rows(place, last, joined, longer=len(cells) > self._width)
            if not self.fits(cells):
                return plain, end, 0
        if apart:
            self.stray = self.stray or line
            return plain, end, 0
        return cells, last, len(_breaks(text[place:last]))

    def _line(self, place: int, end: int) -> Cells:
        """Return the cells of one line, with or without quoted ones, whichever fits."""
        cells, *_ = self._cells(place, self._quoted_line)
        if self._width and not self.fits(cells):
            bare = tuple(self._text[place:end].split(self._delimiter))
            return bare if self.fits(bare) else cells
        return cells

    def _cells(self, place: int, quoted: re.Pattern[str]) -> tuple[Cells, int, list[slice]]:
        """Return the cells from a place to the end of a row, that end, and where quotes are."""
        text, cells, spans = self._text, [], []
        while True:
            limit = min(len(text), place + _MAX_SPAN)
            match = quoted.match(text, place, limit) if text.startswith('"', place) else None
            if match and (match.end() < limit or limit == len(text)):
                cells.append(match[1].replace('""', '"'))
                spans.append(slice(match.start(), match.end()))
            else:
                match = self._bare.match(text, place)
                cells.append(match[0] if match else "")
            place = match.end() if match else place
            if not text.startswith(self._delimiter, place):
                return tuple(cells), place, spans
            place += 1

    def _is_rows(self, place: int, last: int, quoted: list[slice], *, longer: bool = False) -> bool:
        """Whether the lines that quotes join, which have more cells or not, are rows."""
        delimiter, tabs = self._delimiter, self._delimiter == "\t"
        whole, first = (longer or tabs) and self.named > 1, True
        while place < last:
            end = self._line_end(place)
            if not self._blank.fullmatch(self._text, place, end):
                cells = self._line(place, end)
                fits = self.fits(cells)
                inside = [slice(max(q.start, place), min(q.stop, end)) for q in quoted]
                if fits and any(_names_sound(self._text[part], delimiter) for part in inside):
                    start = next(q.start for q in quoted if q.stop > end) if first else place
                    if not _names_sound(self._text[place:start].replace('"', ""), delimiter):
                        return True
                whole = whole and fits and (tabs or len(cells) <= self._width)
                first = False
            after = _LINE_BREAK.match(self._text, end)
            place = after.end() if after else last
        return whole

    def _line_end(self, place: int) -> int:
        found = _LINE_BREAK.search(self._text, place)
        return found.start() if found else len(self._text)


def _names_sound(cells: str, delimiter: str) -> bool:
    """Whether one of the cells is the name of a sound file."""
    return any(map(_SOUND.search, cells.split(delimiter)))


def _breaks(text: str) -> list[str]:
    return re.findall(r"\r\n|\r|\n", text)


def _blank_lines(text: str, start: int) -> int:
    """Return where the first line with any text begins."""
    found = _BLANK_LINES.match(text, start)
    return found.end() if found else start


def _delimiter(text: str, start: int) -> str:
    """Return the delimiter that the header has most of outside of quotes."""
    found = _LINE_BREAK.search(text, start)
    end = found.start() if found else len(text)
    whole = _BALANCED.match(text, start)
    if whole and not text.startswith('"', whole.end()):
        end = whole.end()
    outside = re.sub(r'"(?:[^"]|"")*+"', "", text[start:end])
    best = max(_DELIMITERS, key=outside.count)
    if best in outside:
        return best
    # One column: whichever leaves each row in one cell.
    for delimiter in _DELIMITERS:
        if all(len(cells) == 1 for _, cells in _Reader(text, delimiter).records(start)):
            return delimiter
    return best
