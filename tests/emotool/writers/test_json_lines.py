"""JSON Lines: lossless, and each line at once."""

import json
import subprocess
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotool.results.columns import record
from emotool.results.row import SCHEMA, ClipResult
from emotool.writers.registry import open_writer
from tests.emotool.hostile import results

LABELS = ("a", "b")


def write(path: Path, rows: list[ClipResult]) -> str:
    """Write rows and return the file's text."""
    with open_writer(str(path), LABELS) as writer:
        for row in rows:
            writer.write(row)
    return path.read_bytes().decode("utf-8")


def test_file_is_as_documented(tmp_path: Path) -> None:
    """The exact bytes of a small file."""
    rows = [
        ClipResult(0, "a.wav", "ok", "cnn", "b", 0.75, (0.25, 0.75), 2.5, ("long",)),
        ClipResult(1, "b.wav", "failed", "cnn", stage="open", error="no such file"),
    ]
    assert write(tmp_path / "r.jsonl", rows) == (
        '{"schema": "emotool.results/1", "path": "a.wav", "status": "ok", "label": "b", '
        '"confidence": 0.75, "probabilities": {"a": 0.25, "b": 0.75}, "duration_s": 2.5, '
        '"flags": ["long"], "model": "cnn", "stage": null, "error": null}\n'
        '{"schema": "emotool.results/1", "path": "b.wav", "status": "failed", "label": null, '
        '"confidence": null, "probabilities": null, "duration_s": null, '
        '"flags": [], "model": "cnn", "stage": "open", "error": "no such file"}\n'
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(results(), max_size=5))
def test_rows_are_read_back_as_written(tmp_path: Path, rows: list[ClipResult]) -> None:
    """Every line is one whole row, whatever its file is called."""
    lines = write(tmp_path / "r.jsonl", rows).splitlines()
    wanted = [{"schema": SCHEMA, **record(row, LABELS)} for row in rows]
    assert [json.loads(line) for line in lines] == wanted


def test_lines_reach_a_pipe_at_once(python: str, python_path: dict[str, str]) -> None:
    """What is piped to another program can be worked on while the run goes on."""
    code = (
        "import os; from emotool.writers.registry import open_writer, ClipResult\n"
        "writer = open_writer('-', ('a', 'b'), suffix='.jsonl')\n"
        "writer.write(ClipResult(0, 'a.wav', 'silent')); os._exit(0)  # without any flushing\n"
    )
    done = subprocess.run([python, "-c", code], stdout=subprocess.PIPE, env=python_path, check=True)
    assert json.loads(done.stdout)["path"] == "a.wav"
