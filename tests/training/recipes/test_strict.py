"""Settings from JSON are taken strictly."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from emotool.errors import TrainingError
from emotool_training.recipes.strict import from_dict


@dataclass(frozen=True)
class Inner:
    """A nested settings class."""

    share: float = 0.5


@dataclass(frozen=True)
class Outer:
    """A field of every kind that recipes have."""

    name: str
    count: int = 1
    pair: tuple[float, float] = (0.0, 1.0)
    names: tuple[str, ...] = ()
    mode: Literal["a", "b"] = "a"
    limit: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    inner: Inner = Inner()


def test_every_kind_of_field_is_read() -> None:
    """Lists become tuples, ints floats where asked for, nested settings their class."""
    made = from_dict(
        Outer,
        {
            "name": "x",
            "pair": [1, 2.5],
            "names": ["p"],
            "mode": "b",
            "limit": 3,
            "options": {"deep": [1]},
            "inner": {"share": 1},
        },
        "settings",
    )
    expected = Outer("x", 1, (1.0, 2.5), ("p",), "b", 3, {"deep": [1]}, Inner(1.0))
    assert made == expected
    assert isinstance(made.inner.share, float)
    assert from_dict(Outer, {"name": "x", "limit": None}, "settings") == Outer("x")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "settings: setting 'name' is missing"),
        ([], "settings: expected settings by name, got []"),
        ({"name": "x", "cuont": 2}, "settings has no setting 'cuont'"),
        ({"name": 3}, "settings: name: expected str, got 3"),
        ({"name": "x", "count": 1.5}, "settings: count: expected int, got 1.5"),
        ({"name": "x", "count": True}, "settings: count: expected int, got True"),
        ({"name": "x", "pair": [1]}, "settings: pair: expected 2 values"),
        ({"name": "x", "pair": 1}, "settings: pair: expected a list"),
        ({"name": "x", "names": [1]}, "settings: names: expected str, got 1"),
        ({"name": "x", "mode": "c"}, "settings: mode: expected one of a, b, got 'c'"),
        ({"name": "x", "options": []}, "settings: options: expected mapping, got []"),
        ({"name": "x", "inner": {"shar": 1}}, "settings: inner has no setting 'shar'"),
        ({"name": "x", "inner": {"share": "1"}}, "settings: inner: share: expected float"),
    ],
)
def test_a_mistake_is_named(values: object, message: str) -> None:
    """The error says which setting is wrong and what was expected."""
    with pytest.raises(TrainingError) as caught:
        from_dict(Outer, values, "settings")
    assert caught.value.message.startswith(message)
