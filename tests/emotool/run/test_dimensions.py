"""A model that gives numbers runs as one that gives labels, and every output has its columns."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from emotool import classify, to_frame
from emotool.cli.summary import summary_lines
from emotool.errors import ModelError
from emotool.inputs.shards import Shard
from emotool.results.tally import RunSummary
from emotool.run.batch import run
from emotool.run.merging import merge
from emotool.run.options import Output, RunOptions
from emotool.run.parts import find_parts
from emotool.workers.pool import PoolOptions
from emotool_training.adopting.adopt import Wishes, adopt
from tests.emotool.batch_runs import Interrupted, Watcher, interrupt
from tests.published_models import Kind, sounds, write_published
from tests.synthesis import write_clip

NAMES = ("arousal", "valence")
CLIPS = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make clips, one of which is no sound, and a model of windows of half a second."""
    folder = tmp_path_factory.mktemp("numbers")
    published = write_published(folder / "published", Kind(mask=True, regression=True))
    adopt(published, folder, Wishes("mine", window_seconds=0.5))
    made, _ = sounds(11, CLIPS - 1)
    for i, sound in enumerate(made):
        write_clip(folder / "clips" / f"{i}.wav", sound)
    (folder / "clips" / "bad.wav").write_text("no sound")
    return folder


def options(folder: Path, *targets: Path, **changes: Any) -> RunOptions:
    """Say what to run."""
    outputs = [Output(str(target)) for target in targets]
    values: dict[str, Any] = {
        "paths": [str(folder / "clips")],
        "outputs": outputs,
        "model": str(folder / "mine.onnx"),
        "pool": PoolOptions(workers=1),
    }
    return RunOptions(**(values | changes))


def rows(file: Path) -> list[dict[str, str]]:
    """Read a CSV."""
    with file.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_every_format_has_the_models_columns(folder: Path, tmp_path: Path) -> None:
    """Instead of labels and probabilities, with equal numbers."""
    parquet = pytest.importorskip("pyarrow.parquet")
    openpyxl = pytest.importorskip("openpyxl")
    files = [tmp_path / f"t{suffix}" for suffix in (".csv", ".json", ".jsonl", ".parquet", ".xlsx")]
    summary = run(options(folder, *files))
    found = rows(files[0])
    assert list(found[0]) == ["path", "status", *NAMES, "duration_s", "flags", "model", "error"]
    assert [row["status"] for row in found] == ["ok"] * (CLIPS - 1) + ["failed"]
    assert found[-1]["arousal"] == ""
    document = json.loads(files[1].read_text("utf-8"))
    assert (document["labels"], document["dimensions"]) == ([], list(NAMES))
    wanted = [float(row["arousal"]) for row in found[:-1]]
    assert [clip["dimensions"]["arousal"] for clip in document["clips"][:-1]] == wanted
    assert document["clips"][-1]["dimensions"] is None
    lines = [json.loads(line) for line in files[2].read_text("utf-8").splitlines()]
    assert [line["dimensions"] for line in lines] == [c["dimensions"] for c in document["clips"]]
    assert parquet.read_table(files[3])["arousal"].to_pylist() == [*wanted, None]
    book = openpyxl.load_workbook(files[4])
    assert book.sheetnames == ["Clips", "Summary"]
    assert [cell.value for cell in book["Clips"]["C"]] == ["arousal", *wanted, None]
    assert book["Summary"]["A2"].value == "arousal"
    assert book["Summary"]["C2"].value == pytest.approx(sum(wanted) / len(wanted))
    assert summary.dimensions["arousal"].mean == pytest.approx(sum(wanted) / len(wanted), abs=1e-6)
    assert (summary.labels, summary.mean_confidence) == ({}, None)


def test_the_summary_has_a_line_for_each_dimension(folder: Path, tmp_path: Path) -> None:
    """Its mean, deviation and limits."""
    summary = run(options(folder, tmp_path / "t.csv"))
    text = "\n".join(line.plain for line in summary_lines(summary))
    assert "dimension" in text
    spread = summary.dimensions["valence"]
    assert f"{spread.mean:9.3f}  {spread.deviation:9.3f}" in text
    assert "mean confidence" not in text


def test_segments_are_numbers_over_time(folder: Path, tmp_path: Path) -> None:
    """A row for each window; a clip's numbers are their means; nothing is merged by a label."""
    run(options(folder, tmp_path / "s.csv", segments=True, merge=True))
    run(options(folder, tmp_path / "c.csv"))
    for clip in rows(tmp_path / "c.csv")[:-1]:
        parts = [row for row in rows(tmp_path / "s.csv") if row["path"] == clip["path"]]
        mean = sum(float(row["arousal"]) for row in parts) / len(parts)
        assert float(clip["arousal"]) == pytest.approx(mean, abs=2e-6)
    assert len(rows(tmp_path / "s.csv")) > CLIPS


@pytest.mark.parametrize("program", ["audacity", "raven", "praat"])
def test_annotations_are_numbers(folder: Path, tmp_path: Path, program: Any) -> None:
    """Each window's text names its dimensions, and the same command replaces its own files."""
    for _ in range(2):
        run(options(folder, outputs=[Output(str(tmp_path / "notes"), content=program)]))
    files = [file for file in (tmp_path / "notes").rglob("*") if file.is_file()]
    assert len(files) == CLIPS - 1
    assert "arousal " in files[0].read_text("utf-8")


def test_an_interrupted_run_resumes_with_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """The journal keeps numbers to the last bit."""
    run(options(folder, tmp_path / "whole.csv"))
    with pytest.raises(Interrupted):
        run(options(folder, tmp_path / "t.csv"), Watcher(at=3, do=interrupt))
    watcher = Watcher()
    run(options(folder, tmp_path / "t.csv"), watcher)
    assert watcher.resumed > 0
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_parts_are_merged(folder: Path, tmp_path: Path, suffix: str) -> None:
    """Numbers pass through parts of any format."""
    parts = [tmp_path / f"part-{number}{suffix}" for number in (1, 2)]
    for number, part in enumerate(parts, 1):
        run(options(folder, part, shard=Shard(number, 2)))
    run(options(folder, tmp_path / "whole.csv"))
    merged = merge(find_parts(list(map(str, parts))), [Output(str(tmp_path / "merged.csv"))])
    assert isinstance(merged, RunSummary)
    assert merged.dimensions["arousal"].count == CLIPS - 1
    assert (tmp_path / "merged.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_table_that_was_not_named_is_replaced_by_the_same_command(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It loses nothing, as with labels."""
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        run(options(folder, outputs=[Output("labels.csv", default=True)]))
    assert [file.name for file in tmp_path.glob("labels*.csv")] == ["labels.csv"]


def test_embeddings_say_what_is_missing(folder: Path, tmp_path: Path) -> None:
    """And which command adds it; nothing is written."""
    wanted = [Output(str(tmp_path / "e.npz"), content="embeddings")]
    with pytest.raises(ModelError, match="embeddings: the model mine has no output embedding"):
        run(options(folder, outputs=wanted))
    assert not list(tmp_path.iterdir())


def test_python_has_the_numbers(folder: Path) -> None:
    """Results by name, frames by column."""
    pytest.importorskip("pandas")
    results = list(classify([folder / "clips"], model=folder / "mine.onnx", workers=1))
    assert list(results[0].dimensions) == list(NAMES)
    assert results[-1].dimensions == {}
    frame = to_frame(results)
    assert list(frame.columns[:4]) == ["path", "status", *NAMES]
    assert frame["arousal"].iloc[0] == results[0].dimensions["arousal"]
