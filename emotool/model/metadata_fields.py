"""Parts of a model's metadata, with the bounds that they are read by."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

__all__ = [
    "MAX_TOLERANCE",
    "NAME",
    "RESERVED",
    "Dimension",
    "Dimensions",
    "Golden",
    "Labels",
    "Metrics",
    "Name",
    "Probabilities",
    "Seed",
    "Temperature",
    "Text",
    "Tolerance",
    "is_number",
]

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
"""What a model may be called: its recipe, the folder of its runs and its file are named so."""

DIMENSION: Final = re.compile(r"^[a-z][a-z0-9_]{0,31}$")
"""What a dimension may be called: a column is named so."""

RESERVED: Final = frozenset(
    {
        *("path", "path_bytes", "status", "label", "confidence", "probabilities", "dimensions"),
        *("duration_s", "start_s", "end_s", "flags", "model", "stage", "error", "top"),
        *("manifest", "schema", "embedding"),
    }
)
"""Names of other columns, which no dimension may have; nor may it begin with ``p_`` or ``top_``."""

MAX_TOLERANCE = 0.05  # int8 arithmetic differs between processors, but not by more than this

_RATES = ("uar", "uar_low", "uar_high", "accuracy")


def is_number(value: object) -> bool:
    """Return whether a value is a finite number: neither NaN, nor beyond all floats, nor True."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _label(label: str) -> str:
    # Anything that a terminal, a table or a page would take for more than text is escaped there;
    # what cannot be shown at all is no label.
    if not label.isprintable() or label.strip() != label or not label:
        raise ValueError(f"expected printable text, got {label!r:.80}")
    return label


def _distinct(labels: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(labels)) != len(labels):
        raise ValueError("two are the same")
    return labels


def _sum_to_one(probabilities: tuple[float, ...]) -> tuple[float, ...]:
    if probabilities and abs(sum(probabilities) - 1) >= 1e-3:
        raise ValueError(f"expected a sum of 1, got {sum(probabilities):g}")
    return probabilities


def _with_rates(metrics: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for protocol, figures in metrics.items():
        for name in _RATES:
            value = figures.get(name, 0.0)
            if not is_number(value) or not 0 <= value <= 1:
                raise ValueError(f"{protocol}.{name}: expected 0 to 1, got {value!r:.80}")
    return metrics


def _column(name: str) -> str:
    if name in RESERVED or name.startswith(("p_", "top_")):
        raise ValueError(f"{name!r} is the name of another column")
    return name


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"expected printable text, got {text!r:.80}")
    return text


Text = Annotated[str, Field(max_length=20_000)]
Name = Annotated[str, Field(pattern=NAME.pattern)]
Temperature = Annotated[float, Field(ge=1e-3, le=1e3)]
Labels = Annotated[
    tuple[Annotated[str, Field(max_length=64), AfterValidator(_label)], ...],
    Field(min_length=2, max_length=256),
    AfterValidator(_distinct),
]
Metrics = Annotated[dict[str, dict[str, Any]], AfterValidator(_with_rates)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Probabilities = Annotated[
    tuple[Annotated[float, Field(ge=0, le=1)], ...], AfterValidator(_sum_to_one)
]
Tolerance = Annotated[float, Field(gt=0, le=MAX_TOLERANCE)]
Limit = Annotated[float, Field(ge=-1e6, le=1e6)]


@dataclass(frozen=True, slots=True)
class Dimension:
    """A number that a model gives, such as arousal.

    Parameters
    ----------
    name : str
        Its column: lower-case letters, digits, ``_``; at most 32, and no other column's name.
    low, high : float
        Between which its values are said to lie, in -1e6 to 1e6; ``low`` is the lower.
    meaning : str
        What low and high values mean, at most 200 characters.

    Raises
    ------
    ValueError
        If the range is empty.
    """

    name: Annotated[str, Field(pattern=DIMENSION.pattern), AfterValidator(_column)]
    low: Limit = 0.0
    high: Limit = 1.0
    meaning: Annotated[str, Field(max_length=200), AfterValidator(_printable)] = ""

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"low < high must hold, got {self.low:g} and {self.high:g}")


def _named_once(dimensions: tuple[Dimension, ...]) -> tuple[Dimension, ...]:
    _distinct(tuple(dimension.name for dimension in dimensions))
    return dimensions


Dimensions = Annotated[tuple[Dimension, ...], Field(max_length=32), AfterValidator(_named_once)]


@dataclass(frozen=True, slots=True)
class Golden:
    """A seeded input's answer, recorded at export, by which a model is recognised as working.

    Parameters
    ----------
    seed : int
        Seed of `emotool.model.metadata.golden_input`, 0 to 2**32 - 1.
    probabilities : tuple of float
        What the model answered, one per label, summing to 1; empty without labels.
    tolerance : float
        Largest difference in a probability, and in a dimension as a share of its range, that
        still counts as the same answer, above 0 and at most 0.05.
    dimensions : tuple of float
        What the model answered, one per dimension.
    """

    seed: Seed
    probabilities: Probabilities
    tolerance: Tolerance = 1e-3
    dimensions: tuple[Annotated[float, Field(ge=-1e9, le=1e9)], ...] = ()
