"""Rows of CSV text from strangers, whichever of four delimiters it uses."""

import csv
import io
from collections.abc import Iterator
from typing import Final

from emotool.errors import InputError

__all__ = ["delimited_rows"]

_MAX_CELL: Final = 1 << 20
_DELIMITERS: Final = ",;\t|"


def delimited_rows(text: str, shown: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    r"""Yield each row that is not blank, and the number of the line at which it ends.

    Parameters
    ----------
    text : str
        A whole file, with the line breaks that it has: some may be within cells. Its delimiter
        (comma, semicolon, tab or bar) is the one that its first line with any text has most of.
    shown : str
        What messages call the file.

    Yields
    ------
    tuple of int and tuple of str

    Raises
    ------
    InputError
        If quotes do not match, or a cell is longer than 1 MiB.

    Examples
    --------
    >>> list(delimited_rows("\npath;who\na,b.wav;Ann\n", "clips.csv"))
    [(2, ('path', 'who')), (3, ('a,b.wav', 'Ann'))]
    """
    first = next((line for line in io.StringIO(text, newline=None) if line.strip()), "")
    csv.field_size_limit(_MAX_CELL)
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begun = False
    try:
        for cells in reader:
            # Before the header nothing but blanks is nothing; behind it, a cell that is quoted and
            # empty is a row, which must not be lost.
            begun = begun or any(map(str.strip, cells))
            if cells and begun:
                yield reader.line_num, tuple(cells)
    except csv.Error as error:
        raise InputError(f"{shown}: line {reader.line_num}: {error}") from error
