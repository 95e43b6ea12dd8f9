"""Check JSON documents against frozen dataclasses, with errors in emotool's words.

Pydantic does the checking, strictly: no text for a number, no bool for an integer, neither NaN
nor infinity, no unknown field. It is loaded by the first check, not with this module, which
worker processes import.
"""

import dataclasses
import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from emotool.errors import EmotoolError
from emotool.text import printable

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

__all__ = ["parse_json", "validate"]

Document = TypeVar("Document")

_SHOWN_PROBLEMS = 3
_UNKNOWN = "unexpected_keyword_argument"

_EXPECTED: Final = {
    "bool_type": "true or false",
    "dataclass_type": "an object of fields",
    "dict_type": "an object",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "int_type": "a whole number",
    "less_than": "less than {lt:g}",
    "less_than_equal": "{le:g} or less",
    "literal_error": "{expected}",
    "string_pattern_mismatch": "text that matches {pattern}",
    "string_too_long": "at most {max_length} characters",
    "string_type": "text",
    "too_long": "at most {max_length} items",
    "too_short": "{min_length} or more items",
    "tuple_type": "a list",
}
"""What pydantic's kinds of error say was expected."""


def validate(
    kind: type[Document],
    values: object,
    source: str,
    error: type[EmotoolError],
    *,
    complete: bool = False,
) -> Document:
    """Make a dataclass from what JSON gave.

    Nested dataclasses are made likewise; lists become tuples; whole numbers pass for floats.

    Parameters
    ----------
    kind : type
        A dataclass whose annotations, pydantic's constraints included, say what is accepted.
    values : object
        A mapping of field names to values.
    source : str
        The file, or the part of it, that the values come from; begins the error's message.
    error : type
        What is raised.
    complete : bool
        Refuse values that leave a field to its default.

    Returns
    -------
    instance of kind

    Raises
    ------
    EmotoolError
        Of the type ``error``, if a field is missing, unknown, ill-typed or out of bounds. It
        names up to three such fields, with what was expected and what was found; its hint lists
        the fields there are, if one is unknown.

    Examples
    --------
    >>> from emotool.errors import TrainingError
    >>> @dataclasses.dataclass
    ... class Schedule:
    ...     epochs: int
    ...     rate: float = 0.1
    >>> validate(Schedule, {"epochs": 3, "rate": 1}, "a.json", TrainingError)
    Schedule(epochs=3, rate=1.0)
    >>> validate(Schedule, {"epochs": "3", "rates": 1}, "a.json", TrainingError)
    Traceback (most recent call last):
    ...
    emotool.errors.TrainingError: a.json: epochs: expected a whole number, got '3'; rates: unknown
    """
    from pydantic import ValidationError

    try:
        text = json.dumps([values])
    except (TypeError, ValueError, RecursionError) as fault:
        raise error(f"{source}: cannot be written as JSON: {printable(str(fault))}") from fault
    try:
        made: Document = _adapter(kind).validate_json(text)[0]  # type: ignore[arg-type]
    except ValidationError as found:
        problems = found.errors()[:_SHOWN_PROBLEMS]
        known = ", ".join(field.name for field in dataclasses.fields(kind))  # type: ignore[arg-type]
        misspelt = any(one["type"] == _UNKNOWN and len(one["loc"]) == 2 for one in problems)
        raise error(
            f"{source}: {'; '.join(map(_describe, problems))}",
            hint=f"there are: {known}" if misspelt else "",
        ) from None
    if complete and (absent := _absent(made, values)):
        raise error(f"{source}: {absent}: missing")
    return made


def parse_json(text: str, source: str, error: type[EmotoolError]) -> Any:
    """Read JSON that gives no key twice and has neither NaN nor infinity.

    Raises
    ------
    EmotoolError
        Of the type ``error``, if a text is none.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as fault:
        raise error(f"{source} is not valid JSON: {printable(str(fault))}") from fault


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key is given twice")
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


@cache
def _adapter(kind: Any) -> "TypeAdapter[Any]":
    """Return the validator of a dataclass in a list of one: a dataclass takes no settings."""
    from pydantic import ConfigDict, TypeAdapter

    strict = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    of_one: Any = tuple[kind]
    return TypeAdapter(of_one, config=strict)


def _describe(problem: "ErrorDetails") -> str:
    """Say in a line which field is wrong, what was expected and what was found."""
    field = printable(".".join(map(str, problem["loc"][1:])))
    start = f"{field}: " if field else ""
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "missing":
        return f"{start}missing"
    if kind == _UNKNOWN:
        return f"{start}unknown"
    if kind == "value_error":  # raised by a check of our own, with a message of its own
        return f"{start}{printable(str(context['error']))}"
    expected = _EXPECTED[kind].format(**context) if kind in _EXPECTED else problem["msg"]
    found = printable(repr(problem["input"])[:80])
    return f"{start}expected {expected}, got {found}"


def _absent(made: object, values: object, place: str = "") -> str:
    """Name the first field of a dataclass that values leave to its default; empty for none."""
    if not dataclasses.is_dataclass(made) or not isinstance(values, Mapping):
        return ""
    for field in dataclasses.fields(made):
        if field.name not in values:
            return place + field.name
        inner = _absent(getattr(made, field.name), values[field.name], f"{place}{field.name}.")
        if inner:
            return inner
    return ""
