"""A folder of clips and a model, and the command run in it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.emotool.cli.classify_runs import Emotool
from tests.emotool.tiny_models import write_tiny_model
from tests.synthesis import vowel, write_clip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with three clips and a model, in which commands are run."""
    for index, name in enumerate(("a.wav", "b.flac", "sub/c.wav")):
        write_clip(tmp_path / "clips" / name, vowel(120, 0.6, amplitude=0.5 * 0.1**index))
    write_tiny_model(tmp_path / "tiny.onnx")
    return tmp_path


@pytest.fixture
def emotool(place: Path, python: str, python_path: dict[str, str]) -> Emotool:
    """Return a function that runs ``emotool classify`` with the tiny model."""

    def run(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        command = [python, "-m", "emotool", "classify", "--model", "tiny.onnx", *arguments]
        settings: dict[str, Any] = {"cwd": place, "env": python_path, "timeout": 60, "text": True}
        settings |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "check": False}
        return subprocess.run(command, **(settings | options))

    return run
