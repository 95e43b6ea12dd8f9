"""``emotool explain`` as it is called."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.emotool.tiny_models import write_tiny_model
from tests.synthesis import vowel, write_clip

pytestmark = pytest.mark.slow

Run = subprocess.CompletedProcess[str]


@pytest.fixture
def explain(tmp_path: Path, python: str, python_path: dict[str, str]):  # type: ignore[no-untyped-def]
    """Return a function that runs the command in a folder with a tiny model."""
    pytest.importorskip("matplotlib", reason="needs matplotlib (extra plot)")
    write_tiny_model(tmp_path / "tiny.onnx")

    def run(*arguments: str) -> Run:
        command = [python, "-m", "emotool", "explain", *arguments, "--model", "tiny.onnx"]
        return subprocess.run(
            command, cwd=tmp_path, env=python_path, capture_output=True, text=True, check=False
        )

    return run


def test_a_figure_is_drawn_and_its_place_printed(tmp_path: Path, explain) -> None:  # type: ignore[no-untyped-def]
    """Success is exit code 0, the file, and a line on stderr that names it."""
    write_clip(tmp_path / "a.wav", vowel())
    run: Run = explain("a.wav", "-o", "a.pdf")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "figure written to a.pdf\n")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_what_cannot_be_drawn_is_one_clear_line(tmp_path: Path, explain) -> None:  # type: ignore[no-untyped-def]
    """Silence, broken files and unknown formats leave no file and exit with 1."""
    write_clip(tmp_path / "silent.wav", np.zeros(16_000, np.float32))
    pause = np.zeros(70 * 16_000, np.float32)
    write_clip(tmp_path / "talk.wav", np.concatenate([pause, vowel()]))
    (tmp_path / "broken.wav").write_text("x")
    for clip, output, said in [
        ("silent.wav", "a.png", "no label to explain: it is silent"),
        ("talk.wav", "a.png", "no label to explain: its first minute is silent"),
        ("broken.wav", "a.png", "error: broken.wav: open: a text file, not audio"),
        ("gone.wav", "a.png", "error: gone.wav: open: "),
        ("silent.wav", "a.gif", "unknown figure format: a.gif"),
    ]:
        run: Run = explain(clip, "-o", output)
        assert run.returncode == 1
        assert run.stderr.startswith("error: ")
        assert said in run.stderr
        assert not (tmp_path / output).exists()


def test_the_figure_of_another_clip_is_kept(tmp_path: Path, explain) -> None:  # type: ignore[no-untyped-def]
    """Without -o the next free name is taken and said; the same figure takes its own again."""
    write_clip(tmp_path / "a.wav", vowel())
    write_clip(tmp_path / "b.wav", vowel(200))
    first: Run = explain("a.wav")
    assert (first.returncode, first.stderr) == (0, "figure written to explanation.png\n")
    before = (tmp_path / "explanation.png").read_bytes()
    for clip, said in [
        ("b.wav", "to explanation_2.png"),
        ("a.wav", ""),
        ("b.wav", "_2.png"),
    ]:
        run: Run = explain(clip)
        assert run.returncode == 0
        assert said in run.stderr
    assert (tmp_path / "explanation.png").read_bytes() == before
    assert not (tmp_path / "explanation_3.png").exists()
