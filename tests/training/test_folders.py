"""Folders for outputs."""

from pathlib import Path

import pytest

from emotool.errors import OutputError
from emotool_training.folders import make_folder


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    """With its parents; an existing one is fine."""
    wanted = tmp_path / "a" / "b"
    assert make_folder(wanted) == wanted
    assert make_folder(wanted).is_dir()


def test_a_file_in_the_way_is_an_output_error(tmp_path: Path) -> None:
    """The message names the folder."""
    (tmp_path / "a").touch()
    with pytest.raises(OutputError, match="cannot make the folder"):
        make_folder(tmp_path / "a" / "b")
