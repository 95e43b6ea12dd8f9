"""What a run keeps of a stage."""

import csv
from pathlib import Path

import pytest

from emotool.errors import TrainingError
from emotool_training.runs.stage import Stage


def test_only_two_checkpoints_are_kept(tmp_path: Path) -> None:
    """The last, and the one before in case it is damaged."""
    (tmp_path / "checkpoints").mkdir()
    stage = Stage(tmp_path)
    assert (stage.restore({}), stage.epochs_kept()) == (None, 0)
    for epoch in (1, 2, 3, 10):
        stage.keep(epoch, {}, {"epoch": epoch})
    assert [path.stem for path in stage.checkpoints()] == ["model-00010", "model-00003"]
    assert stage.restore({})["epoch"] == 10  # type: ignore[index]
    assert stage.epochs_kept() == 10


def test_where_no_checkpoint_can_be_read_the_run_is_not_begun_anew(tmp_path: Path) -> None:
    """Hours of training are not thrown away in silence."""
    (tmp_path / "checkpoints").mkdir()
    stage = Stage(tmp_path)
    stage.keep(1, {}, {})
    stage.checkpoints()[0].write_bytes(b"")
    with pytest.raises(TrainingError, match="no readable checkpoint"):
        stage.restore({})


def test_history_is_a_table(tmp_path: Path) -> None:
    """Numbers come back as they were, to the last bit."""
    stage = Stage(tmp_path)
    stage.write_history([{"epoch": 1, "loss": 0.1 + 0.2}, {"epoch": 2, "loss": 1e-9}])
    with stage.history.open() as handle:
        rows = list(csv.DictReader(handle))
    assert [float(row["loss"]) for row in rows] == [0.1 + 0.2, 1e-9]


def test_a_stage_is_over_when_its_last_checkpoint_is_there_and_whole(tmp_path: Path) -> None:
    """A damaged one costs its epoch, and is not taken for the end."""
    (tmp_path / "checkpoints").mkdir()
    stage = Stage(tmp_path, "head")
    assert not stage.is_over(2)
    stage.keep(1, {}, {})
    assert stage.is_over(1) and not stage.is_over(2)
    stage.keep(2, {}, {})
    assert stage.is_over(2)
    newest = stage.checkpoints()[0]
    newest.write_bytes(newest.read_bytes()[:-10])
    assert not stage.is_over(2)
