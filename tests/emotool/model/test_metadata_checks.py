"""What a stranger's JSON may hold, before it is taken for a model's metadata."""

from typing import Any

import pytest

from emotool.errors import ModelError
from emotool.model.metadata_checks import check_fields, is_int, is_number, parse


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        '{"name": "a", "name": "b"}',
        '{"temperature": NaN}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '"' + "x" * 1_000_001 + '"',
        f'{{"temperature": {"9" * 5000}}}',
    ],
)
def test_what_is_no_json_object_is_refused(text: str) -> None:
    """No text brings the reader down."""
    with pytest.raises(ModelError, match="metadata"):
        parse(text)


def test_key_given_twice_is_refused() -> None:
    """Two readers could take different ones of the two values."""
    text = '{"licence": "public domain", "name": "a", "licence": "CC0"}'
    with pytest.raises(ModelError, match="twice"):
        parse(text)


def test_an_object_is_read() -> None:
    """What is fine is left as it is."""
    assert parse('{"a": [1, null], "b": {"c": "d"}}') == {"a": [1, None], "b": {"c": "d"}}


def test_the_first_field_that_is_wrong_is_named() -> None:
    """Missing ones before unknown ones, each by the alphabet: the message is always the same."""
    with pytest.raises(ModelError, match=r"golden\.a: missing"):
        check_fields("golden.", {"x": 1}, {"b", "a"})
    with pytest.raises(ModelError, match=r"golden\.x: unknown"):
        check_fields("golden.", {"a": 1, "y": 1, "x": 1}, {"a"})


@pytest.mark.parametrize("value", [True, "1", None, 10**400, float("nan"), float("inf")])
def test_what_is_no_number_is_none(value: Any) -> None:
    """Python takes True for 1, and integers that no float can hold for numbers."""
    assert not is_number(value)
    assert not is_int(value) or value == 10**400
    assert is_number(0) and is_number(-1.5) and is_int(0) and not is_int(1.0)
