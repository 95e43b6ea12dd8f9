"""Outputs for tests, opened, and two rows to write to them."""

from pathlib import Path

from emotool.results.row import ClipResult
from emotool.run.options import Output
from emotool.run.outputs import Outputs, files_of
from emotool.writers.base import WriterOptions
from emotool.writers.failures import FailureTable

OK = ClipResult(0, "a.wav", "ok", "tiny", "sad", 0.75, (0.25, 0.75), 1.0)
FAILED = ClipResult(1, "=b.wav", "failed", "tiny", stage="decode", error="no, none")
LABELS = ("happy", "sad")


def opened(folder: Path, *names: str) -> Outputs:
    """Open outputs of these names in a folder."""
    outputs = [Output(str(folder / name)) for name in names]
    files = files_of(outputs)
    table = FailureTable(files[0], raw=False, spared=files)
    return Outputs(outputs, table, LABELS, {}, WriterOptions())
