"""``emotool evaluate`` as a user calls it."""

import json
import subprocess
from pathlib import Path

import pytest

from emotool_training.evaluation.predictions import read_predictions
from tests.corpus_tree import odd
from tests.emotool.tiny_models import tiny_metadata, write_tiny_model
from tests.synthesis import tone, write_clip

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Make a folder with a model and happy, sad and disgusted clips of three actors."""
    split = {"kind": "speakers", "hash": "0", "speakers": {"train": ["ravdess-01"]}}
    write_tiny_model(tmp_path / "tiny.onnx", tiny_metadata(split=split))
    for actor in (1, 2, 3):
        for emotion in ("03", "04", "07"):
            name = f"03-01-{emotion}-01-01-01-{actor:02}.wav"
            write_clip(tmp_path / "clips" / name, tone(100.0 * actor, amplitude=0.4))
    return tmp_path


def call(
    place: Path, python: str, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    command = [python, "-m", "emotool", "evaluate", *arguments]
    return subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, check=False
    )


def test_a_model_is_measured(place: Path, python: str, python_path: dict[str, str]) -> None:
    """Tables on stdout, where the files are on stderr, heard speakers marked."""
    done = call(place, python, python_path, "tiny.onnx", "--data", "clips", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert "new speakers" in done.stdout
    assert "not comparable: speakers shared" in done.stdout
    assert "6 clips, 3 skipped: emotion not among the model's labels" in done.stderr
    assert (place / "evaluation" / "tiny" / "confusion_matrix.png").is_file()


def test_neither_tensorflow_nor_librosa_is_needed(
    place: Path, python: str, python_path: dict[str, str]
) -> None:
    """A light installation with matplotlib and scipy measures models; without, it says so."""
    hidden = "import sys; sys.modules.update(dict.fromkeys({}.split()));"
    start = "import runpy; runpy.run_module('emotool', run_name='__main__')"
    arguments = ["evaluate", "tiny.onnx", "--data", "clips", "--workers", "1"]
    done = {
        names: subprocess.run(
            [python, "-c", hidden.format(repr(names)) + start, *arguments],
            cwd=place,
            env=python_path,
            capture_output=True,
            text=True,
            check=False,
        )
        for names in ("tensorflow keras librosa tf2onnx sklearn onnx", "scipy")
    }
    light, lacking = done.values()
    assert light.returncode == 0, light.stderr
    assert lacking.returncode == 1
    assert "pip install matplotlib scipy" in lacking.stderr


def test_json_is_all_there_is_on_stdout(
    place: Path, python: str, python_path: dict[str, str]
) -> None:
    """With --json the figures can be piped on; one broken clip makes the exit code 3."""
    (place / "clips" / "03-01-03-01-01-01-02.wav").write_text("no sound")
    done = call(
        place,
        python,
        python_path,
        *("tiny.onnx", "--data", "clips", "--json", "-o", "out", "--workers", "1"),
    )
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["new"]["clips"] == 3
    assert (place / "out" / "evaluation.json").is_file()


def test_a_folder_without_one_of_the_labels_is_measured(
    place: Path, python: str, python_path: dict[str, str]
) -> None:
    """Happy clips alone say how many of them are recognised."""
    for path in (place / "clips").glob("03-01-04-*"):
        path.unlink()
    done = call(place, python, python_path, "tiny.onnx", "--data", "clips", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert "3 clips, 3 skipped: emotion not among the model's labels" in done.stderr


def test_clips_that_a_manifest_names_in_vain_are_told(
    place: Path, python: str, python_path: dict[str, str]
) -> None:
    """They are in no figure, so the exit code is 3, as for those that cannot be read."""
    here = sorted(path.name for path in (place / "clips").iterdir())[:3]
    rows = "".join(f"clips/{name},happy\n" for name in [*here, "gone.wav", "lost.wav"])
    (place / "list.csv").write_text(f"path,emotion\n{rows}")
    done = call(place, python, python_path, "tiny.onnx", "--data", "list.csv", "--workers", "1")
    assert done.returncode == 3, done.stderr
    assert "not used: 2 missing; first: " in done.stderr


def test_clips_may_have_names_that_are_no_text(
    place: Path, python: str, python_path: dict[str, str]
) -> None:
    """Their answers are kept under the keys that training has for them; failures are listed."""
    odd(place / "mine" / "sad", b"caf\xe9.wav").write_text("no sound")
    write_clip(place / "one.wav", tone(100.0)).rename(odd(place / "mine" / "happy", b"caf\xe9.wav"))
    done = call(place, python, python_path, "tiny.onnx", "--data", "mine", "--workers", "1")
    assert done.returncode == 3, done.stderr
    kept = place / "evaluation" / "tiny"
    keys = read_predictions(kept / "predictions.csv").facts["key"].tolist()
    assert keys == [r"mine/happy/caf\xe9"]
    report = json.loads((kept / "evaluation.json").read_text(encoding="utf-8"))
    assert list(report["unanswered"]) == [r"mine/sad/caf\xe9"]


def test_mistakes_are_one_clear_line(place: Path, python: str, python_path: dict[str, str]) -> None:
    """An unknown model, and data without the model's labels, end with a message and code 1."""
    done = call(place, python, python_path, "nosuch", "--data", "clips")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: there is no model")
    write_clip(place / "other" / "03-01-06-01-01-01-02.wav", tone(100.0))
    done = call(place, python, python_path, "tiny.onnx", "--data", "other")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no clip is labelled happy or sad" in done.stderr
    assert "Traceback" not in done.stderr


def test_corrections_are_measured_below_a_root(
    place: Path, python: str, python_path: dict[str, str]
) -> None:
    """The person's labels are the true ones; a clip that is not there makes the exit code 3."""
    names = sorted(path.name for path in (place / "clips").iterdir())[:3]
    rows = [f"elsewhere/{name},sad,happy,0.5," for name in [*names, "gone.wav"]]
    (place / "Downloads").mkdir()
    table = place / "Downloads" / "corrections.csv"
    table.write_text("\n".join(["path,label,correction,confidence,when", *rows]))
    done = call(
        place,
        python,
        python_path,
        *("tiny.onnx", "--data", str(table), "--root", "clips", "--json", "--workers", "1"),
    )
    assert done.returncode == 3, done.stderr
    groups = json.loads(done.stdout)
    assert sum(group["clips"] for group in groups.values()) == 3
    assert all(group["confusion"][1] == [0, 0] for group in groups.values())
    assert "not used: 1 missing; first: elsewhere/gone.wav" in done.stderr
