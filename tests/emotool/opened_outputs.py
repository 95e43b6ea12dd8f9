"""Outputs for tests, opened, and two rows to write to them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from emotool.results.row import ClipResult
from emotool.run.options import Output, RunOptions
from emotool.run.outputs import Outputs, files_of

OK = ClipResult(0, "a.wav", "ok", "tiny", "sad", 0.75, (0.25, 0.75), 1.0)
FAILED = ClipResult(1, "=b.wav", "failed", "tiny", stage="decode", error="no, none")
LABELS = ("happy", "sad")


def opened(folder: Path, *names: str) -> Outputs:
    """Open outputs of these names in a folder."""
    outputs = [Output(str(folder / name)) for name in names]
    model: Any = SimpleNamespace(labels=LABELS, dimensions=())  # all that tables need of it
    return Outputs(RunOptions([], outputs), model, files=files_of(outputs))
