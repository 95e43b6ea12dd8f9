"""Failures have a table of their own, which takes nobody else's place."""

import os
from pathlib import Path

import pytest

from emotool.writers.failures import FailureTable
from tests.emotool.opened_outputs import FAILED, OK, opened

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


def test_failures_have_their_own_table(tmp_path: Path) -> None:
    """``failures.csv`` names the clips that failed, safe for a spreadsheet; only if there are."""
    with opened(tmp_path, "labels.csv") as outputs:
        outputs.write(OK)
        outputs.write(FAILED)
        assert outputs.close() == tmp_path / "failures.csv"
    table = (tmp_path / "failures.csv").read_text()
    assert table == 'path,stage,error\n\'=b.wav,decode,"no, none"\n'


def test_each_output_of_a_folder_has_its_own_failures(tmp_path: Path) -> None:
    """Runs into one folder neither replace nor remove each other's tables."""
    names = {
        "labels.csv": "failures.csv",
        "a.csv": "a.failures.csv",
        "b.csv": "b.failures.csv",
        "a.json": "a.json.failures.csv",
        "labels.tsv": "labels.tsv.failures.csv",
    }
    for rows in ([FAILED], [FAILED], [OK]):
        for number, (name, table) in enumerate(names.items()):
            with opened(tmp_path, name) as outputs:
                for row in rows:
                    outputs.write(row)
                assert outputs.close() == (tmp_path / table if rows == [FAILED] else None)
            left = list(names.values())[number + 1 :] if rows == [OK] else names.values()
            found = {path.name for path in tmp_path.glob("*failures.csv")}
            assert found >= {each for each in left if (tmp_path / each).exists()}
            assert rows == [FAILED] or found == set(left)


def test_table_of_earlier_failures_goes_when_there_are_none(tmp_path: Path) -> None:
    """After a run without failures, nothing says there were any."""
    for rows in ([FAILED], [OK]):
        with opened(tmp_path, "labels.csv") as outputs:
            for row in rows:
                outputs.write(row)
            outputs.close()
    assert not (tmp_path / "failures.csv").exists()


def test_failures_take_no_other_outputs_place(tmp_path: Path) -> None:
    """Whoever calls a table ``failures.csv`` gets it, and the failures beside it."""
    with opened(tmp_path, "labels.csv", "failures.csv") as outputs:
        outputs.write(OK)
        outputs.write(FAILED)
        assert outputs.close() == tmp_path / "labels.failures.csv"
    assert (tmp_path / "failures.csv").read_text().startswith("path,status,label")


def test_strangers_table_of_failures_is_left_alone(tmp_path: Path) -> None:
    """A ``failures.csv`` that is not ours is neither replaced nor removed."""
    (tmp_path / "failures.csv").write_text("what,when\nstairs,1999\n")
    for rows in ([FAILED], [OK]):
        with opened(tmp_path, "labels.csv") as outputs:
            for row in rows:
                outputs.write(row)
            outputs.close()
        assert (tmp_path / "labels.failures.csv").exists() == (rows == [FAILED])
    assert (tmp_path / "failures.csv").read_text().startswith("what")


def test_no_stranger_is_in_the_way(tmp_path: Path) -> None:
    """The usual name may be taken, and one may be taken while the run continues."""
    (tmp_path / "r.failures.csv").write_text("stairs")
    table = FailureTable(tmp_path / "r.csv", raw=True)
    table.add(FAILED)
    assert table.close() == tmp_path / "r.2.failures.csv"
    late = FailureTable(tmp_path / "s.csv", raw=True)
    (tmp_path / "s.failures.csv").write_text("stairs")
    assert late.close() is None
    for name in ("r.failures.csv", "s.failures.csv"):
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
    table = FailureTable(tmp_path / "labels.csv", raw=True)
    table.add(FAILED)
    assert table.close() == tmp_path / "labels.failures.csv"
    assert not (tmp_path / "elsewhere").exists()


def test_the_longest_name_of_an_output_leaves_room(tmp_path: Path) -> None:
    """An output of 255 bytes has a table of failures too, with a shortened name."""
    output = tmp_path / f"{'y' * 251}.csv"
    table = FailureTable(output, raw=False)
    table.add(FAILED)
    place = table.close()
    assert place is not None
    assert place.name.startswith("yyy")
    assert place.name.endswith(".failures.csv")
    assert len(place.name) <= 255
