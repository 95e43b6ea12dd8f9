"""A run gives one row per input, whole outputs or none, and goes on after any interruption."""

import csv
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from emotool import pipeline
from emotool.batch import Output, RunOptions, RunSummary, TooManyFailuresError, run
from emotool.errors import EmotoolError, InputError, ModelError, ModelNotFoundError, OutputError
from emotool.lock import OutputLock, beside
from emotool.manifest import read_manifest
from emotool.pool import PoolOptions, WorkerPool
from emotool.results import ClipResult
from tests.emotool.tiny_models import tiny_metadata, weights, write_tiny_model
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

    def begin(self, total: int, resumed: int) -> None:
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


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of clips that all differ, one of them no sound, and a model."""
    folder = tmp_path_factory.mktemp("sounds")
    for index in range(CLIPS):
        wave = vowel(100 + index, 0.3 + 0.02 * index, amplitude=0.9 * 0.9**index)
        write_clip(folder / "clips" / f"{index:02}.wav", wave)
    (folder / "clips" / f"{TEXT}.wav").write_text("no sound")
    write_clip(folder / "clips" / "silent.wav", np.zeros(16000, np.float32))
    (folder / "clips" / "notes.txt").write_text("passed over")
    write_tiny_model(folder / "tiny.onnx")
    return folder


def options(sounds: Path, *targets: Path, **changes: Any) -> RunOptions:
    """Say what to run."""
    values: dict[str, Any] = {
        "paths": [str(sounds / "clips")],
        "outputs": [Output(str(target)) for target in targets],
        "model": str(sounds / "tiny.onnx"),
        "device": "cpu",
        "pool": TWO,
    }
    return RunOptions(**(values | changes))


@pytest.fixture(scope="module")
def undisturbed(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the bytes of an undisturbed run's table."""
    target = tmp_path_factory.mktemp("undisturbed") / "labels.csv"
    run(options(sounds, target))
    return target.read_bytes()


def names(folder: Path) -> list[str]:
    """List a folder, hidden files included."""
    return sorted(path.name for path in folder.iterdir())


def test_run_writes_a_row_per_input_and_says_what_it_did(sounds: Path, tmp_path: Path) -> None:
    """Rows and summary agree with the inputs; nothing else is left behind."""
    summary = run(options(sounds, tmp_path / "labels.csv", tmp_path / "labels.json"))
    assert summary.clips == CLIPS + 1
    assert summary.statuses == {"ok": CLIPS - 1, "silent": 1, "too_short": 0, "failed": 1}
    assert sum(summary.labels.values()) == CLIPS - 1
    assert (summary.exit_code, summary.resumed, summary.passed_over) == (3, 0, 1)
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


@pytest.mark.parametrize("row", [1, 13, 25, CLIPS + 1])
def test_interrupted_run_goes_on_to_the_same_bytes(
    sounds: Path, tmp_path: Path, undisturbed: bytes, row: int
) -> None:
    """Interrupted anywhere, even after its last row, the run ends as if it had not been."""
    target = tmp_path / "labels.csv"
    target.write_text("before")
    with pytest.raises(Interrupted):
        run(options(sounds, target), Watcher(row, interrupt))
    assert target.read_text() == "before"
    watcher = Watcher()
    summary = run(options(sounds, target), watcher)
    assert target.read_bytes() == undisturbed
    assert summary.resumed == watcher.resumed >= row - 1  # what is no sound is tried again
    assert names(tmp_path) == ["failures.csv", "labels.csv"]


def test_interrupted_manifest_goes_on_to_the_same_bytes(sounds: Path, tmp_path: Path) -> None:
    """Each row keeps its own cells, also where two are about one file."""
    rows = [f"{sounds}/clips/{index % CLIPS:02}.wav,row {index}" for index in range(2 * CLIPS)]
    (tmp_path / "list.csv").write_text("\n".join(["path,what", *rows]))
    manifest = read_manifest(str(tmp_path / "list.csv"), "path")
    target = tmp_path / "labels.csv"
    several = options(sounds, target, paths=[], manifest=manifest)
    run(several)
    undisturbed = target.read_bytes()
    with pytest.raises(Interrupted):
        run(several, Watcher(CLIPS + 5, interrupt))
    assert run(several).resumed > 0
    assert target.read_bytes() == undisturbed
    assert [line.rpartition(",")[2] for line in undisturbed.decode().splitlines()[1:]] == [
        f"row {index}" for index in range(2 * CLIPS)
    ]


@pytest.mark.parametrize("by_content", [False, True])
def test_interrupted_archive_goes_on_to_the_same_bytes(
    sounds: Path, tmp_path: Path, by_content: bool
) -> None:
    """Its clips are told apart, and known again; those of a changed archive by content only."""
    archive = tmp_path / "talks.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for clip in sorted((sounds / "clips").glob("*.wav")):
            made.write(clip, clip.name)
    pool = replace(TWO, by_content=by_content)
    whole, target = tmp_path / "whole.csv", tmp_path / "labels.csv"
    run(options(sounds, whole, paths=[str(archive)], pool=pool))
    with pytest.raises(Interrupted):
        run(options(sounds, target, paths=[str(archive)], pool=pool), Watcher(25, interrupt))
    os.utime(archive, ns=(1, 1))
    watcher = Watcher(10, interrupt)
    with pytest.raises(Interrupted):
        run(options(sounds, target, paths=[str(archive)], pool=pool), watcher)
    assert watcher.resumed >= 23 if by_content else watcher.resumed == 0
    watcher = Watcher()
    run(options(sounds, target, paths=[str(archive)], pool=pool), watcher)
    assert watcher.resumed >= (23 if by_content else 9)
    assert target.read_bytes() == whole.read_bytes()


def test_interrupted_run_goes_on_with_its_windows(sounds: Path, tmp_path: Path) -> None:
    """Rows for windows are resumed to the same bytes; another hop is another run."""
    parts: dict[str, Any] = {"segments": True, "pool": replace(TWO, hop_s=0.1)}
    run(options(sounds, tmp_path / "whole.csv", **parts))
    target = tmp_path / "labels.csv"
    with pytest.raises(Interrupted):
        run(options(sounds, target, **parts), Watcher(13, interrupt))
    summary = run(options(sounds, target, **parts))
    assert summary.resumed >= 12
    assert target.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert target.read_text().count("\n") > summary.clips + 1
    with pytest.raises(Interrupted):
        run(options(sounds, target, **parts), Watcher(13, interrupt))
    watcher = Watcher()
    assert run(options(sounds, target, segments=True), watcher).resumed == 0
    assert any("other parameters" in note for note in watcher.notes)


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


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
@pytest.mark.parametrize("segments", [False, True])
def test_interrupted_run_goes_on_with_its_embeddings(
    sounds: Path, tmp_path: Path, suffix: str, segments: bool
) -> None:
    """Both files are as of an undisturbed run; a run without embeddings has none to go on from."""
    parts: dict[str, Any] = {"segments": segments}
    whole = [tmp_path / "whole.csv", tmp_path / f"whole{suffix}"]
    run(options(sounds, whole[0], embeddings=str(whole[1]), **parts))
    target, embeddings = tmp_path / "labels.csv", tmp_path / f"e{suffix}"
    with pytest.raises(Interrupted):
        run(options(sounds, target, **parts), Watcher(13, interrupt))
    with_them = options(sounds, target, embeddings=str(embeddings), **parts)
    watcher = Watcher(13, interrupt)
    with pytest.raises(Interrupted):
        run(with_them, watcher)
    assert watcher.resumed == 0
    assert not embeddings.exists()
    assert run(with_them).resumed >= 12
    assert target.read_bytes() == whole[0].read_bytes()
    assert embeddings.read_bytes() == whole[1].read_bytes()
    assert names(tmp_path) == sorted(
        ["failures.csv", target.name, embeddings.name, *(path.name for path in whole)]
    )


@pytest.mark.parametrize("changes", [{}, {"segments": True, "pool": replace(TWO, hop_s=0.1)}])
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


def test_interrupted_run_says_that_it_can_go_on(sounds: Path, tmp_path: Path) -> None:
    """Who pressed Ctrl-C learns that nothing is lost, if something was done."""
    watcher = Watcher(20, interrupt)
    with pytest.raises(Interrupted):
        run(options(sounds, tmp_path / "labels.csv"), watcher)
    assert "goes on from here" in watcher.notes[0]
    hasty = Watcher()
    hasty.begin = lambda total, resumed: interrupt()  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        run(options(sounds, tmp_path / "other.csv"), hasty)
    assert hasty.notes == []


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


def test_run_may_be_interrupted_again_and_again(
    sounds: Path, tmp_path: Path, undisturbed: bytes
) -> None:
    """Each try begins where the last one ended, however short it was."""
    target = tmp_path / "labels.csv"
    resumed = []
    for row in (5, 6, 20, 30):
        watcher = Watcher(row, interrupt)
        with pytest.raises(Interrupted):
            run(options(sounds, target, batch_size=3), watcher)
        resumed.append(watcher.resumed)
    assert resumed == sorted(resumed)
    run(options(sounds, target))
    assert target.read_bytes() == undisturbed


def test_changed_clip_is_done_again_on_the_way_on(sounds: Path, tmp_path: Path) -> None:
    """A file that was changed while the run lay still gets the row of what it is now."""
    shutil.copytree(sounds, tmp_path / "sounds")
    target = tmp_path / "labels.csv"
    with pytest.raises(Interrupted):
        run(options(tmp_path / "sounds", target), Watcher(CLIPS + 1, interrupt))
    (tmp_path / "sounds" / "clips" / "00.wav").write_text("no longer sound")
    summary = run(options(tmp_path / "sounds", target))
    assert summary.statuses["failed"] == 2
    assert "00.wav,failed" in target.read_text()


def test_changed_inputs_take_what_still_fits(
    sounds: Path, tmp_path: Path, undisturbed: bytes
) -> None:
    """Rows are found by file, not by place: with fewer inputs the others keep their results."""
    target = tmp_path / "labels.csv"
    with pytest.raises(Interrupted):
        run(options(sounds, target), Watcher(CLIPS + 1, interrupt))
    paths = [str(sounds / "clips" / f"{index:02}.wav") for index in (30, 4)]
    summary = run(options(sounds, target, paths=paths))
    assert (summary.clips, summary.resumed) == (2, 2)
    lines = undisturbed.decode().splitlines()
    assert target.read_text().splitlines() == [lines[0], lines[5], lines[31]]


def test_other_model_begins_anew_and_says_so(sounds: Path, tmp_path: Path) -> None:
    """Rows of two models are never mixed."""
    target = tmp_path / "labels.csv"
    with pytest.raises(Interrupted):
        run(options(sounds, target), Watcher(CLIPS, interrupt))
    other = write_tiny_model(tmp_path / "other.onnx", tiny_metadata(name="other"))
    watcher = Watcher()
    summary = run(options(sounds, target, model=str(other)), watcher)
    assert summary.resumed == 0
    assert "beginning anew" in watcher.notes[0]


def test_restart_begins_anew(sounds: Path, tmp_path: Path, undisturbed: bytes) -> None:
    """``--restart`` does everything again, to the same end."""
    target = tmp_path / "labels.csv"
    with pytest.raises(Interrupted):
        run(options(sounds, target), Watcher(CLIPS, interrupt))
    assert run(options(sounds, target, restart=True)).resumed == 0
    assert target.read_bytes() == undisturbed


def test_moved_clips_are_known_by_content(sounds: Path, tmp_path: Path) -> None:
    """With ``--by-content`` a renamed folder is no reason to begin anew."""
    shutil.copytree(sounds, tmp_path / "sounds")
    target = tmp_path / "labels.csv"
    by_content = PoolOptions(workers=2, by_content=True)
    with pytest.raises(Interrupted):
        run(options(tmp_path / "sounds", target, pool=by_content), Watcher(CLIPS + 1, interrupt))
    (tmp_path / "sounds").rename(tmp_path / "moved")
    summary = run(options(tmp_path / "moved", target, pool=by_content))
    assert summary.resumed == CLIPS
    assert "moved/clips/00.wav" in target.read_text().replace(os.sep, "/")


def test_too_many_failures_end_the_run_and_keep_what_is_done(
    sounds: Path, tmp_path: Path, undisturbed: bytes
) -> None:
    """``--fail-fast`` names the culprit and writes nothing; without it the run goes on."""
    target = tmp_path / "labels.csv"
    with pytest.raises(TooManyFailuresError, match=rf"1 clip failed.*{TEXT}\.wav: open"):
        run(options(sounds, target, max_errors=0))
    assert not target.exists()
    assert run(options(sounds, target, max_errors=1)).resumed > 0
    assert target.read_bytes() == undisturbed


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


def test_journal_lies_beside_the_first_file(sounds: Path, tmp_path: Path) -> None:
    """While a run is unfinished, its journal can be seen; links lead to the real place."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "real" / "labels.csv")
    with pytest.raises(Interrupted):
        run(options(sounds, tmp_path / "link.csv"), Watcher(5, interrupt))
    assert beside(tmp_path / "real" / "labels.csv", "journal").is_file()
    run(options(sounds, tmp_path / "link.csv"))
    assert names(tmp_path / "real") == ["failures.csv", "labels.csv"]
    assert (tmp_path / "link.csv").is_symlink()


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
    with pytest.raises(EmotoolError, match="this is a fault in emotool"):
        run(options(sounds, tmp_path / "r.csv"))
    assert not (tmp_path / "r.csv").exists()


def test_rows_are_counted_against_the_inputs(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that lacks rows is not written, however they got lost."""
    monkeypatch.setattr("emotool.batch._Batch._rows", lambda *arguments: (_ for _ in ()))
    with pytest.raises(EmotoolError, match=f"0 rows for {CLIPS + 1} clips"):
        run(options(sounds, tmp_path / "r.csv"))
    assert not (tmp_path / "r.csv").exists()
