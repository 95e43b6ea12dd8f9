"""Settings from JSON, strictly: a misspelt or ill-typed setting is an error, never ignored."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from emotool.errors import TrainingError

__all__ = ["from_dict", "one_or_more"]

Settings = TypeVar("Settings")


def from_dict(kind: type[Settings], values: object, what: str) -> Settings:
    """Make a dataclass of settings from what JSON gave.

    Fields left out have their defaults; nested dataclasses are made likewise; lists become
    tuples; an int passes for a float.

    Parameters
    ----------
    kind : type
        A dataclass. A class with a ``from_dict`` of its own is made by that where it is nested.
    values : object
        A mapping of field names to values.
    what : str
        What the values are, for the error.

    Returns
    -------
    instance of kind

    Raises
    ------
    TrainingError
        If ``values`` is no mapping, has a name that ``kind`` has not, lacks one without a
        default, or has a value of the wrong type or one that ``kind`` refuses. It names the
        setting.

    Examples
    --------
    >>> @dataclasses.dataclass
    ... class Schedule:
    ...     epochs: int
    ...     rate: float = 0.1
    >>> from_dict(Schedule, {"epochs": 3, "rate": 1}, "the schedule")
    Schedule(epochs=3, rate=1.0)
    >>> from_dict(Schedule, {"epoch": 3}, "the schedule")
    Traceback (most recent call last):
    ...
    emotool.errors.TrainingError: the schedule has no setting 'epoch'; there are: epochs, rate
    """
    if not isinstance(values, Mapping):
        raise TrainingError(f"{what}: expected settings by name, got {values!r}")
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in fields:
            raise TrainingError(f"{what} has no setting {name!r}; there are: {', '.join(fields)}")
    for name, field in fields.items():
        no_default = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        if no_default and name not in values:
            raise TrainingError(f"{what}: setting {name!r} is missing")
    made = {name: _convert(hints[name], value, f"{what}: {name}") for name, value in values.items()}
    try:
        return kind(**made)
    except TrainingError as error:
        raise TrainingError(f"{what}: {error.message}", hint=error.hint) from error


def one_or_more(settings: object, *names: str) -> None:
    """Refuse settings with which nothing would be done; for ``__post_init__``.

    Parameters
    ----------
    settings : object
        Has attributes of these names: numbers, or tuples.
    *names : str
        Numbers that must be 1 or more, tuples that must not be empty.

    Raises
    ------
    TrainingError
        If one is less. It names the setting.
    """
    for name in names:
        value = getattr(settings, name)
        if (len(value) if isinstance(value, tuple) else value) < 1:
            raise TrainingError(f"{name}: expected 1 or more, got {value!r}")


def _convert(hint: Any, value: object, what: str) -> object:
    """Check and convert one value to the type its field declares."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _convert(next(a for a in arguments if a is not type(None)), value, what)
    if origin is typing.Literal:
        if value in arguments:
            return value
        raise TrainingError(f"{what}: expected one of {', '.join(arguments)}, got {value!r}")
    if origin is tuple:
        return _convert_tuple(arguments, value, what)
    if isinstance(hint, type) and hasattr(hint, "from_dict"):
        return hint.from_dict(value)
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast("type[object]", hint), value, what)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    wanted = Mapping if origin is not None or hint is dict else hint
    # bool is an int to Python, but not to someone who writes a recipe.
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        name = getattr(wanted, "__name__", str(wanted)).lower()
        raise TrainingError(f"{what}: expected {name}, got {value!r}")
    return value


def _convert_tuple(arguments: tuple[Any, ...], value: object, what: str) -> tuple[object, ...]:
    """Check and convert a list to ``tuple[T, ...]`` or ``tuple[A, B]``."""
    if not isinstance(value, list | tuple):
        raise TrainingError(f"{what}: expected a list, got {value!r}")
    if arguments[-1] is Ellipsis:
        return tuple(_convert(arguments[0], item, what) for item in value)
    if len(value) != len(arguments):
        raise TrainingError(f"{what}: expected {len(arguments)} values, got {value!r}")
    return tuple(_convert(a, item, what) for a, item in zip(arguments, value, strict=True))
