"""Any audio gets its one row: labelled, or with the reason why not."""

import csv
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.emotool.tiny_models import write_tiny_model
from tests.faults.audio import AUDIO, AudioFault
from tests.faults.fault import command, emotool, environment, nothing_else, words
from tests.synthesis import vowel, write_clip

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Return the rows of one run over all the files, by name."""
    folder = tmp_path_factory.mktemp("audio")
    (folder / "clips").mkdir()
    for fault in AUDIO:
        fault.make(folder / "clips" / fault.name)
    write_tiny_model(folder / "tiny.onnx")
    done = emotool(folder, "clips", "-m", "tiny.onnx", "-q")
    assert done.returncode == 3
    assert nothing_else(done.stderr), done.stderr
    table = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["path"] for row in table] == sorted(f"clips/{fault.name}" for fault in AUDIO)
    return {Path(row["path"]).name: row for row in table}


@pytest.mark.parametrize("fault", AUDIO, ids=lambda fault: fault.what)
def test_file_gets_its_row(rows: dict[str, dict[str, str]], fault: AudioFault) -> None:
    """Each file, among all the others, gets the row that docs/reliability.md promises."""
    row = rows[fault.name]
    assert (row["status"], row["flags"]) == (fault.status, fault.flags), row["error"]
    assert words(fault.error, row["error"]) if fault.error else not row["error"]
    assert bool(row["label"]) is (fault.status == "ok")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_flat_however_long_a_clip_is(tmp_path: Path) -> None:
    """Half an hour, 115 MB when decoded, takes hardly more than two minutes do."""
    write_tiny_model(tmp_path / "tiny.onnx")
    peaks = []
    for name, repeats in (("short.flac", 12), ("long.flac", 180)):
        write_clip(tmp_path / name, np.tile(vowel(120, 10), repeats))
        arguments = command(name, "-m", "tiny.onnx", "-o", os.devnull, "-q")
        with subprocess.Popen(arguments, cwd=tmp_path, env=environment()) as run:
            peak = 0
            while run.poll() is None:
                peak = max(peak, peak_of(run.pid) + sum(map(peak_of, children_of(run.pid))))
                time.sleep(0.02)
        assert run.returncode == 0
        peaks.append(peak)
    assert 0 < peaks[0] > peaks[1] - 40_000, f"{peaks} kB"


def children_of(pid: int) -> list[int]:
    """List a process's children."""
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except OSError:
        return []


def peak_of(pid: int) -> int:
    """Return the most memory (kB) that a process has had so far, 0 if it is over."""
    # Not ru_maxrss: that counts what the parent had when it started the child.
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
