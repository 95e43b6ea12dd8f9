"""How a table of text is punctuated, for spreadsheets that expect one way and no other."""

from dataclasses import dataclass
from typing import Final

__all__ = ["DELIMITERS", "Dialect"]

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
