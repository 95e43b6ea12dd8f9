"""Punctuation that cannot be read back is refused."""

import pytest

from emotool.writers.base import DELIMITERS, Dialect


def test_without_a_choice_it_is_a_comma_and_a_point() -> None:
    """And no byte-order mark."""
    assert (Dialect().separator, Dialect().decimal, Dialect().byte_order_mark) == (",", ".", False)


def test_numbers_with_a_comma_leave_the_semicolon_for_cells() -> None:
    """Unless another delimiter is named."""
    assert Dialect(decimal=",").separator == ";"
    assert Dialect("\t", ",").separator == "\t"


@pytest.mark.parametrize(
    ("delimiter", "decimal"), [(",", ","), ("x", "."), ("", "."), (";;", "."), (",", ";")]
)
def test_marks_that_cannot_be_meant_are_refused(delimiter: str, decimal: str) -> None:
    """The same mark twice, letters, nothing, two characters."""
    with pytest.raises(ValueError, match=r"delimiter|decimal mark"):
        Dialect(delimiter, decimal)


def test_every_delimiter_has_a_name_and_is_one_character() -> None:
    """As the command line takes them."""
    assert all(len(sign) == 1 and Dialect(sign).separator == sign for sign in DELIMITERS.values())
