"""TSV that readers of tables take, and no spreadsheet runs."""

import csv
import io
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotool.results.columns import cells
from emotool.results.row import ClipResult
from emotool.writers.base import WriterOptions
from emotool.writers.registry import open_writer
from tests.emotool.hostile import results

LABELS = ("a", "b")


def write(path: Path, rows: list[ClipResult], *, raw: bool = False) -> str:
    """Write rows and return the file's text."""
    with open_writer(str(path), LABELS, options=WriterOptions(raw=raw)) as writer:
        for row in rows:
            writer.write(row)
    return path.read_bytes().decode("utf-8")


def test_file_is_as_documented(tmp_path: Path) -> None:
    """The exact bytes of a small file."""
    rows = [
        ClipResult(0, "a.wav", "ok", "cnn", "b", 0.75, (0.25, 0.75), 2.5, ("long",)),
        ClipResult(1, "=a\tb.wav", "failed", "cnn", stage="open", error="no such file"),
    ]
    assert write(tmp_path / "r.tsv", rows) == (
        "path\tstatus\tlabel\tconfidence\tp_a\tp_b\tduration_s\tflags\tmodel\terror\n"
        "a.wav\tok\tb\t0.750000\t0.250000\t0.750000\t2.500\tlong\tcnn\t\n"
        '"\'=a\tb.wav"\tfailed\t\t\t\t\t\t\tcnn\topen: no such file\n'
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(results(), max_size=5))
def test_raw_rows_are_read_back_as_written(tmp_path: Path, rows: list[ClipResult]) -> None:
    """Any name survives the way through a file: tabs, quotes, line breaks, anything."""
    text = io.StringIO(write(tmp_path / "r.tsv", rows, raw=True), newline="")
    got = list(csv.reader(text, delimiter="\t", strict=True))
    assert got[1:] == [cells(row, len(LABELS)) for row in rows]
