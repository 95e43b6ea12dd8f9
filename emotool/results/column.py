"""A column of a table of results, and an entry of its JSON object."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from emotool.results.row import ClipResult

__all__ = ["Column", "Entry", "Kind"]


Kind: TypeAlias = Literal["text", "texts", "cell", "number", "share", "seconds"]
"""``texts`` is a list; ``cell`` is text in which a number is no formula; ``share`` is 0 to 1."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    name : str
        Its header.
    kind : Kind
        What its values are.
    value : callable
        Returns a result's value, not rounded; None if it has none.
    decimals : int, optional
        How numbers are rounded; None for text.
    key : str, optional
        Its name within its entry, if it shares that with other columns.
    width : int, optional
        Characters that a spreadsheet shows; by the name's length if not given.
    indent : bool, default False
        Whether a spreadsheet indents it: text after a number.
    """

    name: str
    kind: Kind
    value: Callable[[ClipResult], Any]
    decimals: int | None = None
    key: str = ""
    width: int = 0
    indent: bool = False

    def rounded(self, result: ClipResult) -> Any:
        """Return a result's value as typed formats have it."""
        value = self.value(result)
        return value if value is None or self.decimals is None else round(value, self.decimals)

    def text(self, result: ClipResult) -> str:
        """Return a result's value as text; empty if it has none."""
        value = self.value(result)
        if value is None:
            return ""
        if self.decimals is not None:
            return f"{value:.{self.decimals}f}"
        return ";".join(value) if self.kind == "texts" else value


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a clip's JSON object, and the columns that tables have for it.

    Parameters
    ----------
    name : str
        The key.
    value : callable
        Returns its value as JSON has it; None if there is none.
    columns : sequence of Column, optional
        None for what only JSON has.
    optional : bool, default False
        Leave the key out where there is no value.
    meaning : str
        Its meaning, for the documentation.
    """

    name: str
    value: Callable[[ClipResult], Any]
    columns: Sequence[Column] = ()
    optional: bool = False
    meaning: str = ""
