"""``emotool adopt`` as it is called, and the commands that use what it has written."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.published_models import Kind, sounds, write_published
from tests.synthesis import write_clip

pytestmark = pytest.mark.slow

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def emotool(tmp_path: Path, python: str, python_path: dict[str, str]) -> Run:
    """Return a function that runs the command in a folder with two published models."""
    write_published(tmp_path / "tones")
    write_published(tmp_path / "numbers", Kind(regression=True))

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [python, "-m", "emotool", *arguments],
            cwd=tmp_path,
            env=python_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_one_command_adopts_and_another_labels(tmp_path: Path, emotool: Run) -> None:
    """The path is on stdout, what is not known on stderr, and the model has a name."""
    done = emotool("adopt", "tones", "--name", "theirs")
    assert (done.returncode, done.stdout) == (0, "exported/theirs.onnx\n")
    for text in ("no figure is known", "no output embedding", "licence is not stated"):
        assert text in done.stderr
    made, _ = sounds(5, 3)
    for i, sound in enumerate(made):
        write_clip(tmp_path / "clips" / f"{i}.wav", sound)
    labelled = emotool("classify", "clips", "--model", "theirs", "-o", "-")
    assert labelled.returncode == 0
    assert labelled.stdout.startswith("path,status,label,confidence,p_low,p_middle,p_high,")
    listed = emotool("models")
    assert "theirs" in listed.stdout
    assert "Not measured" in emotool("models", "theirs").stdout


def test_numbers_are_classified_evaluated_and_not_explained(tmp_path: Path, emotool: Run) -> None:
    """A model without labels says so where labels are needed."""
    done = emotool("adopt", "numbers", "--name", "adv", "--range", "-1:1")
    assert done.returncode == 0, done.stderr
    made, _ = sounds(6, 4)
    lines = ["path,speaker,arousal,valence"]
    for i, sound in enumerate(made):
        write_clip(tmp_path / "clips" / f"{i}.wav", sound)
        lines.append(f"clips/{i}.wav,s{i % 2},{i / 4},{1 - i / 4}")
    (tmp_path / "ratings.csv").write_text("\n".join(lines), "utf-8")
    pytest.importorskip("matplotlib", reason="emotool evaluate needs the extra evaluate")
    measured = emotool("evaluate", "adv", "--data", "ratings.csv", "--json")
    assert measured.returncode == 0, measured.stderr
    figures = json.loads(measured.stdout)["unknown"]
    assert (figures["clips"], figures["speakers"]) == (4, 2)
    assert -1 <= figures["dimensions"]["arousal"]["ccc"] <= 1
    shown = emotool("evaluate", "adv", "--data", "ratings.csv")
    assert "CCC" in shown.stdout
    refused = emotool("evaluate", "adv", "--data", "clips")
    assert (refused.returncode, "manifest with such numbers" in refused.stderr) == (1, True)
    explained = emotool("explain", "clips/0.wav", "--model", "adv")
    assert explained.returncode == 1
    assert "the model adv has no output probabilities" in explained.stderr


def test_mistakes_are_one_clear_line(tmp_path: Path, emotool: Run) -> None:
    """A name that is taken, a range that is none, a folder without a model."""
    assert emotool("adopt", "tones", "--name", "theirs").returncode == 0
    (tmp_path / "empty").mkdir()
    for arguments, code, said in [
        (("tones", "--name", "theirs"), 1, "exists already"),
        (("tones", "--name", "whisper"), 1, "is the name of a built-in model"),
        (("tones", "--name", "a/b"), 1, "is not a valid model name"),
        (("tones", "--name", "mine.onnx"), 1, "leave it out: --name mine"),
        (("tones", "--name", "b", "--range", "1:0"), 2, "LOW:HIGH"),
        (("empty", "--name", "b"), 1, "has no model.onnx"),
        (("none.onnx", "--name", "b"), 1, "none.onnx"),
    ]:
        refused = emotool("adopt", *arguments)
        assert refused.returncode == code, refused.stderr
        assert said in refused.stderr
        assert "Traceback" not in refused.stderr
    assert emotool("adopt", "tones", "--name", "theirs", "--replace").returncode == 0
