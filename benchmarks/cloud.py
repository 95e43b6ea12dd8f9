"""Object storage on loopback: how fast buckets are listed and read, and what a large plan takes.

    python benchmarks/cloud.py [--keys 10000 1000000 10000000] [--clips 2000] [--model cnn]

1. ``emotool plan`` of made-up buckets of so many keys: keys a second, and the peak memory.
2. ``emotool classify`` of the same clips from a folder and from the store, which answers at once
   or after 30 ms, as a store in the same region does: clips a second, start-up included.
3. The same from the store with 1, 2 and 4 workers.

The store is `loopback_store.py`, in a process of its own on the same cores: what it takes is
missing from what is measured.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the script runs from a checkout, installed or not

from benchmarks.speed import checkout_command, machine  # noqa: E402
from benchmarks.speed_clips import make_clips  # noqa: E402
from benchmarks.speed_process import CommandFailedError, Measured, measure  # noqa: E402
from emotool.files.atomic import atomic_write  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "cloud"

_DELAYS = (0.0, 0.03)
_WORKERS = (1, 2, 4)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the tables; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keys", type=int, nargs="+", default=[10_000, 1_000_000, 10_000_000])
    parser.add_argument("--clips", type=int, default=2_000)
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "speed")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    clips = Path(make_clips(options.folder, options.clips)[0].path).parent.resolve()
    try:
        figures = {
            "conditions": {**machine(), "clips": options.clips, "model": options.model},
            "plans": [_plan(keys) for keys in options.keys],
            "classify": _classify(clips, options),
        }
    except CommandFailedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    text = table(figures)
    print(text)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(options.output.with_suffix(".json"), text=True) as handle:
        handle.write(json.dumps(figures, indent=1) + "\n")
    with atomic_write(options.output.with_suffix(".md"), text=True) as handle:
        handle.write(text)
    return 0


@contextlib.contextmanager
def _store(keys: int, delay: float = 0.0, sounds: Path | None = None) -> Iterator[None]:
    """Run a store, and let commands find it, until the block ends."""
    command = [sys.executable, str(ROOT / "benchmarks" / "loopback_store.py")]
    command += ["--keys", str(keys), "--delay", str(delay)]
    command += ["--sounds", str(sounds)] if sounds else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        port = server.stdout.readline().strip() if server.stdout else ""
        os.environ.update(AWS_ENDPOINT=f"http://127.0.0.1:{port}", AWS_SKIP_SIGNATURE="true")
        try:
            yield
        finally:
            server.kill()


def _plan(keys: int) -> dict[str, float]:
    """Plan a bucket of so many keys."""
    with _store(keys), tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "plan.parquet"
        command = [*checkout_command(), "plan", "s3://bucket", "-o", str(target)]
        done = measure(command, watch=True)
        size = target.stat().st_size
    print(f"{keys:,} keys: {done.wall_s:.1f} s, {done.peak_mib:.0f} MiB", file=sys.stderr)
    return {"keys": keys, "wall_s": done.wall_s, "peak_mib": done.peak_mib, "mb": size / 1e6}


def _classify(clips: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Classify the same clips from a folder and from the store, in turns."""
    cases: dict[str, tuple[str, float, int]] = {"folder": (str(clips), 0.0, 0)}
    for delay in _DELAYS:
        cases[f"store, {1e3 * delay:.0f} ms"] = ("s3://bucket", delay, 0)
    for workers in _WORKERS:
        name = f"store, {1e3 * delay:.0f} ms, {workers} worker{'s' * (workers > 1)}"
        cases[name] = ("s3://bucket", delay, workers)
    runs: dict[str, list[Measured]] = {name: [] for name in cases}
    for number in range(options.repeat + 1):  # the first of each is not counted
        for name, (source, delay, workers) in cases.items():
            with contextlib.ExitStack() as stack:
                if source.startswith("s3://"):
                    stack.enter_context(_store(options.clips, delay, clips))
                command = [*checkout_command(), "classify", source, "-m", options.model, "-q"]
                command += ["-o", os.devnull, "--format", "csv", "--workers", str(workers)]
                done = measure(command, watch=True)
            if number:
                runs[name].append(done)
    return [
        {
            "source": name,
            "clips_per_s": options.clips / statistics.median(each.wall_s for each in some),
            "cpu_s": statistics.median(each.cpu_s for each in some),
            "peak_mib": max(each.peak_mib for each in some),
        }
        for name, some in runs.items()
    ]


def table(figures: dict[str, Any]) -> str:
    """Write the figures as Markdown."""
    about = figures["conditions"]
    lines = [
        f"{about['processor']}, {about['cores']} cores, Python {about['python']}; the store runs "
        f"on the same cores. {about['clips']:,} clips, `{about['model']}`; start-up included.",
        "",
        "| `emotool plan`, keys | s | keys/s | peak memory, MiB (PSS) | plan, MB |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {one['keys']:,} | {one['wall_s']:.1f} | {one['keys'] / one['wall_s']:,.0f} "
        f"| {one['peak_mib']:.0f} | {one['mb']:.1f} |"
        for one in figures["plans"]
    ]
    lines += [
        "",
        "| `emotool classify` from a | clips/s | processor s | peak memory, MiB (PSS) |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {one['source']} | {one['clips_per_s']:.0f} | {one['cpu_s']:.1f} "
        f"| {one['peak_mib']:.0f} |"
        for one in figures["classify"]
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
