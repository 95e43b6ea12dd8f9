"""JSON and JSON Lines: lossless, streamed, and the same bytes but for the facts of the run."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotool.inputs.manifest import Manifest
from emotool.results.columns import Columns
from emotool.results.row import SCHEMA, ClipResult
from emotool.writers.registry import open_writer
from tests.emotool.hostile import results

LABELS = ("a", "b")
TABLE = Columns(LABELS)


def write(path: Path, rows: list[ClipResult], facts: dict[str, Any] | None = None) -> str:
    """Write rows and return the file's text."""
    with open_writer(str(path), TABLE, facts) as writer:
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
    assert document["clips"] == [TABLE.record(row) for row in rows]
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
    with open_writer(str(path), TABLE, facts) as writer:
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


def test_lines_are_as_documented(tmp_path: Path) -> None:
    """The exact bytes of a small file of JSON Lines."""
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
def test_lines_are_read_back_as_written(tmp_path: Path, rows: list[ClipResult]) -> None:
    """Every line is one whole row, whatever its file is called."""
    lines = write(tmp_path / "r.jsonl", rows).splitlines()
    wanted = [{"schema": SCHEMA, **TABLE.record(row)} for row in rows]
    assert [json.loads(line) for line in lines] == wanted


def test_lines_reach_a_pipe_at_once(python: str, python_path: dict[str, str]) -> None:
    """What is piped to another program can be worked on while the run goes on."""
    code = (
        "import os; from emotool.writers.registry import open_writer\n"
        "from emotool.results.columns import Columns\n"
        "from emotool.results.row import ClipResult\n"
        "writer = open_writer('-', Columns(('a', 'b')), suffix='.jsonl')\n"
        "writer.write(ClipResult(0, 'a.wav', 'silent')); os._exit(0)  # without any flushing\n"
    )
    done = subprocess.run([python, "-c", code], stdout=subprocess.PIPE, env=python_path, check=True)
    assert json.loads(done.stdout)["path"] == "a.wav"


def clips(path: Path, table: Columns, rows: list[ClipResult]) -> list[dict[str, Any]]:
    """Write rows and return the objects of clips, of either format."""
    with open_writer(str(path), table) as writer:
        for row in rows:
            writer.write(row)
    text = path.read_text()
    if path.suffix == ".json":
        return list(json.loads(text)["clips"])
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_ranked_labels_are_a_list(tmp_path: Path, suffix: str) -> None:
    """Without the option there is no such key."""
    rows = [ClipResult(0, "a", "ok", "cnn", "b", 0.7, (0.3, 0.7)), ClipResult(1, "b", "silent")]
    found = clips(tmp_path / f"r{suffix}", Columns(LABELS, top=2), rows)
    expected = [{"label": "b", "probability": 0.7}, {"label": "a", "probability": 0.3}]
    assert [clip["top"] for clip in found] == [expected, None]
    assert not any("top" in clip for clip in clips(tmp_path / f"s{suffix}", TABLE, rows))


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_manifests_cells_are_an_object(tmp_path: Path, suffix: str) -> None:
    """Under their own names, since nothing can collide there."""
    cells = [("x.wav", "joy"), ("=1+1", "")]
    table = Columns(LABELS, manifest=Manifest("m.csv", ("file", "label"), cells, 0))
    rows = [ClipResult(index, "x.wav", "silent") for index in range(2)]
    found = clips(tmp_path / f"r{suffix}", table, rows)
    wanted = [{"file": "x.wav", "label": "joy"}, {"file": "=1+1", "label": ""}]
    assert [clip["manifest"] for clip in found] == wanted
