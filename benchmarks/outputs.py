"""What each output costs beside CSV alone: formats, embeddings, the report.

    python benchmarks/outputs.py [--clips 1000] [--repeat 7] [--model cnn] [--minutes 4]

The same folder is classified in turns: CSV alone, then with something more, and so on. Each run
with something more is compared with the mean of the runs of CSV alone before and behind it, so
that a machine whose pace drifts favours neither; the table has medians of these differences.
The clips are copies from the corpus, or synthesised where there is none (`speed_clips.py`).
Each measurement is kept at once: an interrupted run goes on where it was.
"""

import argparse
import json
import random
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the script runs from a checkout, installed or not

from benchmarks.speed import checkout_command, code, machine  # noqa: E402
from benchmarks.speed_clips import make_clips  # noqa: E402
from benchmarks.speed_process import CommandFailedError, Measured, measure  # noqa: E402
from emotool.files.atomic import atomic_write  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "outputs"

TABLES = ("a.tsv", "a.json", "a.jsonl", "a.xlsx", "a.parquet")
CASES: dict[str, tuple[str, ...]] = {
    "all tables": tuple(word for name in TABLES for word in ("-o", name)),
    "XLSX": ("-o", "a.xlsx"),
    "Parquet": ("-o", "a.parquet"),
    "JSON": ("-o", "a.json"),
    "embeddings, .npz": ("--embeddings", "e.npz"),
    "embeddings, .parquet": ("--embeddings", "e.parquet"),
    "segments": ("--segments",),
    "report": ("-o", "a.html"),
}
"""Options beside ``-o a.csv``."""

_MOST_SHARE, _MOST_S = 0.10, 0.6  # what all tables may cost together
_MOST_REPORT_MS = 40  # a clip

Figures = dict[str, list[dict[str, float]]]  # by case, one entry a round


class Runs:
    """Runs of one command on one folder, in an empty folder each.

    Parameters
    ----------
    command : sequence of str
        ``emotool classify`` with clips and model.
    folder : Path
        Where to run it; emptied before each run.
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command = [*command, "-o", "a.csv"]
        self._folder = folder

    def once(self, more: Sequence[str] = ()) -> Measured:
        """Run it once, with more options."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        return measure([*self._command, *more], cwd=self._folder)

    def size(self) -> int:
        """Return the bytes of all that the last run has written."""
        return sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file())


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing and print the table; return the exit code."""
    options = _parser().parse_args(arguments)
    clips = make_clips(options.folder, options.clips)
    sounds = str(Path(clips[0].path).parent.resolve())
    command = [*checkout_command(), "classify", sounds, "-m", options.model, "--quiet"]
    about = {**machine(), "clips": len(clips), "model": options.model, "repeat": options.repeat}
    about["code"] = code()
    kept = options.folder / "outputs.json"
    figures = _read(kept, about)
    try:
        complete = _measure(
            Runs(command, options.folder / "outputs"),
            options,
            figures,
            lambda: _write(kept, about, figures),
        )
    except CommandFailedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    text = table(about, figures)
    print(text)
    if complete:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        _write(options.output.with_suffix(".json"), about, figures)
        with atomic_write(options.output.with_suffix(".md"), text=True) as handle:
            handle.write(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="then stop for now")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name begins so")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "speed")
    parser.add_argument("--output", type=Path, default=RESULTS)
    return parser


def _measure(
    runs: Runs, options: argparse.Namespace, figures: Figures, keep: Callable[[], None]
) -> bool:
    """Run what is missing, each between two runs of CSV alone; say whether everything is there."""
    until = time.monotonic() + 60 * options.minutes
    runs.once()  # files into the system's cache, modules compiled
    before = runs.once()
    for number in range(options.repeat):
        # In another order each round: no case shall always come behind the same other.
        for name, more in random.Random(number).sample(sorted(CASES.items()), len(CASES)):
            done = figures.setdefault(name, [])
            if len(done) > number or not name.startswith(options.only):
                continue
            if time.monotonic() > until:
                return False
            case, size = runs.once(more), runs.size()
            after = runs.once()
            plain = (before.wall_s + after.wall_s) / 2
            done.append(
                {
                    "csv_s": plain,
                    "more_s": case.wall_s - plain,
                    "more_cpu_s": case.cpu_s - (before.cpu_s + after.cpu_s) / 2,
                    "mb": (size - runs.size()) / 1e6,
                }
            )
            keep()
            print(f"{number + 1}/{options.repeat} {name}: {done[-1]}", file=sys.stderr)
            before = after
    return all(len(done) >= options.repeat for done in figures.values())


def _read(path: Path, about: dict[str, Any]) -> Figures:
    """Read measurements of the same code, model and machine."""
    if not path.is_file():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    figures: Figures = found["rounds"] if found["conditions"] == about else {}
    return figures


def _write(path: Path, about: dict[str, Any], figures: Figures) -> None:
    with atomic_write(path, text=True) as handle:
        handle.write(json.dumps({"conditions": about, "rounds": figures}, indent=1) + "\n")


def table(about: dict[str, Any], figures: Figures) -> str:
    """Write the figures as Markdown.

    Parameters
    ----------
    about : dict
        The machine, and what was measured.
    figures : dict
        By case, one entry a round.
    """
    plain = statistics.median(one["csv_s"] for rounds in figures.values() for one in rounds)
    lines = [
        f"{about['processor']}, {about['cores']} cores, Python {about['python']}; "
        f"{about['clips']:,} clips, `{about['model']}`; CSV alone takes {plain:.2f} s; medians of "
        f"{about['repeat']} differences from it.",
        "",
        "| beside CSV | s more | of CSV alone | processor s more | ms a clip | MB | target |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in CASES:
        rounds = figures.get(name)
        if not rounds:
            continue
        more, cpu, mb = (
            statistics.median(one[key] for one in rounds) for key in ("more_s", "more_cpu_s", "mb")
        )
        each = 1e3 * more / about["clips"]
        lines.append(
            f"| {name} | {more:.2f} | {more / plain:.0%} | {cpu:.2f} | {each:.1f} | {mb:.1f} | "
            f"{_verdict(name, more, plain, each)} |"
        )
    return "\n".join(lines) + "\n"


def _verdict(name: str, more: float, plain: float, each: float) -> str:
    if name == "report":
        return f"{_MOST_REPORT_MS} ms a clip: {'met' if each <= _MOST_REPORT_MS else 'missed'}"
    if name == "all tables":
        most = _MOST_SHARE * plain + _MOST_S
        return f"10 % and 0.6 s, {most:.2f} s: {'met' if more <= most else 'missed'}"
    return ""


if __name__ == "__main__":
    raise SystemExit(main())
