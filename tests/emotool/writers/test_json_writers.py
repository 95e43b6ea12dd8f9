"""One JSON document: lossless, streamed, and the same bytes but for the facts of the run."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotool.results.columns import record
from emotool.results.row import SCHEMA, ClipResult
from emotool.writers.registry import open_writer
from tests.emotool.hostile import results

LABELS = ("a", "b")


def write(path: Path, rows: list[ClipResult], facts: dict[str, Any] | None = None) -> str:
    """Write rows and return the file's text."""
    with open_writer(str(path), LABELS, facts) as writer:
        for row in rows:
            writer.write(row)
    return path.read_text("utf-8")


def test_document_is_as_documented(tmp_path: Path) -> None:
    """The exact text of a small document."""
    rows = [ClipResult(0, "a.wav", "silent", "cnn", duration_s=1.0)]
    assert write(tmp_path / "r.json", rows, {"model": "cnn", "seconds": 1.5}) == (
        '{"schema": "emotool.results/1",\n'
        '"labels": ["a", "b"],\n'
        '"clips": [\n'
        '{"path": "a.wav", "status": "silent", "label": null, "confidence": null, '
        '"probabilities": null, "duration_s": 1.0, "flags": [], "model": "cnn", '
        '"stage": null, "error": null}\n'
        "],\n"
        '"run": {"model": "cnn", "seconds": 1.5}}\n'
    )


def test_no_clips_are_an_empty_list(tmp_path: Path) -> None:
    """A document without clips is a document."""
    document = json.loads(write(tmp_path / "r.json", []))
    assert document == {"schema": SCHEMA, "labels": ["a", "b"], "clips": [], "run": {}}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(results(), max_size=5))
def test_rows_are_read_back_as_written(tmp_path: Path, rows: list[ClipResult]) -> None:
    """Any name survives, the undecodable ones by their bytes."""
    document = json.loads(write(tmp_path / "r.json", rows))
    assert document["clips"] == [record(row, LABELS) for row in rows]
    for clip, row in zip(document["clips"], rows, strict=True):
        raw = clip.get("path_bytes")
        name = clip["path"].encode() if raw is None else base64.b64decode(raw)
        assert name == row.shown.encode("utf-8", "surrogateescape")


def test_hostile_names_stay_escaped_in_the_text(tmp_path: Path) -> None:
    """The file can be shown in a terminal as it is."""
    text = write(tmp_path / "r.json", [ClipResult(0, "\x1b[31m\u202e=1.wav", "silent")])
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text)["clips"][0]["path"] == "\x1b[31m\u202e=1.wav"


def test_facts_of_the_end_are_in_the_document(tmp_path: Path) -> None:
    """What is known only when the run is over is still written, and changes nothing else."""
    facts: dict[str, Any] = {"model": "cnn"}
    path = tmp_path / "r.json"
    with open_writer(str(path), LABELS, facts) as writer:
        writer.write(ClipResult(0, "a.wav", "silent"))
        facts["seconds"] = 2.0
    assert json.loads(path.read_text())["run"] == {"model": "cnn", "seconds": 2.0}
    other = write(tmp_path / "s.json", [ClipResult(0, "a.wav", "silent")], {"seconds": 9})
    before = [text.split('"run"')[0] for text in (path.read_text(), other)]
    assert before[0] == before[1]


def test_facts_that_are_no_json_leave_no_document(tmp_path: Path) -> None:
    """A mistake at the very end does not leave a broken file."""
    with pytest.raises(TypeError):
        write(tmp_path / "r.json", [], {"when": object()})
    assert list(tmp_path.iterdir()) == []
