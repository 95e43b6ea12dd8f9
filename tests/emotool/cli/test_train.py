"""``emotool train`` on a corpus of tones, in processes of its own where it is interrupted."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emotool.cli import main
from tests.tiny_run import tiny_corpus, tiny_recipe

pytestmark = pytest.mark.training

Run = Callable[..., tuple[int, str, str]]
SAME = ("history.csv", "metrics.json", "predictions.csv", "split.json")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run the command line in this process; gives the exit code, stdout and stderr."""

    def emotool(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        assert isinstance(ended.value.code, int)
        return ended.value.code, *capsys.readouterr()

    before = signal.getsignal(signal.SIGTERM)
    yield emotool
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a corpus and a recipe."""
    folder = tmp_path_factory.mktemp("train")
    tiny_corpus(folder / "corpus")
    tiny_recipe(folder / "tiny.json", epochs=40, patience=40)
    return folder


def options(base: Path) -> list[str | Path]:
    """Return where a test's data and features are."""
    return ["--data", base / "corpus", "--cache", base / "cache", "--workers", "1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--labels", "happy,joy"], "at least two different labels"),
        (["--labels", "happy"], "two different labels"),
        (["--labels", "sad,sad"], "two different labels"),
        (["--epochs", "0"], "--epochs"),
        (["--fold", "-1"], "--fold"),
        (["--test-share", "2"], "--test-share"),
    ],
)
def test_wrong_options_end_with_2(run: Run, base: Path, arguments: list[str], message: str) -> None:
    """And say what is wrong, before anything heavy is loaded."""
    code, out, err = run("train", "cnn", *options(base), *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_synonyms_of_labels_are_reported(run: Run, base: Path) -> None:
    """A label that is read as another is said, before anything is trained."""
    _, _, err = run("train", "cnn", *options(base), "--labels", "Joy,shouting")
    assert "label Joy is read as happy" in err
    assert "no clip is labelled shouting" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cnnn"], "error: there is no recipe for 'cnnn'"),
        (["cnn", "--data", "nowhere"], "nowhere: no such file or folder"),
        (["cnn", "--split", "folds"], "needs a CSV of folds"),
        (["cnn", "--labels", "fear,sad"], "fear"),
        (["cnn", "--resume"], "no unfinished run of 'cnn'"),
        (["cnn", "--fold", "1", "--test-share", "0.3"], "--test-share has no effect"),
    ],
)
def test_what_cannot_be_trained_ends_with_1_and_leaves_nothing(
    run: Run, base: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    """One clear line, no traceback, no half a run."""
    runs = tmp_path / "runs"
    code, out, err = run("train", *arguments, *options(base), "--runs", runs)
    assert (code, out) == (1, "")
    assert message in err
    assert err.count("error:") == 1
    assert "Traceback" not in err
    assert not runs.exists()


def test_a_training_that_fails_before_its_first_epoch_leaves_no_run(
    run: Run, tmp_path: Path
) -> None:
    """There would be nothing to resume or to export."""
    for label in ("happy", "sad"):
        (tmp_path / "clips" / label).mkdir(parents=True)
        for number in range(8):
            (tmp_path / "clips" / label / f"{number}.wav").write_bytes(bytes([number] * 99))
    arguments = ("train", "cnn", "--data", tmp_path / "clips", "--split", "clips")
    code, _, err = run(*arguments, "--cache", tmp_path / "cache", "--runs", tmp_path / "runs")
    assert (code, "no usable clip" in err) == (1, True), err
    assert "run: " in err
    assert not list(tmp_path.glob("runs/*/*"))


def test_without_the_train_extra_it_says_what_to_install(
    run: Run, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A light installation has the command, and says what it lacks."""
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    code, out, err = run("train", "cnn", *options(base))
    assert (code, out) == (1, "")
    assert "pip install librosa " in err


def start(base: Path, environment: dict[str, str], *arguments: str | Path) -> subprocess.Popen[str]:
    """Start the command in a process of its own, in the test's folder."""
    command = [sys.executable, "-m", "emotool", "train", *map(str, arguments)]
    return subprocess.Popen(
        command,
        cwd=base,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_interrupted_run_is_resumed_to_the_same_end(
    run: Run, base: Path, python_path: dict[str, str]
) -> None:
    """Ctrl-C keeps what is done and says how to go on; the end is as without it."""
    pytest.importorskip("tensorflow", reason="needs the train extra")
    process = start(base, python_path, "tiny.json", *options(base), "--runs", "runs")
    try:
        deadline = time.monotonic() + 120
        while not list((base / "runs").glob("tiny/*/checkpoints/*-00001.npz")):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    (folder,) = (base / "runs" / "tiny").iterdir()
    shown = folder.relative_to(base)
    assert (process.returncode, out) == (130, "")
    assert f"resume with: emotool train {shown} --resume" in err
    assert "Traceback" not in err
    assert not (folder / "metrics.json").exists()

    process = start(base, python_path, shown, "--resume", "--cache", "cache", "--workers", "1")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (0, f"{shown}\n"), err
    assert f"resuming: {shown}" in err
    assert "cuda" not in err.lower()  # TensorFlow's chatter is held back

    code, out, err = run("train", base / "tiny.json", *options(base), "--runs", base / "whole")
    assert code == 0, err
    whole = Path(out.strip())
    assert whole.parent == base / "whole" / "tiny"
    for name in SAME:
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name
    assert json.loads((whole / "metrics.json").read_text())["epochs"] == 40


def test_figures_say_what_stands_behind_them(run: Run, base: Path, tmp_path: Path) -> None:
    """The last epoch is kept for being last; few clips of few people are called so."""
    recipe = tiny_recipe(tmp_path / "tiny.json", epochs=2, first_judged=2)
    code, _, err = run("train", recipe, *options(base), "--runs", tmp_path / "runs")
    assert code == 0, err
    lines = err.splitlines()
    assert not next(line for line in lines if line.startswith("epoch   1/2")).endswith("kept")
    assert next(line for line in lines if line.startswith("epoch   2/2")).endswith(
        "kept: last epoch"
    )
    (test,) = (line for line in lines if line.startswith("test: UAR"))
    assert test.endswith(
        "4 clips of 1 person: too few to measure the model's accuracy "
        "(10 people and 50 clips or more)"
    )
