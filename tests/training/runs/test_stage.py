"""Checkpoints, history and best weights of a stage of a run."""

import csv
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from emotool.errors import TrainingError
from emotool_training.npz_store import load_arrays, save_arrays
from emotool_training.runs.stage import Stage, load_checkpoint, save_checkpoint


class Variable:
    """What a checkpoint needs of a variable."""

    def __init__(self, value: object) -> None:
        self.value = np.asarray(value)

    @property
    def shape(self) -> tuple[int, ...]:
        """The value's shape."""
        return self.value.shape

    def numpy(self) -> np.ndarray:
        """Return the value."""
        return self.value

    def assign(self, value: np.ndarray) -> None:
        """Set the value."""
        self.value = value


def variables(scale: float) -> dict[str, list[Variable]]:
    """Return some variables, a scalar and an integer among them."""
    return {
        "weights": [Variable(scale * np.ones((2, 3), np.float32)), Variable(np.float32(scale))],
        "optimiser": [Variable(np.int64(scale))],
    }


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    """Values, types and facts."""
    path = tmp_path / "c.npz"
    save_checkpoint(path, variables(3.0), {"epoch": 7, "history": [{"loss": 0.1}]})
    into = variables(0.0)
    facts = load_checkpoint(path, into)
    assert (facts["epoch"], facts["history"]) == (7, [{"loss": 0.1}])
    assert into["weights"][0].value.tolist() == [[3.0] * 3] * 2
    assert into["optimiser"][0].value == 3
    assert into["optimiser"][0].value.dtype == np.int64


def savez_of_numpy_2_1(file: IO[bytes], **arrays: Any) -> None:
    """Write arrays as numpy.savez does before NumPy 2.2: every keyword is an array's name."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.asanyarray(array))


def test_what_an_older_numpy_saves_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its savez has no allow_pickle; checkpoints in which that became an array can be read too."""
    monkeypatch.setattr(np, "savez", savez_of_numpy_2_1)
    path = tmp_path / "c.npz"
    save_checkpoint(path, variables(3.0), {"epoch": 7})
    arrays = load_arrays(path)
    assert sorted(arrays) == ["facts", "optimiser/0", "weights/0", "weights/1"]
    into = variables(0.0)
    assert load_checkpoint(path, into)["epoch"] == 7
    assert into["weights"][1].value == 3.0
    save_arrays(path, {**arrays, "allow_pickle": np.array(False)})
    into = variables(0.0)
    assert load_checkpoint(path, into)["epoch"] == 7
    assert into["weights"][1].value == 3.0


def test_objects_are_not_pickled(tmp_path: Path) -> None:
    """Nothing is written of what could not be read back."""
    path = tmp_path / "c.npz"
    with pytest.raises(ValueError, match="arrays of objects"):
        save_arrays(path, {"one": np.array([{}])})
    assert not path.exists()


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "gone"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, damage: str) -> None:
    """Nothing is assigned from it."""
    path = tmp_path / "c.npz"
    save_checkpoint(path, variables(3.0), {})
    content = path.read_bytes()
    middle = content.index(b"\x00\x00\x40\x40")  # a weight of 3.0
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(
            {"cut": content[:-50], "empty": b""}.get(
                damage, content[:middle] + b"\x01" + content[middle + 1 :]
            )
        )
    into = variables(0.0)
    with pytest.raises(TrainingError, match=r"c\.npz"):
        load_checkpoint(path, into)
    assert not into["weights"][0].value.any()


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    """Other shapes, other names, another number of variables."""
    path = tmp_path / "c.npz"
    save_checkpoint(path, variables(3.0), {})
    other = variables(0.0)
    other["weights"][0] = Variable(np.zeros((3, 2)))
    fewer = {"weights": variables(0.0)["weights"]}
    for into in (other, fewer):
        with pytest.raises(TrainingError, match="another model"):
            load_checkpoint(path, into)
        assert not into["weights"][1].value.any()


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
    with pytest.raises(TrainingError, match="not a readable checkpoint"):
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
