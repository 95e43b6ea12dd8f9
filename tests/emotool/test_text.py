"""Names from strangers never reach a terminal raw."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotool.text import harmless, printable, unharmed

# What moves a cursor, reorders or hides text, or cannot be encoded at all.
_DANGEROUS = {"Cc", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize(
    "name",
    ["clip.wav", "Ünïcödé 日本語.wav", "שלום.wav", "a\u3000b\u00a0c", "👩\u200d🎤", "\\x41", ""],
)
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    """Letters of every script, wide spaces, emoji and backslashes are left alone."""
    assert printable(name) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[2Ja.wav", r"\x1b[2Ja.wav"),
        ("a\r\n.wav", r"a\x0d\x0a.wav"),
        ("a\x7f\x9b31m", r"a\x7f\x9b31m"),
        ("a\u202egpj.wav", r"a\u202egpj.wav"),
        ("\u2066a\u2069", r"\u2066a\u2069"),
        ("a\u2028b", r"a\u2028b"),
        ("\ufeffa", r"\ufeffa"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(name: str, shown: str) -> None:
    """Escape sequences, line breaks, bidirectional overrides and invisible characters show."""
    assert printable(name) == shown


def test_undecodable_bytes_show_as_themselves() -> None:
    r"""A byte that is not UTF-8 is shown as \xNN with its own value."""
    assert printable(b"caf\xe9\xff".decode("utf-8", "surrogateescape")) == r"caf\xe9\xff"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_any_name_becomes_safe_and_stays_safe(name: str) -> None:
    """Whatever the name, the result is encodable, without controls, and is not changed again."""
    shown = printable(name)
    shown.encode("utf-8")
    assert not any(unicodedata.category(character) in _DANGEROUS for character in shown)
    assert printable(shown) == shown


@given(st.text() | st.text(st.sampled_from("'=+-@\t\r\nx"), max_size=4))
def test_an_apostrophe_is_taken_away_as_it_was_put_there(cell: str) -> None:
    """What is no formula is left alone."""
    safe = harmless(cell)
    assert safe in (cell, f"'{cell}")
    assert safe == cell or unharmed(safe) == cell
    assert harmless(unharmed(safe)) == safe
