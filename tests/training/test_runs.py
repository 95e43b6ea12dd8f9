"""Run folders."""

import csv
import json
from pathlib import Path

import pytest

from emotool.errors import OutputError, TrainingError
from training.runs import create_run, exclusively, find_runs, open_run, write_json


def test_a_run_is_found_again(tmp_path: Path) -> None:
    """By its folder with what it was started with, and by its name, newest first."""
    runs = [create_run(tmp_path, "cnn", {"seed": seed}) for seed in range(3)]
    create_run(tmp_path, "resnet", {})
    assert len({run.folder for run in runs}) == 3
    assert open_run(runs[1].folder).config == {"seed": 1}
    found = find_runs(tmp_path, "cnn", finished=False)
    assert [run.config["seed"] for run in found] == [2, 1, 0]
    write_json(runs[1].folder / "metrics.json", {"best_epoch": 3})
    assert [r.config["seed"] for r in find_runs(tmp_path, "cnn", finished=True)] == [1]
    assert [r.config["seed"] for r in find_runs(tmp_path, "cnn", finished=False)] == [2, 0]
    assert open_run(runs[1].folder).metrics() == {"best_epoch": 3}


def test_an_unfinished_run_has_no_figures_and_says_how_to_go_on(tmp_path: Path) -> None:
    """The hint is a command."""
    run = create_run(tmp_path, "cnn", {})
    with pytest.raises(TrainingError) as caught:
        run.metrics()
    assert caught.value.hint == f"go on with: emotool train {run.folder} --resume"


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    """A folder without a config, or with a damaged one."""
    with pytest.raises(TrainingError, match="is no run"):
        open_run(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(TrainingError, match="cannot be read"):
        open_run(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """One clear error."""
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(OutputError, match="runs"):
        create_run(tmp_path / "runs", "cnn", {})


def test_only_two_checkpoints_are_kept(tmp_path: Path) -> None:
    """The last, and the one before in case it is damaged."""
    stage = create_run(tmp_path, "cnn", {}).stage()
    assert (stage.restore({}), stage.epochs_kept()) == (None, 0)
    for epoch in (1, 2, 3, 10):
        stage.keep(epoch, {}, {"epoch": epoch})
    assert [path.stem for path in stage.checkpoints()] == ["model-00010", "model-00003"]
    assert stage.restore({})["epoch"] == 10  # type: ignore[index]
    assert stage.epochs_kept() == 10


def test_where_no_checkpoint_can_be_read_the_run_is_not_begun_anew(tmp_path: Path) -> None:
    """Hours of training are not thrown away in silence."""
    stage = create_run(tmp_path, "cnn", {}).stage()
    stage.keep(1, {}, {})
    stage.checkpoints()[0].write_bytes(b"")
    with pytest.raises(TrainingError, match="no readable checkpoint"):
        stage.restore({})


def test_stages_of_a_run_do_not_mix(tmp_path: Path) -> None:
    """A first stage has checkpoints, history and weights under a name of its own."""
    run = create_run(tmp_path, "autoencoder", {})
    first, last = run.stage("reconstruct"), run.stage()
    first.keep(5, {}, {"epoch": 5})
    assert last.checkpoints() == []
    assert first.history != last.history
    assert first.best_weights != last.best_weights


def test_two_processes_do_not_train_one_run(tmp_path: Path) -> None:
    """The second is told; once the first has ended, the run is free again."""
    run = create_run(tmp_path, "cnn", {})
    refused = pytest.raises(TrainingError, match="by another process")
    with exclusively(run), refused, exclusively(run):
        pass
    with exclusively(run):
        pass
    assert sorted(path.name for path in run.folder.iterdir()) == ["checkpoints", "config.json"]


def test_history_is_a_table(tmp_path: Path) -> None:
    """Numbers come back as they were, to the last bit."""
    stage = create_run(tmp_path, "cnn", {}).stage()
    stage.write_history([{"epoch": 1, "loss": 0.1 + 0.2}, {"epoch": 2, "loss": 1e-9}])
    with stage.history.open() as handle:
        rows = list(csv.DictReader(handle))
    assert [float(row["loss"]) for row in rows] == [0.1 + 0.2, 1e-9]


def test_json_has_no_nan(tmp_path: Path) -> None:
    """Other programs could not read it; the file is left as it was."""
    path = tmp_path / "m.json"
    write_json(path, {"uar": 0.5})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, {"uar": float("nan")})
    assert json.loads(path.read_text()) == {"uar": 0.5}
