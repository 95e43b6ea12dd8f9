"""Paths as text, whatever bytes they are made of."""

import base64
import os

import pytest
from hypothesis import given

from emotool.results.columns import path_bytes, path_text
from tests.emotool.hostile import names


@given(name=names)
def test_path_is_lossless(name: str) -> None:
    """Either the text is the name itself, or the bytes are there to tell."""
    raw = path_bytes(name)
    if raw is None:
        assert path_text(name) == name
    else:
        assert base64.b64decode(raw) == name.encode("utf-8", "surrogateescape")
        assert path_text(name).encode()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no undecodable names")
def test_undecodable_bytes_are_shown_by_their_value() -> None:
    """A Latin-1 name on a UTF-8 system is readable, and its bytes are kept."""
    name = os.fsdecode(b"caf\xe9.wav")
    assert path_text(name) == r"caf\xe9.wav"
    assert path_bytes(name) == "Y2Fm6S53YXY="


def test_lone_surrogates_of_windows_are_escaped() -> None:
    """A name that is no Unicode for another reason is text all the same."""
    assert path_text("a\ud800b") == r"a\ud800b"
