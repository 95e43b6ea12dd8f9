"""JSON from a file becomes a dataclass, or an error that names the file and the field."""

import math
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, Field

from emotool.errors import ModelError, TrainingError
from emotool.features.spec import SpectrogramSpec
from emotool.files.validation import parse_json, validate


def _even(number: int) -> int:
    if number % 2:
        raise ValueError(f"expected an even number, got {number}")
    return number


@dataclass(frozen=True, slots=True)
class Inner:
    size: Annotated[int, Field(ge=1)]
    sides: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Outer:
    name: str
    inner: Inner | None = None
    kind: Literal["a", "b"] = "a"
    flag: bool = False
    widths: tuple[int, ...] = ()
    rates: dict[str, float] = field(default_factory=dict)
    anything: dict[str, Any] = field(default_factory=dict)
    even: Annotated[int, AfterValidator(_even)] = 0
    spec: SpectrogramSpec = SpectrogramSpec()


def test_nested_settings_are_made() -> None:
    """Lists become tuples, whole numbers floats; what is left out has its default."""
    values = {"name": "x", "inner": {"size": 2, "sides": [1, 2.5]}, "widths": [1, 2]}
    made = validate(Outer, values, "a.json", TrainingError)
    assert made == Outer("x", Inner(2, (1.0, 2.5)), widths=(1, 2))
    assert made.inner is not None
    assert all(type(side) is float for side in made.inner.sides)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": 1}, "name: expected text, got 1"),
        ({"flag": 1}, "flag: expected true or false, got 1"),
        ({"kind": "c"}, "kind: expected 'a' or 'b', got 'c'"),
        ({"widths": "12"}, "widths: expected a list, got '12'"),
        ({"widths": [1, "2"]}, "widths.1: expected a whole number, got '2'"),
        ({"widths": [True]}, "widths.0: expected a whole number, got True"),
        ({"rates": {"conv": "1"}}, "rates.conv: expected a number, got '1'"),
        ({"rates": {"conv": math.nan}}, "rates.conv: expected a finite number, got nan"),
        ({"rates": {"conv": 10**400}}, "rates.conv: expected a"),
        ({"rates": {"conv": False}}, "rates.conv: expected a number, got False"),
        ({"inner": 3}, "inner: expected an object of fields, got 3"),
        ({"inner": {"size": 0}}, "inner.size: expected 1 or more, got 0"),
        ({"inner": {"size": 1.0}}, "inner.size: expected a whole number, got 1.0"),
        ({"inner": {"size": 1, "sides": [1]}}, "inner.sides.1: missing"),
        ({"inner": {}}, "inner.size: missing"),
        ({"surprise": 1}, "surprise: unknown"),
        ({"inner": {"size": 1, "\x1b": 1}}, "inner.\\x1b: unknown"),
        ({"even": 3}, "even: expected an even number, got 3"),
        ({"spec": {"n_mels": 0}}, "spec: n_mels must lie between 1 and 512, got 0"),
        ({"anything": {"a": {1, 2}}}, "cannot be written as JSON"),
    ],
)
def test_the_error_names_file_and_field(changes: dict[str, Any], message: str) -> None:
    """With what was expected and what was found."""
    with pytest.raises(TrainingError) as caught:
        validate(Outer, {"name": "x", **changes}, "a.json", TrainingError)
    assert caught.value.message.startswith(f"a.json: {message}")


def test_up_to_three_fields_are_named() -> None:
    """Somebody who misspells a field sees what is missing and what is unknown at once."""
    with pytest.raises(ModelError) as caught:
        validate(Outer, {"nmae": "x", "flag": 0, "even": "2", "kind": 0}, "a.json", ModelError)
    parts = caught.value.message.split("; ")
    assert len(parts) == 3
    assert parts[0] == "a.json: name: missing"
    with pytest.raises(ModelError, match="nmae: unknown") as caught:
        validate(Outer, {"name": "x", "nmae": "x"}, "a.json", ModelError)
    assert "name, inner, kind" in caught.value.hint


@pytest.mark.parametrize("values", [None, 1, "x", [], [("name", "x")]])
def test_what_is_no_object_is_refused(values: object) -> None:
    """A list of pairs is no object either."""
    with pytest.raises(TrainingError, match=r"a\.json: expected an object of fields"):
        validate(Outer, values, "a.json", TrainingError)


def test_a_complete_document_leaves_nothing_to_defaults() -> None:
    """Fields of nested dataclasses included."""
    with pytest.raises(ModelError, match=r"^m: sides: missing$"):
        validate(Inner, {"size": 1}, "m", ModelError, complete=True)
    whole = {"name": "x", "inner": {"size": 1}, "kind": "a", "flag": True, "widths": []}
    whole |= {"rates": {}, "anything": {}, "even": 2, "spec": SpectrogramSpec().to_dict()}
    with pytest.raises(ModelError, match=r"^m: inner\.sides: missing$"):
        validate(Outer, whole, "m", ModelError, complete=True)
    assert validate(Outer, whole | {"inner": None}, "m", ModelError, complete=True).inner is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"name": "a", "name": "b"}',
        '{"temperature": NaN}',
        "[-Infinity]",
        "[" * 100_000,
        '{"a":' * 100_000,
        f'{{"temperature": {"9" * 5000}}}',
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    """Broken JSON, a key given twice, numbers that are none; no text ends the process."""
    with pytest.raises(ModelError, match=r"^m is not valid JSON: "):
        parse_json(text, "m", ModelError)


def test_json_is_read() -> None:
    """What is fine is left as it is."""
    assert parse_json('{"a": [1, null], "b": {"c": "d"}}', "m", ModelError) == {
        "a": [1, None],
        "b": {"c": "d"},
    }


def test_pydantic_is_loaded_by_the_first_check() -> None:
    """Making a specification loads nothing of it, since worker processes do."""
    code = (
        "import sys; from emotool.features.spec import SpectrogramSpec; "
        "spec = SpectrogramSpec(**SpectrogramSpec().to_dict()); "
        "before = 'pydantic' in sys.modules; SpectrogramSpec.from_dict(spec.to_dict()); "
        "sys.exit(before or 'pydantic' not in sys.modules)"
    )
    path = [*filter(None, sys.path)]
    command = f"import sys; sys.path[:] = {path!r}; {code}"
    assert subprocess.run([sys.executable, "-c", command], timeout=60, check=False).returncode == 0
