"""Rows reach every output that was asked for; failures have a table of their own beside them."""

import os
from pathlib import Path

import pytest

from emotool.errors import OutputError
from emotool.outputs import FailureTable, Output, Outputs, files_of
from emotool.results import ClipResult, WriterOptions

OK = ClipResult(0, "a.wav", "ok", "tiny", "sad", 0.75, (0.25, 0.75), 1.0)
FAILED = ClipResult(1, "=b.wav", "failed", "tiny", stage="decode", error="no, none")
LABELS = ("happy", "sad")
posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


def opened(folder: Path, *names: str) -> Outputs:
    """Open outputs of these names in a folder."""
    outputs = [Output(str(folder / name)) for name in names]
    files = files_of(outputs)
    table = FailureTable(files[0], raw=False, spared=files)
    return Outputs(outputs, table, LABELS, {}, WriterOptions())


def test_every_output_gets_every_row(tmp_path: Path) -> None:
    """Several formats at once hold the same clips."""
    with opened(tmp_path, "r.csv", "r.json") as outputs:
        outputs.write(OK)
        outputs.close()
    assert "a.wav" in (tmp_path / "r.csv").read_text()
    assert "a.wav" in (tmp_path / "r.json").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv", "r.json"]


def test_failures_have_their_own_table(tmp_path: Path) -> None:
    """``failures.csv`` names the clips that failed, safe for a spreadsheet; only if there are."""
    with opened(tmp_path, "r.csv") as outputs:
        outputs.write(OK)
        outputs.write(FAILED)
        assert outputs.close() == tmp_path / "failures.csv"
    table = (tmp_path / "failures.csv").read_text()
    assert table == 'path,stage,error\n\'=b.wav,decode,"no, none"\n'


def test_table_of_earlier_failures_goes_when_there_are_none(tmp_path: Path) -> None:
    """After a run without failures, nothing says there were any."""
    for rows in ([FAILED], [OK]):
        with opened(tmp_path, "r.csv") as outputs:
            for row in rows:
                outputs.write(row)
            outputs.close()
    assert not (tmp_path / "failures.csv").exists()


def test_failures_take_no_other_outputs_place(tmp_path: Path) -> None:
    """Whoever calls a table ``failures.csv`` gets it, and the failures beside it."""
    with opened(tmp_path, "r.csv", "failures.csv") as outputs:
        outputs.write(OK)
        outputs.write(FAILED)
        assert outputs.close() == tmp_path / "r.failures.csv"
    assert (tmp_path / "failures.csv").read_text().startswith("path,status,label")


def test_strangers_table_of_failures_is_left_alone(tmp_path: Path) -> None:
    """A ``failures.csv`` that is not ours is neither replaced nor removed."""
    (tmp_path / "failures.csv").write_text("what,when\nstairs,1999\n")
    for rows in ([FAILED], [OK]):
        with opened(tmp_path, "r.csv") as outputs:
            for row in rows:
                outputs.write(row)
            outputs.close()
        assert (tmp_path / "r.failures.csv").exists() == (rows == [FAILED])
    assert (tmp_path / "failures.csv").read_text().startswith("what")


def test_no_stranger_is_in_the_way(tmp_path: Path) -> None:
    """Both usual names may be taken, and one may be taken while the run goes on."""
    for name in ("failures.csv", "r.failures.csv"):
        (tmp_path / name).write_text("stairs")
    table = FailureTable(tmp_path / "r.csv", raw=True)
    table.add(FAILED)
    assert table.close() == tmp_path / "r.2.failures.csv"
    late = FailureTable(tmp_path / "s.csv", raw=True)
    (tmp_path / "s.failures.csv").write_text("stairs")
    assert late.close() is None
    for name in ("failures.csv", "r.failures.csv", "s.failures.csv"):
        assert (tmp_path / name).read_text() == "stairs"


def test_output_may_itself_be_called_failures(tmp_path: Path) -> None:
    """The labels are not overwritten by the failures."""
    with opened(tmp_path, "failures.csv") as outputs:
        outputs.write(FAILED)
        assert outputs.close() == tmp_path / "failures.failures.csv"
    assert "status" in (tmp_path / "failures.csv").read_text()


@posix
def test_link_in_the_tables_place_is_not_followed(tmp_path: Path) -> None:
    """A link that someone has put there leads no writing elsewhere."""
    (tmp_path / "failures.csv").symlink_to(tmp_path / "elsewhere")
    table = FailureTable(tmp_path / "r.csv", raw=True)
    table.add(FAILED)
    assert table.close() == tmp_path / "r.failures.csv"
    assert not (tmp_path / "elsewhere").exists()


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
