"""Run folders."""

import json
from pathlib import Path

import pytest

from emotool.errors import OutputError, TrainingError
from emotool_training.runs.folder import create_run, exclusively, find_runs, open_run, write_json


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
    assert caught.value.hint == f"resume with: emotool train {run.folder} --resume"


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    """A folder without a config, or with a damaged one."""
    with pytest.raises(TrainingError, match="is not a run"):
        open_run(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(TrainingError, match="cannot be read"):
        open_run(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """One clear error."""
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(OutputError, match="runs"):
        create_run(tmp_path / "runs", "cnn", {})


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


def test_json_has_no_nan(tmp_path: Path) -> None:
    """Other programs could not read it; the file is left as it was."""
    path = tmp_path / "m.json"
    write_json(path, {"uar": 0.5})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, {"uar": float("nan")})
    assert json.loads(path.read_text()) == {"uar": 0.5}


def test_json_gives_paths_back_to_the_byte(tmp_path: Path) -> None:
    """Those that are no text as well; letters of every script can be read in the file."""
    path, names = tmp_path / "config.json", ["/m\udce9in/\udcff", "/Gefühle"]
    write_json(path, {"data": names})
    content = path.read_text(encoding="utf-8")
    assert json.loads(content) == {"data": names}
    assert "Gefühle" in content
