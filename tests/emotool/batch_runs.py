"""Clips, options and an onlooker for tests of whole runs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emotool.results.row import ClipResult
from emotool.run.options import Output, RunOptions
from emotool.workers.pool import PoolOptions
from tests.emotool.tiny_models import write_tiny_model
from tests.synthesis import vowel, write_clip

TWO = PoolOptions(workers=2)
CLIPS = 40
TEXT = 17  # the clip that is no sound

Interrupted = KeyboardInterrupt


class Watcher:
    """Hears how a run goes and does something at one of its rows."""

    def __init__(self, at: int = -1, do: Callable[[], object] = lambda: None) -> None:
        self.at, self.do = at, do
        self.rows = 0
        self.resumed = 0
        self.notes: list[str] = []

    def begin(
        self, total: int, resumed: int, labels: Sequence[str] = (), unchanged: int = 0
    ) -> None:
        """Hear that rows will come."""
        self.resumed = resumed

    def advance(self, result: ClipResult) -> None:
        """Hear of a row."""
        self.rows += 1
        if self.rows == self.at:
            self.do()

    def note(self, message: str) -> None:
        """Hear a note."""
        self.notes.append(message)


def interrupt() -> None:
    """Do what Ctrl-C does."""
    raise Interrupted


def options(sounds: Path, *targets: Path, **changes: Any) -> RunOptions:
    """Say what to run."""
    outputs = [Output(str(target)) for target in targets]
    if embeddings := changes.pop("embeddings", None):
        outputs.append(Output(embeddings, content="embeddings"))
    values: dict[str, Any] = {
        "paths": [str(sounds / "clips")],
        "outputs": outputs,
        "model": str(sounds / "tiny.onnx"),
        "device": "cpu",
        "pool": TWO,
    }
    return RunOptions(**(values | changes))


def names(folder: Path) -> list[str]:
    """List a folder, hidden files included."""
    return sorted(path.name for path in folder.iterdir())


def write_sounds(folder: Path) -> Path:
    """Write clips that all differ, one of them no sound, and a model; returns their folder."""
    for index in range(CLIPS):
        wave = vowel(100 + index, 0.3 + 0.02 * index, amplitude=0.9 * 0.9**index)
        write_clip(folder / "clips" / f"{index:02}.wav", wave)
    (folder / "clips" / f"{TEXT}.wav").write_text("no sound")
    write_clip(folder / "clips" / "silent.wav", np.zeros(16000, np.float32))
    (folder / "clips" / "notes.txt").write_text("passed over")
    write_tiny_model(folder / "tiny.onnx")
    return folder
