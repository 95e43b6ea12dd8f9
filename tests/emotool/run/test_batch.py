"""A run gives one row per input, and whole outputs or none."""

import csv
import json
import shutil
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from emotool.errors import EmotoolError, InputError, ModelError, ModelNotFoundError, OutputError
from emotool.files.lock import OutputLock
from emotool.results.row import ClipResult
from emotool.results.tally import RunSummary
from emotool.run import pipeline
from emotool.run.batch import run
from emotool.run.options import Output
from emotool.workers.pool import PoolOptions, Reading, WorkerPool
from tests.emotool.batch_runs import (
    CLIPS,
    TEXT,
    TWO,
    Watcher,
    names,
    options,
)
from tests.emotool.tiny_models import weights, write_tiny_model


def test_run_writes_a_row_per_input_and_says_what_it_did(sounds: Path, tmp_path: Path) -> None:
    """Rows and summary agree with the inputs; nothing else is left behind."""
    summary = run(options(sounds, tmp_path / "labels.csv", tmp_path / "labels.json"))
    assert summary.clips == CLIPS + 1
    assert summary.statuses == {"ok": CLIPS - 1, "silent": 1, "too_short": 0, "failed": 1}
    assert sum(summary.labels.values()) == CLIPS - 1
    assert (summary.exit_code, summary.resumed, summary.skipped) == (3, 0, 1)
    assert (summary.model, summary.device) == ("tiny", "cpu")
    assert summary.examples[0][0].endswith(f"{TEXT}.wav")
    rows = (tmp_path / "labels.csv").read_text().splitlines()[1:]
    assert [Path(row.split(",")[0]).stem for row in rows] == [
        *(f"{index:02}" for index in range(CLIPS)),
        "silent",
    ]
    document = json.loads((tmp_path / "labels.json").read_text())
    assert len(document["clips"]) == CLIPS + 1
    assert document["run"]["model_sha256"] and document["run"]["seconds"] > 0
    assert names(tmp_path) == ["failures.csv", "labels.csv", "labels.json"]


def test_report_alone_says_that_it_has_no_rows_for_windows(sounds: Path, tmp_path: Path) -> None:
    """Whoever asks for windows and gets a page of clips is told what to add."""
    paths = [str(sounds / "clips/00.wav")]
    watcher = Watcher()
    page = options(sounds, tmp_path / "r.html", paths=paths, segments=True)
    run(page, watcher)
    assert any("-o segments.csv" in note for note in watcher.notes)
    watcher = Watcher()
    both = [Output(str(tmp_path / "r.html")), Output(str(tmp_path / "r.csv"))]
    run(replace(page, outputs=both), watcher)
    assert watcher.notes == []


@pytest.mark.parametrize(
    "changes", [{}, {"segments": True, "pool": replace(TWO, reading=Reading(hop_s=0.1))}]
)
def test_embeddings_have_the_tables_rows(
    sounds: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    """Row by row the same paths and times, numbers where there is a label, whatever failed."""
    target = tmp_path / "labels.csv"
    run(options(sounds, target, embeddings=str(tmp_path / "e.npz"), **changes))
    rows = list(csv.DictReader(target.read_text().splitlines()))
    with np.load(tmp_path / "e.npz", allow_pickle=False) as arrays:
        assert arrays["path"].tolist() == [row["path"] for row in rows]
        has_numbers = np.isfinite(arrays["embedding"]).all(axis=1)
        assert has_numbers.tolist() == [row["status"] == "ok" for row in rows]
        assert arrays["embedding"].shape[1] == 16
        # The tiny model's labels follow from its embedding: a row of another clip would show.
        matrix, bias = weights(2, 16)
        logits = arrays["embedding"] @ matrix + bias  # [rows, labels]
        if changes:
            said = 1 / (1 + np.exp(logits[:, 1] - logits[:, 0]))
            expected = [float(row["p_happy"]) for row in rows if row["status"] == "ok"]
            np.testing.assert_allclose(said[has_numbers], expected, atol=1e-5)
            assert len(rows) > CLIPS + 1
            times = [f"{time:.6f}" for time in arrays["start_s"][has_numbers]]
            assert times == [row["start_s"] for row in rows if row["status"] == "ok"]


def test_embeddings_have_a_place_of_their_own(sounds: Path, tmp_path: Path) -> None:
    """Not that of a table, an input or another run."""
    twice = str(tmp_path / "r.parquet")
    with pytest.raises(OutputError, match="named twice"):
        run(options(sounds, Path(twice), embeddings=twice))
    clip = tmp_path / "clip.npz"
    shutil.copy(sounds / "clips" / "01.wav", clip)
    before = clip.read_bytes()
    with pytest.raises(OutputError, match="is an input"):
        run(options(sounds, tmp_path / "r.csv", paths=[str(clip)], embeddings=str(clip)))
    assert clip.read_bytes() == before
    target = tmp_path / "e.npz"
    with OutputLock(target), pytest.raises(EmotoolError, match="another run"):
        run(options(sounds, tmp_path / "r.csv", embeddings=str(target)))
    assert names(tmp_path) == ["clip.npz"]


def test_a_model_without_embeddings_is_refused_before_anything_is_read(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the model and the output that it lacks."""

    def drop(model: onnx.ModelProto) -> None:
        kept = [value for value in model.graph.output if value.name != "embedding"]
        del model.graph.output[:]
        model.graph.output.extend(kept)

    path = write_tiny_model(tmp_path / "without.onnx", spoil=drop)
    monkeypatch.setattr(WorkerPool, "run", lambda *arguments: pytest.fail("clips were read"))
    wanted = options(sounds, tmp_path / "r.csv", model=str(path), embeddings="e.npz")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"without\.onnx: outputs: expected .*embedding"):
        run(wanted)
    assert names(tmp_path) == ["without.onnx"]


def test_few_long_clips_are_worth_several_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two recordings of hours are read at the same time; two snippets need one worker."""
    started: list[int | None] = []
    start = WorkerPool.start
    monkeypatch.setattr(
        WorkerPool, "start", lambda pool, count: (started.append(count), start(pool, count))
    )
    write_tiny_model(tmp_path / "tiny.onnx")
    for folder, size in (("short", 1000), ("long", 9_000_000)):
        for name in ("clips/a.wav", "clips/b.wav"):
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / name).write_bytes(b"\0" * size)
        shutil.copy(tmp_path / "tiny.onnx", tmp_path / folder)
        run(options(tmp_path / folder, tmp_path / "labels.csv"))
    assert started == [1, 1, 1, 2]


def test_second_run_on_one_output_is_refused(sounds: Path, tmp_path: Path) -> None:
    """Two runs at once on any one of their outputs do not get in each other's way."""
    with OutputLock(tmp_path / "b.json"), pytest.raises(EmotoolError, match="another run"):
        run(options(sounds, tmp_path / "a.csv", tmp_path / "b.json"))
    assert names(tmp_path) == []


def test_output_folder_that_vanishes_is_an_error(sounds: Path, tmp_path: Path) -> None:
    """Nothing can be written then, and the error says where."""
    target = tmp_path / "out" / "labels.csv"
    target.parent.mkdir()
    with pytest.raises(OutputError, match="cannot write"):
        run(options(sounds, target), Watcher(3, lambda: shutil.rmtree(target.parent)))


def test_clips_that_vanish_meanwhile_are_failed_rows(sounds: Path, tmp_path: Path) -> None:
    """A folder that is emptied under the run costs rows with a reason, not the run."""
    shutil.copytree(sounds, tmp_path / "sounds")
    clips = tmp_path / "sounds" / "clips"
    watcher = Watcher(1, lambda: shutil.rmtree(clips))
    one = PoolOptions(workers=1)
    summary = run(options(tmp_path / "sounds", tmp_path / "r.csv", pool=one, batch_size=1), watcher)
    assert summary.clips == CLIPS + 1
    assert summary.statuses["failed"] > 1
    assert len((tmp_path / "r.csv").read_text().splitlines()) == CLIPS + 2


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"paths": ["no-such-folder"]}, InputError),
        ({"model": "no-such-model"}, ModelNotFoundError),
        ({"outputs": [Output("no-such-folder/labels.csv")]}, OutputError),
    ],
)
def test_unusable_runs_fail_before_they_begin(
    sounds: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    error: type[EmotoolError],
) -> None:
    """A wrong path, model or output leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        run(options(sounds, tmp_path / "labels.csv", **changes))
    assert names(tmp_path) == []


def test_all_failed_is_told_by_the_exit_code(sounds: Path, tmp_path: Path) -> None:
    """Nothing usable among the inputs: the rows are written, and the code is 1."""
    summary = run(options(sounds, tmp_path / "r.csv", paths=[str(sounds / "clips/notes.txt")]))
    assert (summary.clips, summary.exit_code) == (1, 1)
    assert "notes.txt,failed" in (tmp_path / "r.csv").read_text()


def test_summary_of_nothing_failed() -> None:
    """The exit code is read from the statuses."""
    summary = RunSummary(
        2, {"ok": 2, "failed": 0}, {}, 1.0, {}, (), 1, 1, 0, 0, 0, "", "", (), None
    )
    assert summary.exit_code == 0


@pytest.mark.parametrize("fault", ["swapped", "lost", "one too many"])
def test_row_that_is_not_its_clips_ends_the_run(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A mistake of ours may cost a run, but never gives a clip another's label."""
    classify_clips = pipeline.classify_clips

    def faulty(*arguments: Any, **options: Any) -> Generator[ClipResult]:
        results = list(classify_clips(*arguments, **options))
        if fault == "swapped":
            results[3], results[4] = results[4], results[3]
        elif fault == "lost":
            del results[3]
        else:
            results.append(results[-1])
        yield from results

    monkeypatch.setattr(pipeline, "classify_clips", faulty)
    with pytest.raises(EmotoolError, match="this is a bug in emotool"):
        run(options(sounds, tmp_path / "r.csv"))
    assert not (tmp_path / "r.csv").exists()


def test_rows_are_counted_against_the_inputs(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that lacks rows is not written, however they got lost."""
    monkeypatch.setattr("emotool.run.batch._Batch._rows", lambda *arguments: (_ for _ in ()))
    with pytest.raises(EmotoolError, match=f"0 rows for {CLIPS + 1} clips"):
        run(options(sounds, tmp_path / "r.csv"))
    assert not (tmp_path / "r.csv").exists()
