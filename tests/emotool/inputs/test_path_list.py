"""Lists of paths, as other programs write them."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotool.errors import InputError
from emotool.inputs.path_list import read_paths


def test_lines_are_paths(tmp_path: Path) -> None:
    """Of either kind of line break, with or without one at the end; empty ones are none."""
    (tmp_path / "l").write_bytes(b"a.wav\r\n\n b c.wav\nd.wav")
    assert read_paths(str(tmp_path / "l")) == ["a.wav", " b c.wav", "d.wav"]


@pytest.mark.parametrize("end", [b"\r", b"\r\n", b"\r\r\n"])
def test_lines_may_end_in_carriage_returns(tmp_path: Path, end: bytes) -> None:
    """Lines of blanks are none."""
    (tmp_path / "l").write_bytes(b"a.wav" + end + b"  " + end + b"b.wav" + end)
    assert read_paths(str(tmp_path / "l")) == ["a.wav", "b.wav"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.binary(min_size=1).filter(lambda b: b"\0" not in b), min_size=1))
def test_any_name_survives_between_nul_bytes(tmp_path: Path, names: list[bytes]) -> None:
    """Line breaks and bytes that are no text among them."""
    (tmp_path / "l").write_bytes(b"".join(name + b"\0" for name in names))
    assert [os.fsencode(p) for p in read_paths(str(tmp_path / "l"), nul=True)] == names


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    """Some editors begin every text with one."""
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbfa.wav\nb.wav\n")
    assert read_paths(str(tmp_path / "list.txt"), nul=False) == ["a.wav", "b.wav"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_list_as_powershell_writes_it_is_read(tmp_path: Path, encoding: str) -> None:
    """UTF-16 behind its mark; a name there may be no proper text."""
    names = ["talks/a.wav", "M\u00fcller.wav", "\U0001f600.wav", "half a pair \ud83d.wav"]
    text = "\ufeff" + "".join(name + "\r\n" for name in names)
    (tmp_path / "l").write_bytes(text.encode(encoding, "surrogatepass"))
    read = [os.fsencode(path) for path in read_paths(str(tmp_path / "l"))]
    assert read == [name.encode("utf-8", "surrogatepass") for name in names]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_list_in_utf_16_needs_no_mark(tmp_path: Path, encoding: str) -> None:
    """As iconv and some editors write it."""
    (tmp_path / "l").write_bytes("talks/a.wav\r\nM\u00fcller.wav\r\n".encode(encoding))
    assert read_paths(str(tmp_path / "l")) == ["talks/a.wav", "M\u00fcller.wav"]


def test_half_a_list_of_powershells_is_told(tmp_path: Path) -> None:
    """Cut off within a letter, it is no text."""
    (tmp_path / "l").write_bytes(b"\xff\xfea\0\n\0b")
    with pytest.raises(InputError, match="it is not UTF-16 text"):
        read_paths(str(tmp_path / "l"))


def test_other_code_pages_are_told_where_names_are_no_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of cmd's dir on Windows, where Python knows no names but text."""
    monkeypatch.setattr(os, "fsdecode", lambda name: name.decode("utf-8", "surrogatepass"))
    (tmp_path / "l").write_bytes("M\u00fcller.wav\r\n".encode("cp850"))
    with pytest.raises(InputError, match="it is not UTF-8 text") as caught:
        read_paths(str(tmp_path / "l"))
    assert "UTF-8" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"\n\r\n"])
def test_an_empty_list_is_told(tmp_path: Path, content: bytes) -> None:
    """Rather than classifying nothing."""
    (tmp_path / "l").write_bytes(content)
    with pytest.raises(InputError, match="lists no path"):
        read_paths(str(tmp_path / "l"))


def test_a_list_of_the_other_kind_is_told(tmp_path: Path) -> None:
    """NUL bytes where lines were expected: with the option that reads them."""
    (tmp_path / "l").write_bytes(b"a\0b\0")
    with pytest.raises(InputError) as caught:
        read_paths(str(tmp_path / "l"))
    assert "--from0" in (caught.value.hint or "")


def test_a_list_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(InputError, match="nowhere: No such file"):
        read_paths(str(tmp_path / "nowhere"))
