"""Runs that cannot go on: the right line, the right code, the old output, a good journal."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from emotool.files.lock import beside
from tests.emotool.tiny_models import write_tiny_model
from tests.faults.fault import Done, command, emotool, environment, nothing_else
from tests.synthesis import tone, write_clip

pytestmark = pytest.mark.slow

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
MANY = 700


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with a few clips and a model."""
    for index in range(5):
        write_clip(tmp_path / "clips" / f"{index}.wav", tone(200 + 50 * index, 0.6))
    write_tiny_model(tmp_path / "tiny.onnx")
    return tmp_path


def crowd(place: Path, count: int = MANY) -> None:
    """Add many clips."""
    for index in range(count):
        (place / "clips" / f"more-{index:05}.wav").hardlink_to(place / "clips" / f"{index % 5}.wav")


def one_line(done: Done, text: str) -> bool:
    """Say whether a run ended with one error line, perhaps a hint, and exit code 1."""
    first, *rest = done.stderr.splitlines()
    return (
        done.returncode == 1
        and first.startswith("error: ")
        and text in first
        and all(line.startswith("hint: ") for line in rest)
    )


def until(condition: Callable[[], bool]) -> None:
    """Wait for something, a minute at most."""
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)


def started(place: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start a run and wait until it has done some clips."""
    run = subprocess.Popen(
        command("clips", "-m", "tiny.onnx", "-o", "out/r.csv", *arguments),
        cwd=place,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = beside(place / "out" / "r.csv", "journal-wal")
    until(lambda: journal.exists() and journal.stat().st_size > 20_000)
    assert run.poll() is None, "the run was over too soon: make MANY larger"
    return run


@linux
def test_hanging_decoder_does_not_hold_up_an_interruption(place: Path) -> None:
    """Workers that do nothing any more are no reason to wait for them."""
    crowd(place)
    (place / "out").mkdir()
    run = started(place, "-q")
    for child in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGSTOP)
    began = time.monotonic()
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=20)
    assert time.monotonic() - began < 2
    assert (run.returncode, said) == (130, "error: interrupted\n")
    assert beside(place / "out" / "r.csv", "journal").stat().st_size > 0


@linux
def test_workers_go_first_when_memory_runs_out(place: Path) -> None:
    """Linux is told to end them, not the run, which can go on without them."""
    crowd(place)
    (place / "out").mkdir()
    run = started(place, "-q")
    own = int(Path(f"/proc/{run.pid}/oom_score_adj").read_text())
    for child in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split():
        assert int(Path(f"/proc/{child}/oom_score_adj").read_text()) == 500 > own
    run.kill()
    run.communicate()


@linux
def test_output_folder_that_vanishes_is_one_line(place: Path) -> None:
    """The run ends when it notices; it makes no folder and writes nowhere else."""
    crowd(place)
    (place / "out").mkdir()
    run = started(place, "-q")
    shutil.rmtree(place / "out")
    _, said = run.communicate(timeout=60)
    assert one_line(subprocess.CompletedProcess([], run.returncode, "", said), "cannot "), said
    assert {path.name for path in place.iterdir()} == {"clips", "tiny.onnx"}


def test_damaged_journal_is_left_behind_by_restart(place: Path) -> None:
    """It is not taken for what was done, and not overwritten without being asked."""
    beside(place / "r.csv", "journal").write_bytes(b"SQLite format 3\0" + b"damaged " * 1000)
    done = emotool(place, "clips", "-m", "tiny.onnx", "-o", "r.csv", "-q")
    assert one_line(done, "cannot use the journal"), done.stderr
    assert "--restart" in done.stderr
    assert not (place / "r.csv").exists()
    done = emotool(place, "clips", "-m", "tiny.onnx", "-o", "r.csv", "-q", "--restart")
    assert (done.returncode, done.stderr) == (0, "")
    assert not [path for path in place.iterdir() if path.name.startswith(".")]


def mounted(place: Path, options: str, script: str, *arguments: str) -> Done:
    """Run a shell script, as ``sh`` with arguments, where ``small/`` is a file system of its own.

    The mount exists in a name space of its own, and ends with it.
    """
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare, to mount a small file system")
    setup = f"mount -t tmpfs -o size=400k none small || exit 99\n{script}"
    (place / "small").mkdir(exist_ok=True)
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", setup, options, *arguments],
        cwd=place,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"may not mount a file system here: {done.stderr.strip()}")
    return done


@linux
@pytest.mark.parametrize("left", [0, 24, 100], ids="{} kB left".format)
def test_full_disk_keeps_the_old_table_and_what_was_done(place: Path, left: int) -> None:
    """No room for the journal, for the table, for their last piece: the next try goes on."""
    crowd(place, 1500)
    script = """
        echo before > small/r.csv
        head -c 1000000 /dev/zero > small/filler 2> /dev/null
        truncate -s -$0k small/filler
        "$@"
        echo "code $?"
        cat small/r.csv
        rm small/filler
        mount -o remount,size=4m small
        "$@" && cp small/r.csv r.csv
        ls -A small
    """
    arguments = command("clips", "-m", "tiny.onnx", "-o", "small/r.csv", "-q")
    done = mounted(place, str(left), script, *arguments)
    first, *hints = done.stderr.splitlines()
    assert first.startswith("error: cannot "), done.stderr
    assert "No space left" in first or "disk" in first, done.stderr
    assert all(line.startswith("hint: ") for line in hints)
    assert done.stdout.splitlines() == ["code 1", "before", "r.csv"]
    assert len((place / "r.csv").read_text().splitlines()) == 1506


@linux
def test_read_only_file_system_is_known_at_once(place: Path) -> None:
    """Nothing is read that could not be written down."""
    script = 'mount -o remount,ro small || exit 99; "$@"'
    done = mounted(place, "sh", script, *command("clips", "-m", "gone.onnx", "-o", "small/r.csv"))
    assert one_line(done, "small/r.csv: Read-only file system"), done.stderr


NAMES = ("=1+1.wav", "+1.wav", "-1.wav", "@SUM(A1).wav", "\t=1.wav", "\r=1.wav", "\n=1.wav")


@pytest.mark.skipif(os.name != "posix", reason="needs names that Windows has not")
@pytest.mark.parametrize("content", ["sound", "text"])
def test_formulas_are_text_unless_raw(place: Path, content: str) -> None:
    """In the table and in that of failures, by the names that a shell gives them."""
    for name in NAMES:
        if content == "sound":
            (place / name).hardlink_to(place / "clips" / "0.wav")
        else:
            (place / name).write_text("no sound")
    paths = ["-m", "tiny.onnx", "-q", "-o", "r.csv", "-o", "r.json", "clips/1.wav", "--", *NAMES]
    for raw in ([], ["--raw"]):
        done = emotool(place, *raw, *paths)
        assert done.returncode == (0 if content == "sound" else 3)
        assert nothing_else(done.stderr), done.stderr
        expected = sorted(name if raw else f"'{name}" for name in NAMES)
        assert cells(place / "r.csv") == expected
        clips = json.loads((place / "r.json").read_text())["clips"]
        assert sorted(clip["path"] for clip in clips) == sorted(["clips/1.wav", *NAMES])
        if content == "text":
            assert cells(place / "r.failures.csv") == expected


def cells(path: Path) -> list[str]:
    """Return the sorted paths of a table but for the one in ``clips``."""
    with path.open(encoding="utf-8", newline="") as handle:
        found = [row["path"] for row in csv.DictReader(handle)]
    return sorted(cell for cell in found if not cell.startswith("clips"))
