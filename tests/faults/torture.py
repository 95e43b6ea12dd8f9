"""The long version of the tests of faults: `make torture`.

1. Runs over thousands of clips are killed with SIGKILL at random moments (the process, its whole
   group, or a worker) and resumed until they are through: rows equal inputs, no clip twice, bytes
   equal those of an undisturbed run.
2. Thousands of mutated audio files of every format, and of those that PyAV reads, are classified.
3. What the journal costs: the same clips with it and, to a device, without it, in turns.
4. Objects of a store are classified through a proxy that fails, while runs are killed.

    python -m tests.faults.torture [--rounds 20] [--kills 20] [--clips 5000] [--mutants 10000]
        [--containers 3000] [--objects 10000]

It uses exported/cnn.onnx, or a tiny model where there is none. Exit code 1 if anything is amiss.
"""

import argparse
import csv
import os
import random
import resource
import shutil
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from emotool.files.lock import beside
from tests.containers import sources
from tests.emotool.tiny_models import write_tiny_model
from tests.faults.fault import ROOT, command, environment
from tests.faults.fuzz import fuzz
from tests.faults.store_torture import torture_store
from tests.synthesis import vowel, write_clip

__all__ = ["Killed", "Workshop", "journal_rows", "killed_round", "main"]

VOICES = 50  # different sounds; the rest are hard links to them


@dataclass(frozen=True)
class Workshop:
    """Where runs are tortured.

    Parameters
    ----------
    folder : Path
        Holds ``clips/``.
    model : Path
        The model.
    clips : int
        How many clips there are.
    undisturbed : bytes
        The table of a run that nobody disturbed.
    seconds : float
        How long that run took.
    """

    folder: Path
    model: Path
    clips: int
    undisturbed: bytes
    seconds: float

    def command(self, *arguments: str) -> list[str]:
        """Return the command of a run over the clips."""
        return command("clips", "-m", str(self.model), "-q", *arguments)

    def run(self, *arguments: str) -> float:
        """Run to the end; return the seconds that took."""
        began = time.monotonic()
        subprocess.run(
            self.command(*arguments), cwd=self.folder, env=environment(), check=True, timeout=7200
        )
        return time.monotonic() - began


def workshop(folder: Path, model: Path, clips: int) -> Workshop:
    """Make clips and classify them undisturbed."""
    draw = random.Random(0)
    sources = [
        write_clip(
            folder / "voices" / f"{index}.wav", vowel(draw.uniform(90, 260), draw.uniform(0.4, 2.5))
        )
        for index in range(VOICES)
    ]
    (folder / "clips").mkdir()
    for index in range(clips):
        (folder / "clips" / f"{index:06}.wav").hardlink_to(sources[index % VOICES])
    bare = Workshop(folder, model, clips, b"", 0.0)
    seconds = bare.run("-o", "undisturbed.csv")
    undisturbed = (folder / "undisturbed.csv").read_bytes()
    return Workshop(folder, model, clips, undisturbed, seconds)


@dataclass(frozen=True)
class Killed:
    """What a round of kills gave.

    Attributes
    ----------
    done : list of int
        Clips in the journal after each kill that left one.
    faults : list of str
        What should not have come.
    """

    done: list[int]
    faults: list[str]


def killed_round(shop: Workshop, kills: int, seed: int) -> Killed:
    """Kill a run again and again, then let it end and compare."""
    draw = random.Random(seed)
    target = shop.folder / "killed.csv"
    target.unlink(missing_ok=True)
    done: list[int] = []
    faults: list[str] = []
    for _ in range(kills):
        moment = draw.uniform(0.0, max(2.0, 1.2 * shop.seconds))
        victim = draw.choice(("process", "group", "group", "worker"))
        _kill(shop, target, moment, victim)
        if target.exists():  # the run was through, or the kill came between table and exit
            faults += _compare(shop, target)
            target.unlink(missing_ok=True)
            done.append(0)
            continue
        rows = journal_rows(target)
        if done and rows < done[-1]:
            faults.append(f"{done[-1]} clips were done, {rows} after the next kill")
        done.append(rows)
    shop.run("-o", target.name)
    faults += _compare(shop, target)
    if left := [path.name for path in shop.folder.iterdir() if path.name.startswith(".")]:
        faults.append(f"left behind: {left}")
    return Killed(done, faults)


def _kill(shop: Workshop, target: Path, moment: float, victim: str) -> None:
    """Start a run and kill it after ``moment`` seconds, if it is not over by then."""
    arguments = shop.command("-o", target.name)
    with subprocess.Popen(
        arguments, cwd=shop.folder, env=environment(), start_new_session=True
    ) as run:
        end = time.monotonic() + moment
        while run.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
            if victim == "worker" and time.monotonic() > end - moment / 2:
                _kill_children(run.pid)  # half-way, and once
                victim = "process"
        if run.poll() is None and victim == "group":
            os.killpg(run.pid, signal.SIGKILL)
        run.kill()
    _wait_for_group(run.pid)


def _kill_children(pid: int) -> None:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children[:1]:
        try:
            os.kill(int(child), signal.SIGKILL)
        except ProcessLookupError:
            continue


def _wait_for_group(number: int) -> None:
    """Wait until orphaned workers have noticed that they are orphans."""
    for _ in range(1_000):
        try:
            os.killpg(number, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    raise SystemExit("workers outlive their parent")


def journal_rows(target: Path) -> int:
    """Count the clips in a killed run's journal, in a copy of it."""
    journal = beside(target, "journal")
    with tempfile.TemporaryDirectory() as copies:
        for path in target.parent.glob(f"{journal.name}*"):
            shutil.copy(path, copies)
        copy = Path(copies) / journal.name
        if not copy.exists():
            return 0
        with closing(sqlite3.connect(copy)) as database:
            try:
                return int(database.execute("SELECT count(*) FROM results").fetchone()[0])
            except sqlite3.OperationalError:  # killed before it had tables
                return 0


def _compare(shop: Workshop, target: Path) -> Iterator[str]:
    """Yield what is wrong with a finished table."""
    content = target.read_bytes()
    if content != shop.undisturbed:
        yield "the bytes differ from those of an undisturbed run"
    paths = [row["path"] for row in csv.DictReader(content.decode().splitlines())]
    if len(paths) != shop.clips:
        yield f"{len(paths)} rows for {shop.clips} clips"
    if len(set(paths)) != len(paths):
        yield "clips have two rows"


def journal_cost(shop: Workshop, pairs: int) -> tuple[float, float]:
    """Return the medians over pairs of runs of what the journal adds, as shares.

    Of the time by the clock, and of the processors' time. The runs without it write to a device,
    which has no journal, and so save the table's own way to the disk as well.
    """
    clock, processor = [], []
    for pair in range(pairs):
        figures: dict[str, tuple[float, float]] = {}
        ways = {"with": ("-o", "cost.csv"), "without": ("-o", os.devnull, "--format", "csv")}
        for name in sorted(ways, reverse=bool(pair % 2)):
            before = _processor_seconds()
            seconds = shop.run(*ways[name])
            figures[name] = seconds, _processor_seconds() - before
        clock.append(figures["with"][0] / figures["without"][0] - 1)
        processor.append(figures["with"][1] / figures["without"][1] - 1)
    return statistics.median(clock), statistics.median(processor)


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _torture_runs(shop: Workshop, rounds: int, kills: int, seed: int) -> bool:
    good = True
    for number in range(rounds):
        began = time.monotonic()
        killed = killed_round(shop, kills, seed + number)
        seconds = time.monotonic() - began
        verdict = "; ".join(killed.faults) or "same bytes"
        _say(
            f"round {number + 1:2} of {rounds}: {kills} kills, "
            f"up to {max(killed.done, default=0)} clips done at one, {seconds:.0f} s: {verdict}"
        )
        good = good and not killed.faults
    return good


def _torture_fuzz(
    folder: Path, model: Path, mutants: int, seed: int, sources: Sequence[tuple[str, bytes]] = ()
) -> bool:
    folder.mkdir()
    verdict = fuzz(folder, model, mutants, seed, sources)
    statuses = ", ".join(f"{count} {status}" for status, count in verdict.statuses.most_common())
    _say(f"{mutants} mutants among {verdict.files} files, {verdict.seconds:.0f} s: {statuses}")
    for reason, count in verdict.reasons.most_common(8):
        _say(f"  {count:6} {reason}")
    for fault in verdict.faults:
        _say(f"  FAULT: {fault}")
    return not verdict.faults


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=20, help="rounds of kills")
    parser.add_argument("--kills", type=int, default=20, help="kills in each round")
    parser.add_argument("--clips", type=int, default=5_000, help="clips in each round")
    parser.add_argument("--mutants", type=int, default=10_000, help="mutated files")
    parser.add_argument("--containers", type=int, default=3_000, help="mutated m4a, webm, …")
    parser.add_argument("--objects", type=int, default=10_000, help="objects of a store")
    parser.add_argument("--pairs", type=int, default=7, help="pairs of runs for the journal's cost")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", type=Path, help="default: exported/cnn.onnx, else a tiny model")
    return parser.parse_args()


def main() -> int:
    """Torture, and say what came of it."""
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        model = options.model or ROOT / "exported" / "cnn.onnx"
        if not model.is_file():
            model = write_tiny_model(folder / "tiny.onnx")
        _say(f"model: {model.stem}; seed: {options.seed}")
        good = not options.mutants or _torture_fuzz(
            folder / "fuzz", model.resolve(), options.mutants, options.seed
        )
        if options.containers:
            good &= _torture_fuzz(
                folder / "containers",
                model.resolve(),
                options.containers,
                options.seed,
                list(sources()),
            )
        if options.rounds or options.pairs or options.objects:
            shop = workshop(folder, model.resolve(), options.clips)
            _say(f"{shop.clips} clips undisturbed: {shop.seconds:.1f} s")
            good = _torture_runs(shop, options.rounds, options.kills, options.seed) and good
        if options.objects:
            faults = torture_store(folder, model.resolve(), options.objects, options.seed)
            _say(f"{options.objects} objects of a store: {'; '.join(faults) or 'same bytes'}")
            good = good and not faults
        if options.pairs:
            clock, processor = journal_cost(shop, options.pairs)
            _say(
                f"the journal adds {100 * clock:+.1f} % by the clock and {100 * processor:+.1f} % "
                f"of processor time (medians of {options.pairs} pairs)"
            )
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
