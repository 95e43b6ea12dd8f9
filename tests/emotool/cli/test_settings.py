"""Options of classify in files and variables, completion, and what is told where."""

import csv
import itertools
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotool.cli.run_log import RunLog
from emotool.results.row import ClipResult
from tests.emotool.tiny_models import tiny_metadata, write_tiny_model
from tests.synthesis import vowel, write_clip

pytestmark = pytest.mark.slow

Emotool = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with a clip, a file that is none, and two models."""
    write_clip(tmp_path / "clips" / "a.wav", vowel(120, 0.6))
    (tmp_path / "clips" / "b.wav").write_text("no sound")
    (tmp_path / "exported").mkdir()
    for name in ("tiny", "tinier"):
        write_tiny_model(tmp_path / "exported" / f"{name}.onnx", tiny_metadata(name=name))
    return tmp_path


@pytest.fixture
def emotool(place: Path, python: str, python_path: dict[str, str]) -> Emotool:
    """Return a function that runs ``emotool`` in that folder, with variables of its own."""

    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        options: dict[str, Any] = {"cwd": place, "env": python_path | variables, "text": True}
        command = [python, "-m", "emotool", *arguments]
        return subprocess.run(command, capture_output=True, check=False, timeout=60, **options)

    return run


def model_used(run: "subprocess.CompletedProcess[str]") -> str:
    """Return the model that a run's rows name."""
    assert run.returncode == 3, run.stderr
    return next(csv.DictReader(run.stdout.splitlines()))["model"]


def test_nearer_places_go_first(emotool: Emotool, place: Path) -> None:
    """The command line goes before the environment, the folder's file, and the user's file."""
    user = place / "mine.toml"
    user.write_text('[classify]\nmodel = "exported/tiny.onnx"\n')
    mine = {"EMOTOOL_CONFIG": str(user)}
    assert model_used(emotool("classify", "clips", **mine)) == "tiny"
    (place / "emotool.toml").write_text('[classify]\nmodel = "tinier"\n')
    assert model_used(emotool("classify", "clips", **mine)) == "tinier"
    mine["EMOTOOL_MODEL"] = "tiny"
    assert model_used(emotool("classify", "clips", **mine)) == "tiny"
    assert model_used(emotool("classify", "clips", "-m", "tinier", **mine)) == "tinier"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('output = ["../elsewhere.csv"]', "output"),
        ('log_file = "x.log"', "log_file"),
        ("raw = true", "raw"),
        ('embeddings = "x.npz"', "embeddings"),
        ('audacity = "tracks"', "audacity"),
        ("top = -1", "top"),
        ('model = "exported/tiny.onnx"', "by name only"),
        ('model = "clips/a.wav"', "by name only"),
        ("batch_size = true", "batch_size"),
        ("quiet = 3", "quiet"),
        ('device = "gpu"', "device"),
        ("workers = -1", "workers"),
        ("timeout = inf", "timeout: takes a finite number"),
        ('save_config = "x"', "no setting"),
    ],
)
def test_a_strangers_file_is_confined(emotool: Emotool, place: Path, line: str, word: str) -> None:
    """A file in the current folder chooses no outputs and no model by path; errors name it."""
    (place / "emotool.toml").write_text(f"[classify]\n{line}\n")
    before = sorted(place.rglob("*"))
    run = emotool("classify", "clips")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("error: emotool.toml: ")
    assert word in run.stderr
    assert sorted(place.rglob("*")) == before
    assert emotool("classify", "--help").returncode == 0


def test_a_folders_file_may_choose_columns_and_rows(emotool: Emotool, place: Path) -> None:
    """How many labels are ranked, and whether windows are rows, is a project's own matter."""
    lines = ("top = 1", "segments = true", "hop = 0.05", "merge = true")
    (place / "emotool.toml").write_text("\n".join(["[classify]", *lines]))
    run = emotool("classify", "clips", "-m", "tiny")
    assert run.returncode == 3, run.stderr
    rows = list(csv.DictReader(run.stdout.splitlines()))
    assert list(rows[0])[-2:] == ["top_1", "top_1_p"]
    assert "start_s" in rows[0]
    joined = [row["label"] for row in rows if row["status"] == "ok"]
    assert all(a != b for a, b in itertools.pairwise(joined))


def test_variables_may_choose_outputs(emotool: Emotool) -> None:
    """The environment is the user's own."""
    run = emotool("classify", "clips", "-m", "tiny", EMOTOOL_OUTPUT="r.csv", EMOTOOL_QUIET="1")
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (3, "", 1)


@pytest.mark.parametrize(
    ("setting", "option"),
    [("QUIET", "--verbose"), ("VERBOSE", "--quiet"), ("MAX_ERRORS", "--fail-fast")],
)
def test_an_option_replaces_a_setting_that_it_excludes(
    emotool: Emotool, setting: str, option: str
) -> None:
    """Who is quiet by default can ask for more once."""
    run = emotool("classify", "clips", "-m", "tiny", option, **{f"EMOTOOL_{setting}": "1"})
    assert run.returncode in (1, 3)
    assert "give only one of them" not in run.stderr
    assert f"setting: {setting.lower()}" not in run.stderr


def test_saved_settings_give_the_same_run(emotool: Emotool, place: Path) -> None:
    """What --save-config writes is taken by later runs; outputs stay out of a folder's file."""
    arguments = ("classify", "clips", "-m", "tiny", "--batch-size", "8", "-o", "r.csv")
    assert emotool(*arguments, "--save-config", "emotool.toml").returncode == 3
    saved = tomllib.loads((place / "emotool.toml").read_text())["classify"]
    assert (saved["model"], saved["batch_size"]) == ("tiny", 8)
    assert "output" not in saved
    run = emotool("classify", "clips", "--verbose")
    assert model_used(run) == "tiny"
    assert "setting: batch_size = 8 (emotool.toml)" in run.stderr
    assert "failed: clips/b.wav: open: " in run.stderr
    emotool(*arguments, "--save-config", "mine.toml")
    assert tomllib.loads((place / "mine.toml").read_text())["classify"]["output"] == ["r.csv"]


def test_log_file_is_added_to(emotool: Emotool, place: Path) -> None:
    """A log holds each run's clips without a label and its end, whatever is said to people."""
    for _ in range(2):
        run = emotool("classify", "clips", "-m", "tiny", "-q", "--log-file", "run.log")
        assert (run.returncode, run.stderr.count("\n")) == (3, 1)
    lines = (place / "run.log").read_text().splitlines()
    assert sum("failed: clips/b.wav: open: " in line for line in lines) == 2
    assert sum("done: 2 clips in" in line for line in lines) == 2
    assert emotool("classify", "clips", "-m", "no", "--log-file", "run.log").returncode == 1
    assert "stopped: there is no model 'no'" in (place / "run.log").read_text()
    failed = emotool("classify", "clips", "--log-file", "no/such/folder.log")
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: cannot write the log")


@pytest.mark.parametrize("option", ["--log-file", "--save-config"])
def test_recordings_are_no_place_for_logs_and_settings(
    emotool: Emotool, place: Path, option: str
) -> None:
    """A recording named by mistake stays as it is, as does whatever else is in the way."""
    kept = {path: path.read_bytes() for path in (place / "clips").iterdir()}
    for name in ("clips/a.wav", "clips/a.flac", "clips/a.mp3"):
        write_clip(place / name, vowel(120, 0.6))
        kept[place / name] = (place / name).read_bytes()
        run = emotool("classify", "clips", "-m", "tiny", option, name)
        assert run.returncode == 1, run.stderr
        assert (run.stderr.startswith("error: "), option in run.stderr) == (True, True)
    assert {path: path.read_bytes() for path in (place / "clips").iterdir()} == kept


@pytest.mark.parametrize("option", ["--log-file", "--save-config"])
def test_logs_and_settings_are_no_tables(emotool: Emotool, place: Path, option: str) -> None:
    """By whatever name, a table or list of the run is not where they go."""
    run = emotool("classify", "clips", "-m", "tiny", "-o", "t.csv", option, "clips/../t.csv")
    assert (run.returncode, option in run.stderr) == (2, True)
    (place / "list.csv").write_text("path\nclips/a.wav\n")
    run = emotool("classify", "--manifest", "list.csv", "-m", "tiny", option, "list.csv")
    assert run.returncode in (1, 2)
    assert (place / "list.csv").read_text() == "path\nclips/a.wav\n"


def test_logs_get_plain_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nobody watches, progress is a line now and then, without control characters."""
    monkeypatch.setattr("emotool.cli.run_log.LINE_SECONDS", 0.0)
    with RunLog() as log:
        log.begin(2, 0)
        log.advance(ClipResult(0, "a.wav", "ok"))
    assert capsys.readouterr().err.startswith("1 of 2 clips, ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_models(emotool: Emotool, shell: str) -> None:
    """After `--model` a Tab offers the models that begin with what is typed."""
    run = emotool(
        _EMOTOOL_COMPLETE=f"complete_{shell}",
        COMP_WORDS="emotool classify --model tin",
        COMP_CWORD="3",
        _TYPER_COMPLETE_ARGS="emotool classify --model tin",
        _TYPER_COMPLETE_FISH_ACTION="get-args",
    )
    assert "tiny" in run.stdout, run.stderr
    assert "tinier" in run.stdout
    assert "cnn" not in run.stdout


def test_a_file_of_settings_that_is_not_there_is_told(emotool: Emotool) -> None:
    """A slip in the variable is no reason to go on without the settings."""
    run = emotool("classify", "clips", EMOTOOL_CONFIG="nothere.toml")
    assert run.returncode != 0
    assert run.stdout == ""
    assert "EMOTOOL_CONFIG names nothere.toml" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_models_name_beside_the_clips_changes_nothing(emotool: Emotool, place: Path) -> None:
    """An own model called cnn is neither taken for the built-in one nor mistaken for it."""
    write_tiny_model(place / "exported" / "cnn.onnx", tiny_metadata(name="cnn"))
    plain, own = (
        emotool("classify", "clips", "--model", "cnn"),
        emotool("classify", "clips", "--model", str(Path("exported", "cnn.onnx"))),
    )
    names = [
        {row["model"] for row in csv.DictReader(run.stdout.splitlines())} for run in (plain, own)
    ]
    assert names[0] == {"cnn"}
    assert len(names[1]) == 1
    assert names[1].pop().startswith("cnn@")
