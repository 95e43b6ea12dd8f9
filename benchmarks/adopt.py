"""Adopt architectures of transformers at real size; compare answers and speed with its pipeline.

    python benchmarks/adopt.py CLIPS --peer /path/to/adopt/bin/python

The models have random weights: what is compared is whether the conversion is right and what a run
costs, not emotions. The environment of the other side is made by
``pip install -r benchmarks/adopt.txt``. Both sides run on all cores, one after the other; times
are of whole commands, start-up included, and memory is the most that a command and its processes
held at once.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.adopt_peer import KINDS
from emotool.features.extraction import iter_extract
from emotool.features.waveform_spec import WaveformSpec
from emotool.inputs.clips import Clip, find_clips
from emotool.model.classifier import load_classifier
from emotool.run.options import Details
from emotool.run.pipeline import classify_clips

HERE = Path(__file__).resolve().parent
PEER = HERE / "adopt_peer.py"


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds, and MB at most."""

    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Measured:
    """What was measured of one architecture."""

    kind: str
    megabytes: float  # of the adopted file
    adopting: Cost
    windows: int
    difference: float
    spread: float  # of the answers over the windows
    ours: Cost
    theirs: Cost


def run(arguments: Sequence[str]) -> Cost:
    """Run a command and watch it and its processes; an error ends the benchmark."""
    started = time.perf_counter()
    process = subprocess.Popen(arguments, cwd=HERE.parent, stdout=subprocess.DEVNULL)
    most = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, most))
    watcher.start()
    code = process.wait()
    seconds = time.perf_counter() - started
    watcher.join()
    if code:
        raise SystemExit(f"{' '.join(arguments)} ended with {code}")
    return Cost(seconds, most[0])


def _watch(process: "subprocess.Popen[bytes]", most: list[float]) -> None:
    """Note the most memory that a process and its descendants have (Linux: PSS)."""
    while process.poll() is None:
        most[0] = max(most[0], sum(map(_megabytes, _family(process.pid))))
        time.sleep(0.05)


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except OSError:
        return
    for child in children:
        yield from _family(int(child))


def _megabytes(pid: int) -> float:
    """Return a process's share of memory: pages that several have count once in all."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1e3


def measure(kind: str, clips: Sequence[str], peer: str, work: Path) -> Measured:
    """Make, adopt, compare and time one architecture."""
    folder = work / kind
    if not (folder / "onnx" / "model.onnx").is_file():
        run([peer, str(PEER), "make", kind, str(folder)])
    exported = work / "exported"
    emotool = [sys.executable, "-m", "emotool"]
    adopting = run(
        [*emotool, "adopt", str(folder / "onnx"), "--name", kind, "-o", str(exported), "--replace"]
    )
    model = exported / f"{kind}.onnx"
    found, wanted = answers(model, folder, clips, peer, work)
    listed, paths = work / "paths.txt", work / "paths.json"
    listed.write_text("\n".join(clips), "utf-8")
    paths.write_text(json.dumps(clips), "utf-8")
    table = str(work / "labels.csv")
    ours = run(
        [*emotool, "classify", "--from", str(listed), "-m", str(model), "-o", table, "--restart"]
    )
    theirs = run([peer, str(PEER), "classify", str(folder), str(paths)])
    return Measured(
        kind,
        model.stat().st_size / 1e6,
        adopting,
        len(found),
        float(np.abs(found - wanted).max()),
        float(np.ptp(wanted, axis=0).max()),
        ours,
        theirs,
    )


def answers(
    model: Path, folder: Path, clips: Sequence[str], peer: str, work: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Return our numbers and the pipeline's for the same windows, [windows, names] each."""
    classifier = load_classifier(model)
    spec = classifier.spec
    if not isinstance(spec, WaveformSpec):
        raise SystemExit(f"{model} takes no waveforms")
    plain = replace(spec, normalisation="none")  # the pipeline scales them itself
    sounds = [
        window[:length]
        for path in clips
        for part in iter_extract(path, plain)
        for window, length in zip(part.windows, part.lengths, strict=True)
    ]
    stored = work / "windows.npz"
    np.savez(stored, **{f"{place:06}": sound for place, sound in enumerate(sounds)})
    run([peer, str(PEER), "answer", str(folder), str(stored), str(work / "answers.npy")])
    listed = [Clip(place, path, path) for place, path in enumerate(clips)]
    rows = classify_clips(listed, classifier, details=Details(segments=True))
    found = [(*one.probabilities, *one.dimensions) for row in rows for one in row.segments]
    return np.array(found, np.float32), np.load(work / "answers.npy")


def table(measured: Sequence[Measured]) -> str:
    """Lay out what was measured in Markdown."""
    heads = (
        *("model", "file", "adopting", "windows", "largest difference", "range of outputs"),
        *("clips/s, emotool", "clips/s, pipeline", "speed ratio"),
        *("memory, emotool", "memory, pipeline", "memory ratio"),
    )
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for one in measured:
        clips = one.windows
        speed, other = clips / one.ours.seconds, clips / one.theirs.seconds
        cells = (
            one.kind,
            f"{one.megabytes:,.0f} MB",
            f"{one.adopting.seconds:.1f} s, {one.adopting.megabytes:,.0f} MB",
            str(one.windows),
            f"{one.difference:.1e}",
            f"{one.spread:.1e}",
            f"{speed:.2f}",
            f"{other:.2f}",
            f"{speed / other:.2f}",
            f"{one.ours.megabytes:,.0f} MB",
            f"{one.theirs.megabytes:,.0f} MB",
            f"{one.ours.megabytes / one.theirs.megabytes:.2f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure the kinds that are asked for and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="with clips; evenly chosen ones are used")
    parser.add_argument("--peer", required=True, help="Python of the environment with transformers")
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--work", type=Path, help="keep models here instead of making them anew")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "adopt.md")
    options = parser.parse_args()
    found = [clip.path for clip in find_clips([options.folder]).clips]
    step = max(1, len(found) // options.clips)
    clips = [str(Path(path).resolve()) for path in found[::step][: options.clips]]
    with tempfile.TemporaryDirectory() as folder:
        work = options.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        measured = []
        for kind in options.kinds:
            measured.append(measure(kind, clips, options.peer, work))
            options.out.write_text(table(measured), "utf-8")
            print(table(measured[-1:]), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
