"""Rows reach every output that was asked for, and a run's outputs are there whole or not at all."""

import os
from pathlib import Path

import pytest

from emotool.errors import OutputError
from emotool.run.options import Output
from emotool.run.outputs import Outputs, files_of
from emotool.writers.base import WriterOptions
from tests.emotool.opened_outputs import FAILED, LABELS, OK, opened

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


def test_every_output_gets_every_row(tmp_path: Path) -> None:
    """Several formats at once hold the same clips."""
    with opened(tmp_path, "r.csv", "r.json") as outputs:
        outputs.write(OK)
        outputs.close()
    assert "a.wav" in (tmp_path / "r.csv").read_text()
    assert "a.wav" in (tmp_path / "r.json").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv", "r.json"]


def test_error_leaves_what_was_there(tmp_path: Path) -> None:
    """A run that fails half-way changes nothing."""
    for name in ("r.csv", "r.json"):
        (tmp_path / name).write_text("before")
    with pytest.raises(LookupError), opened(tmp_path, "r.csv", "r.json") as outputs:
        outputs.write(FAILED)
        raise LookupError
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "r.csv": "before",
        "r.json": "before",
    }


def test_no_output_is_made_if_one_cannot_be(tmp_path: Path) -> None:
    """When the second output cannot be opened, the first is not left half-written."""
    (tmp_path / "folder.csv").mkdir()
    outputs = [Output(str(tmp_path / "r.csv")), Output(str(tmp_path / "folder.csv"))]
    with pytest.raises(OutputError):
        Outputs(outputs, None, LABELS, {}, WriterOptions())
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


def test_outputs_are_looked_at_before_the_work(tmp_path: Path) -> None:
    """A missing folder, a folder's name, an unknown format: all found before any clip is read."""
    for target in ("no/r.csv", ".", "r.doc"):
        with pytest.raises(OutputError):
            files_of([Output(str(tmp_path / target), "" if "." in target[1:] else ".csv")])


def test_one_file_is_not_written_twice_at_once(tmp_path: Path) -> None:
    """Two names of one file are noticed, through links as well."""
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    outputs = [Output(str(tmp_path / "r.csv")), Output(str(tmp_path / "link" / "r.csv"))]
    with pytest.raises(OutputError, match="named twice"):
        files_of(outputs)


@posix
def test_streams_are_no_files() -> None:
    """What is written straight through has no journal, no lock and no table of failures."""
    assert files_of([Output("-"), Output("/dev/null"), Output("/dev/stdout")]) == []
