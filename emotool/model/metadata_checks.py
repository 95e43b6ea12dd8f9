"""What a model's metadata may hold: every field's type and bounds, refused by name.

Model files come from strangers, so nothing is guessed or mended.
"""

import json
from typing import Any, NoReturn

from emotool.errors import ModelError
from emotool.text import printable

__all__ = [
    "are_texts",
    "as_tuple",
    "check_fields",
    "check_labels",
    "check_metrics",
    "is_int",
    "is_number",
    "is_text",
    "parse",
    "refuse",
    "require",
]

MAX_LABELS = 256
MAX_LABEL_CHARACTERS = 64
MAX_JSON_CHARACTERS = 1_000_000
MAX_TEXT_CHARACTERS = 20_000
_RATES = ("uar", "uar_low", "uar_high", "accuracy")


def parse(text: str) -> dict[str, Any]:
    """Read a JSON object that gives no key twice and has no NaN.

    Raises
    ------
    ModelError
        If a text is none, or absurdly long.
    """
    if len(text) > MAX_JSON_CHARACTERS:
        raise ModelError(f"model metadata is absurdly long: {len(text)} characters")
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"model metadata is not valid JSON: {printable(str(error))}") from error
    if not isinstance(document, dict):
        raise ModelError("model metadata is not a JSON object")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key is given twice")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def check_fields(prefix: str, document: dict[str, Any], expected: set[str]) -> None:
    """Refuse a document that lacks a field or has one too many.

    Raises
    ------
    ModelError
        That names the first such field.
    """
    for name in sorted(expected - document.keys()):
        refuse(prefix + name, "missing")
    for name in sorted(document.keys() - expected):
        refuse(prefix + name, "unknown")


def check_labels(labels: Any) -> None:
    """Refuse labels that cannot be told apart or shown.

    Raises
    ------
    ModelError
        If they are no tuple of two or more such texts.
    """
    require(
        isinstance(labels, tuple) and 2 <= len(labels) <= MAX_LABELS,
        "labels",
        labels,
    )
    for label in labels:
        # Anything that a terminal, a table or a page would take for more than text is left to
        # be escaped there; what cannot be shown at all is no label.
        ok = isinstance(label, str) and label.isprintable() and label.strip() == label != ""
        require(ok and len(label) <= MAX_LABEL_CHARACTERS, "labels", label)
    if len(set(labels)) != len(labels):
        refuse("labels", "two are the same")


def check_metrics(metrics: Any) -> None:
    """Refuse figures that are no rates.

    Raises
    ------
    ModelError
        If they are not by protocol, or a rate lies outside 0 to 1.
    """
    require(isinstance(metrics, dict), "metrics", metrics)
    for protocol, figures in metrics.items():
        require(isinstance(figures, dict), f"metrics.{protocol}", figures)
        for name in _RATES:
            value = figures.get(name, 0.0)
            require(is_number(value) and 0 <= value <= 1, f"metrics.{protocol}.{name}", value)


def as_tuple(value: Any) -> Any:
    """Return a list of JSON as a tuple; None for anything else."""
    return tuple(value) if isinstance(value, list) else None


def is_int(value: Any) -> bool:
    """Return whether a value is an integer; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -1e300 < value < 1e300  # neither NaN nor infinite, nor an integer beyond all floats


def is_text(value: Any) -> bool:
    """Return whether a value is text of a sensible length."""
    return isinstance(value, str) and len(value) <= MAX_TEXT_CHARACTERS


def are_texts(value: Any) -> bool:
    """Return whether a value is a tuple of such texts."""
    return isinstance(value, tuple) and all(is_text(item) for item in value)


def require(fine: bool, name: str, value: Any) -> None:
    """Refuse a field unless its value is fine.

    Raises
    ------
    ModelError
        That names the field and shows the value.
    """
    if not fine:
        refuse(name, f"out of bounds or ill-typed: {value!r:.80}")


def refuse(name: str, why: str) -> NoReturn:
    """Raise the error that names a field.

    Raises
    ------
    ModelError
        Always.
    """
    raise ModelError(f"model metadata: {printable(name)}: {printable(why)}")
