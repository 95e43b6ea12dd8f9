"""Memory and speed from a hundred clips to a hundred thousand: a table and a plot.

    python benchmarks/speed_growth.py [--model cnn] [--emotool PATH] [--counts 100 1000 ...]

Folders are hard links to the clips of ``benchmarks/speed.py``. Each size is classified several
times, the largest once; figures are medians. Start-up (until one clip is done) is taken off the
time. Sizes that have been measured are not measured again (``--restart`` does).
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the script runs from a checkout, installed or not

from benchmarks.speed import checkout_command, code, machine  # noqa: E402
from benchmarks.speed_clips import make_clips, make_links  # noqa: E402
from benchmarks.speed_process import Measured, measure  # noqa: E402
from emotool.files.atomic import atomic_write  # noqa: E402

COUNTS = (100, 1_000, 10_000, 100_000)
RESULTS = ROOT / "benchmarks" / "results" / "speed_growth"
PICTURE = ROOT / "docs" / "speed_growth.png"
_CLIPS_IN_ALL = 10_000  # sizes are repeated until about so many are done, five times at most
_MOST_REPEATS = 5

Figures = dict[str, float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and draw; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--counts", nargs="+", type=int, default=COUNTS)
    parser.add_argument("--clips", type=int, default=2000, help="different ones (default 2000)")
    parser.add_argument("--emotool", default="", metavar="PATH", help="an installed emotool")
    parser.add_argument("--restart", action="store_true", help="forget earlier measurements")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "speed")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args(arguments)
    clips = make_clips(options.folder, options.clips)
    emotool = [options.emotool] if options.emotool else checkout_command()
    target = options.output.with_suffix(".json")
    target.parent.mkdir(parents=True, exist_ok=True)
    about = {**machine(), "model": options.model, "clips": options.clips, "code": code()}
    done: dict[str, Figures] = {}
    if target.is_file() and not options.restart:
        found = json.loads(target.read_text(encoding="utf-8"))
        # Figures of other code or of another machine are no part of the same table.
        done = found["sizes"] if found["conditions"] == about else {}
    for count in options.counts:
        if str(count) not in done:
            folder = make_links(clips, options.folder, count)
            done[str(count)] = _measured([*emotool, "classify", "-m", options.model], folder, count)
            _write(target, json.dumps({"conditions": about, "sizes": done}, indent=1) + "\n")
            print(f"{count:,}: {done[str(count)]}", file=sys.stderr)
    text = table(done)
    print(text, end="")
    _write(options.output.with_suffix(".md"), text)
    _draw(done, options.picture)
    return 0


def _measured(command: Sequence[str], folder: Path, count: int) -> Figures:
    """Classify a folder several times, and its first clip as often."""
    repeats = max(1, min(_MOST_REPEATS, _CLIPS_IN_ALL // count))
    first = min(folder.iterdir())
    starts = [_run(command, first).wall_s for _ in range(_MOST_REPEATS)]
    runs = [_run(command, folder, watch=True) for _ in range(repeats)]
    seconds = statistics.median(run.wall_s for run in runs) - statistics.median(starts)
    return {
        "clips_s": (count - 1) / seconds,
        "peak_mib": max(run.peak_mib for run in runs),
        "runs": repeats,
    }


def _run(command: Sequence[str], path: Path, *, watch: bool = False) -> Measured:
    with tempfile.TemporaryDirectory() as name:
        output = str(Path(name) / "labels.csv")
        return measure([*command, str(path), "-o", output, "-q"], cwd=Path(name), watch=watch)


def table(done: dict[str, Figures]) -> str:
    """Write the figures as Markdown.

    Examples
    --------
    >>> print(table({"100": {"clips_s": 512.3, "peak_mib": 301.6, "runs": 5}}), end="")
    | clips | clips/s after start-up | peak memory, MiB (PSS) | runs |
    | --- | --- | --- | --- |
    | 100 | 512 | 302 | 5 |
    """
    lines = [["clips", "clips/s after start-up", "peak memory, MiB (PSS)", "runs"], ["---"] * 4]
    for count, found in sorted(done.items(), key=lambda item: int(item[0])):
        numbers = [f"{found[name]:,.0f}" for name in ("clips_s", "peak_mib", "runs")]
        lines.append([f"{int(count):,}", *numbers])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _draw(done: dict[str, Figures], path: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    counts = sorted(map(int, done))
    figure, axes = pyplot.subplots(1, 2, figsize=(8, 3), layout="constrained")
    for axis, name, title in (
        (axes[0], "clips_s", "clips/s after start-up"),
        (axes[1], "peak_mib", "peak memory of all processes, MiB"),
    ):
        axis.semilogx(counts, [done[str(count)][name] for count in counts], "o-")
        axis.set(title=title, xlabel="clips", ylim=(0, None))
        axis.grid(alpha=0.3)
    # Without the version in it, the same figures are the same bytes.
    figure.savefig(path, dpi=120, metadata={"Software": None})


def _write(path: Path, text: str) -> None:
    with atomic_write(path, text=True) as handle:
        handle.write(text)


if __name__ == "__main__":
    raise SystemExit(main())
