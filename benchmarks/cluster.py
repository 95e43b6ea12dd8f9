"""Shards and the Ray engine against the local engine, on one machine.

    python benchmarks/cluster.py [--clips 5000] [--model resnet_ft] [--shards 4] [--repeat 3]

The same clips are classified by one run, by shards one after the other and a merge, and by the
Ray engine on a cluster of its own, in turns. Start-up is left aside: it is the time of the same
commands over 16 clips, and the table has (clips - 16) / (seconds - seconds of start-up). The
medians of the ratios to the local run of the same round are given. The tables must be the same
bytes; if not, the exit code is 1. Targets: shards 0.95, Ray 0.85.
"""

import argparse
import filecmp
import json
import os
import shutil
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the script runs from a checkout, installed or not

from benchmarks.speed import checkout_command, machine  # noqa: E402
from benchmarks.speed_clips import make_clips  # noqa: E402
from benchmarks.speed_process import CommandFailedError, measure  # noqa: E402
from emotool.files.atomic import atomic_write  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "cluster"
FEW = 16
TARGETS = {"local": 1.0, "shards": 0.95, "ray": 0.85}

Round = dict[str, dict[str, float]]  # by way: seconds of start-up, and of all clips


class Ways:
    """The ways to classify the same clips.

    Parameters
    ----------
    folder : Path
        Where lists and tables go.
    model : str
    shards : int
    """

    def __init__(self, folder: Path, model: str, shards: int) -> None:
        self._folder, self._model, self._shards = folder, model, shards

    def seconds(self, way: str, clips: Sequence[str]) -> float:
        """Classify clips in one way; return the seconds that took."""
        shutil.rmtree(self._folder / way, ignore_errors=True)
        (self._folder / way / "parts").mkdir(parents=True)
        (self._folder / way / "list.txt").write_text("\n".join(clips) + "\n", "utf-8")
        if way != "shards":
            engine = [] if way == "local" else ["--engine", "ray"]
            return self._classify(way, "labels.csv", *engine)
        taken = 0.0
        for number in range(1, self._shards + 1):
            shard = ("--shard", f"{number}/{self._shards}")
            taken += self._classify(way, f"parts/{number}.jsonl", *shard)
        merge = [*checkout_command(), "merge", "parts", "-o", "labels.csv", "--quiet"]
        return taken + measure(merge, cwd=self._folder / way).wall_s

    def _classify(self, way: str, output: str, *more: str) -> float:
        command = [*checkout_command(), "classify", "--from", "list.txt", "-m", self._model]
        command += ["-o", output, "--quiet", *more]
        return measure(command, cwd=self._folder / way).wall_s

    def same(self, way: str) -> bool:
        """Return whether a way's table has the bytes of the local run's."""
        local, other = (self._folder / each / "labels.csv" for each in ("local", way))
        return filecmp.cmp(local, other, shallow=False)


def table(about: dict[str, Any], rounds: Sequence[Round]) -> str:
    """Return the figures as a table.

    Parameters
    ----------
    about : dict
        Where and what was measured: ``processor``, ``cores``, ``clips``, ``model``, ``shards``.
    rounds : sequence of dict
        Each with ``start_s`` and ``all_s`` of each way.
    """
    lines = [
        f"{about['clips']:,} clips with `{about['model']}` on {about['cores']} cores of "
        f"{about['processor']}; {about['shards']} shards; medians of {len(rounds)} rounds, "
        "start-up aside. Equal rows in all tables.",
        "",
        "| way | start-up, s | clips/s | of the local engine | target |",
        "|---|---:|---:|---:|---:|",
    ]
    for way, target in TARGETS.items():
        rates = [rate(about, each[way]) for each in rounds]
        ratios = [rate(about, each[way]) / rate(about, each["local"]) for each in rounds]
        start = statistics.median(each[way]["start_s"] for each in rounds)
        ratio = statistics.median(ratios)
        verdict = "" if way == "local" else f"{target}: {'met' if ratio >= target else 'missed'}"
        lines.append(
            f"| {way} | {start:.1f} | {statistics.median(rates):.1f} | {ratio:.2f} | {verdict} |"
        )
    return "\n".join(lines) + "\n"


def rate(about: dict[str, Any], one: dict[str, float]) -> float:
    """Return clips per second, start-up aside."""
    return float((about["clips"] - FEW) / (one["all_s"] - one["start_s"]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and write it; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clips", type=int, default=5_000)
    parser.add_argument("--model", default="resnet_ft")
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("runs") / "speed")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    os.environ["PYTHONPATH"] = str(ROOT)  # for Ray's processes
    clips = [str(Path(clip.path).resolve()) for clip in make_clips(options.folder, options.clips)]
    about = {**machine(), "clips": len(clips), "model": options.model, "shards": options.shards}
    ways = Ways(options.folder.resolve() / "cluster", options.model, options.shards)
    rounds: list[Round] = []
    try:
        for _ in range(options.repeat):
            each: Round = {}
            for way in TARGETS:
                start = ways.seconds(way, clips[:FEW])
                each[way] = {"start_s": start, "all_s": ways.seconds(way, clips)}
                if not ways.same(way):
                    print(f"error: {way}: the rows differ from the local run's", file=sys.stderr)
                    return 1
                print(f"{way}: {each[way]}", file=sys.stderr)
            rounds.append(each)
    except CommandFailedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    text = table(about, rounds)
    with atomic_write(options.output.with_suffix(".md"), text=True) as handle:
        handle.write(text)
    with atomic_write(options.output.with_suffix(".json"), text=True) as handle:
        handle.write(json.dumps({"about": about, "rounds": rounds}, indent=1) + "\n")
    print(text, end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
