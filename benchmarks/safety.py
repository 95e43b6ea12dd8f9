"""What the safety of a run costs: worker processes for a single clip, and the journal.

    python benchmarks/safety.py PATHS... [--model cnn] [--repeat 5]

Prints how long a worker takes to start beside what the parent does meanwhile, what a row of the
journal costs, and how fast a folder is classified with a journal and without (into a file, and to
``/dev/null``), in turns, as medians.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROWS = 20_000


def median_seconds(work: Callable[[], object], repeat: int) -> float:
    """Return the median wall time of some work; the first time is not counted."""
    times = []
    for _ in range(repeat + 1):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def start_worker() -> None:
    """Start a worker and wait until it has loaded what it needs."""
    from emotool.workers.process import WorkerProcess, worker_command

    worker = WorkerProcess(worker_command(), None)
    worker.receive()
    worker.reap()


def load_model(model: str) -> Callable[[], object]:
    """Return what loads ONNX Runtime and a model in a new process."""
    code = (
        f"from emotool.model.classifier import load_classifier; load_classifier({model!r}, 'cpu')"
    )
    return lambda: subprocess.run([sys.executable, "-c", code], check=True)


def row_microseconds(folder: Path) -> float:
    """Return the processor time of a row in the journal, in µs."""
    from emotool.results.row import ClipResult
    from emotool.run.journal import Journal

    start = time.process_time()
    with Journal(folder / "labels.csv", {}) as journal:
        for index in range(ROWS):
            probabilities = (1 / 3, 2 / 3)
            row = ClipResult(index, "", "ok", "cnn", "sad", 2 / 3, probabilities, 2.5)
            journal.record(row, f"{index * 7919 % 20_011:064x}")
    return (time.process_time() - start) / ROWS * 1e6


def rates(paths: Sequence[str], model: str, repeat: int, folder: Path) -> dict[str, float]:
    """Return clips/s with a journal and without, measured in turns, start-up included."""
    from emotool.run.batch import run
    from emotool.run.options import Output, RunOptions

    outputs = {
        "with a journal": Output(str(folder / "labels.csv")),
        "without": Output(os.devnull, ".csv"),
    }
    found: dict[str, list[float]] = {name: [] for name in outputs}
    for _ in range(repeat):
        for name, output in outputs.items():
            summary = run(RunOptions(paths, [output], model=model, device="cpu"))
            found[name].append(summary.clips / summary.seconds)
    return {name: statistics.median(values) for name, values in found.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="+", help="clips to classify")
    parser.add_argument("--model", default="cnn", help="a model's name or file (default cnn)")
    parser.add_argument("--repeat", type=int, default=5, help="measurements of each (default 5)")
    options = parser.parse_args(arguments)
    worker = median_seconds(start_worker, options.repeat)
    model = median_seconds(load_model(options.model), options.repeat)
    print(f"| a worker starts in | {worker:.2f} s |\n|---|---|")
    print(f"| the model is loaded in | {model:.2f} s |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"| a row in the journal | {row_microseconds(folder):.0f} µs |")
        rate = rates(options.paths, options.model, options.repeat, folder)
    for kind, value in rate.items():
        print(f"| {kind} | {value:.0f} clips/s |")
    cost = 1 - rate["with a journal"] / rate["without"]
    print(f"| the journal costs | {100 * cost:.1f} % |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
