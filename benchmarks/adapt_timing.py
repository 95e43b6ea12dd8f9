"""How long adapting takes, and how much memory."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from emotool_training.adapting.head import solved_head
from emotool_training.adapting.regression import BLOCK, Clips
from emotool_training.corpora import load_corpora

__all__ = ["timing"]

MANY, SIZE, LABELS, SPEAKERS = 100_000, 2048, 6, 500
FEW = 400
_SELF = "from benchmarks.adapt_timing import many; print(*many())"


def timing(data: Path) -> str:
    """Measure both cases; return a table."""
    few = _few(data)
    done = subprocess.run(
        [sys.executable, "-c", _SELF], capture_output=True, text=True, check=True
    ).stdout.split()
    return (
        "| case | seconds | processor seconds | peak memory |\n|---|---|---|---|\n"
        f"| `emotool adapt`, {FEW} clips, embeddings cached | {few[0]:.1f} | {few[1]:.1f} | |\n"
        f"| {MANY:,} embeddings of {SIZE:,} numbers, {LABELS} labels | {float(done[0]):.1f} "
        f"| {float(done[1]):.1f} | {float(done[2]):.2f} GiB |"
    )


def _few(data: Path) -> tuple[float, float]:
    """Time the whole command, start-up included, at its second run."""
    clips = load_corpora([data]).utterances
    clips = clips[:: max(1, len(clips) // FEW)]
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "clips.csv")
        rows = [f"{clip.path.absolute()},{clip.emotion},{clip.speaker}" for clip in clips[:FEW]]
        table.write_text("path,label,speaker\n" + "\n".join(rows) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "emotool", "adapt", str(table), "--name", "timed"]
        command += ["--base", "whisper6", "-o", folder, "--replace"]
        for _ in range(2):
            began, worked = time.perf_counter(), _of_children()
            subprocess.run(command, capture_output=True, check=True)
            seconds, busy = time.perf_counter() - began, _of_children() - worked
    return seconds, busy


def _of_children() -> float:
    """Return the processor time of child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def many() -> tuple[float, float, float]:
    """Fit a head to many embeddings; return seconds, processor seconds and GiB."""
    random = np.random.default_rng(0)
    targets = random.integers(0, LABELS, MANY)
    centres = random.normal(size=(LABELS, SIZE)).astype(np.float32) / 12
    blocks = []
    for start in range(0, MANY, BLOCK):
        members = targets[start : start + BLOCK]
        rows = random.standard_normal((len(members), SIZE), np.float32)
        rows += centres[members]
        blocks.append(rows)
    offsets = random.standard_normal((MANY, LABELS), np.float32)
    clips = Clips(blocks, offsets, np.arange(MANY), targets)
    speakers = [f"s{number % SPEAKERS}" for number in range(MANY)]
    began, worked = time.perf_counter(), time.process_time()
    solved_head(clips, speakers)
    seconds, busy = time.perf_counter() - began, time.process_time() - worked
    return seconds, busy, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
