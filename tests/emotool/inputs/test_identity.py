"""A file that has changed is another one."""

import os
from pathlib import Path

import pytest

from emotool.inputs.identity import file_identity


def test_file_identity_changes_with_the_file(tmp_path: Path) -> None:
    """Another size, another time or another place is another file."""
    clip = tmp_path / "a.wav"
    clip.write_bytes(b"sound")
    os.utime(clip, ns=(1, 1))
    before = file_identity(str(clip), by_content=False)
    assert file_identity(str(clip), by_content=False) == before
    os.utime(clip, ns=(1, 2))
    assert file_identity(str(clip), by_content=False) != before
    clip.write_bytes(b"sounds")
    os.utime(clip, ns=(1, 1))
    assert file_identity(str(clip), by_content=False) != before
    moved = clip.rename(tmp_path / "b.wav")
    moved.write_bytes(b"sound")
    os.utime(moved, ns=(1, 1))
    assert file_identity(str(moved), by_content=False) != before


def test_file_identity_by_content_is_the_content(tmp_path: Path) -> None:
    """By content, a copy is the same file however old; one changed byte makes another."""
    clip, copy = tmp_path / "a.wav", tmp_path / "b.wav"
    clip.write_bytes(b"sound")
    copy.write_bytes(b"sound")
    os.utime(copy, ns=(1, 1))
    same = file_identity(str(clip), by_content=True)
    assert file_identity(str(copy), by_content=True) == same
    copy.write_bytes(b"sounD")
    assert file_identity(str(copy), by_content=True) != same


def test_file_identity_is_the_same_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path names the file, not the way to it."""
    (tmp_path / "a.wav").write_bytes(b"sound")
    absolute = file_identity(str(tmp_path / "a.wav"), by_content=False)
    monkeypatch.chdir(tmp_path)
    assert file_identity("a.wav", by_content=False) == absolute
