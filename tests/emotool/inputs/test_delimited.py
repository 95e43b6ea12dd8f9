"""CSV text from whatever program."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool.errors import InputError
from emotool.inputs.delimited import delimited_rows


@pytest.mark.parametrize("blank", ["", "\n", "\r\n\r\n", "  \n"])
def test_the_delimiter_is_that_of_the_first_line_with_text(blank: str) -> None:
    """Blank lines before the header hide neither it nor what parts its cells."""
    rows = [row for _, row in delimited_rows(f"{blank}path;who\na,b.wav;Ann\n", "x")]
    assert rows == [("path", "who"), ("a,b.wav", "Ann")]


def test_an_empty_cell_is_a_row_where_there_is_one_column() -> None:
    """What names no clip has to be told, not left out; a blank line names nothing."""
    assert [row for _, row in delimited_rows('path\n""\n\na.wav\n', "x")] == [
        ("path",),
        ("",),
        ("a.wav",),
    ]


def test_rows_say_at_which_line_they_end() -> None:
    """A cell of two lines counts as two."""
    assert list(delimited_rows('a,b\n"x\ny",1\n', "x")) == [(1, ("a", "b")), (3, ("x\ny", "1"))]


def test_an_open_quote_is_told_with_its_line() -> None:
    """It would swallow the rest of the file."""
    with pytest.raises(InputError, match=r"^labels\.csv: line 2: "):
        list(delimited_rows('a,b\n"x,1\n', "labels.csv"))


def test_a_huge_cell_is_refused() -> None:
    """No cell of a table that a person made has a million characters."""
    with pytest.raises(InputError, match="field larger than"):
        list(delimited_rows("a,b\n" + "x" * (1 << 21), "x"))


@given(st.text())
def test_any_text_is_rows_or_an_error(text: str) -> None:
    """Nothing else is raised, and no row is empty."""
    try:
        rows = list(delimited_rows(text, "x"))
    except InputError:
        return
    assert all(row for _, row in rows)
