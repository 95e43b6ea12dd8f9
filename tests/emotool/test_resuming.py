"""A run goes on after any interruption, and ends with the bytes of an undisturbed one."""

import os
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emotool.files.lock import beside
from emotool.inputs.manifest import read_manifest
from emotool.run.batch import TooManyFailuresError, run
from emotool.workers.pool import PoolOptions, Reading
from tests.emotool.batch_runs import (
    CLIPS,
    TEXT,
    TWO,
    Interrupted,
    Watcher,
    interrupt,
    names,
    options,
)
from tests.emotool.tiny_models import tiny_metadata, write_tiny_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def undisturbed(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the bytes of an undisturbed run's table."""
    target = tmp_path_factory.mktemp("undisturbed") / "labels.csv"
    run(options(sounds, target))
    return target.read_bytes()


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
    pool = replace(TWO, reading=Reading(by_content))
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
    parts: dict[str, Any] = {"segments": True, "pool": replace(TWO, reading=Reading(hop_s=0.1))}
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
    assert any("other settings" in note for note in watcher.notes)


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
        [
            "failures.csv",
            "whole.failures.csv",
            target.name,
            embeddings.name,
            *(path.name for path in whole),
        ]
    )


def test_interrupted_run_says_that_it_can_go_on(sounds: Path, tmp_path: Path) -> None:
    """Who pressed Ctrl-C learns that nothing is lost, if something was done."""
    watcher = Watcher(20, interrupt)
    with pytest.raises(Interrupted):
        run(options(sounds, tmp_path / "labels.csv"), watcher)
    assert "run the same command to resume" in watcher.notes[0]
    hasty = Watcher()
    hasty.begin = lambda *_: interrupt()  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        run(options(sounds, tmp_path / "other.csv"), hasty)
    assert hasty.notes == []


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
    assert "starting over" in watcher.notes[0]


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
    by_content = PoolOptions(workers=2, reading=Reading(by_content=True))
    with pytest.raises(Interrupted):
        run(options(tmp_path / "sounds", target, pool=by_content), Watcher(CLIPS + 1, interrupt))
    (tmp_path / "sounds").rename(tmp_path / "moved")
    summary = run(options(tmp_path / "moved", target, pool=by_content))
    assert summary.resumed == CLIPS
    assert "moved/clips/00.wav" in target.read_text().replace(os.sep, "/")


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
