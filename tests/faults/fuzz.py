"""Classify a folder of mutants by the command line and see that nothing worse than rows comes."""

import csv
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.fault import emotool, nothing_else
from tests.faults.mutants import good_names, write_mutants

__all__ = ["Verdict", "fuzz"]

# How the worker reports an exception that no code of ours had foreseen.
_UNFORESEEN = re.compile(r"decode: [A-Z]\w*(Error|Exception|Warning)\b")


@dataclass(frozen=True)
class Verdict:
    """What a run over mutants gave.

    Attributes
    ----------
    files : int
        How many there were, the good ones among them.
    seconds : float
        How long it took.
    statuses : Counter of str
        Rows by status.
    reasons : Counter of str
        Failed rows by the beginning of their reason.
    faults : list of str
        What should not have come: empty if all is well.
    """

    files: int
    seconds: float
    statuses: "Counter[str]"
    reasons: "Counter[str]"
    faults: list[str]


def fuzz(
    folder: Path, model: Path, count: int, seed: int, sources: Sequence[tuple[str, bytes]] = ()
) -> Verdict:
    """Write mutants into ``folder/mutants``, classify them, and compare the good ones."""
    files = write_mutants(folder / "mutants", count, seed, sources)
    good = [f"mutants/{name}" for name in good_names(folder / "mutants")]
    options = ("-m", str(model), "-q", "--timeout", "60")
    began = time.monotonic()
    done = emotool(folder, "mutants", "-o", "mutants.csv", *options, timeout=3600)
    seconds = time.monotonic() - began
    alone = emotool(folder, *good, "-o", "good.csv", *options)
    faults = []
    if done.returncode != 3 or alone.returncode != 0:
        faults.append(f"exit codes {done.returncode} and {alone.returncode}")
    if not nothing_else(done.stderr) or alone.stderr:
        faults.append(f"standard error: {done.stderr}{alone.stderr}")
    rows = _rows(folder / "mutants.csv")
    faults += [
        f"{path} has {n} rows" for path, n in Counter(r["path"] for r in rows).items() if n > 1
    ]
    if len(rows) != files:
        faults.append(f"{len(rows)} rows for {files} files")
    for row in rows:
        if row["error"].startswith(("crash", "timeout")) or _UNFORESEEN.match(row["error"]):
            faults.append(f"{row['path']}: {row['error']}")
    among = [row for row in rows if row["path"] in set(good)]
    if among != _rows(folder / "good.csv") or {row["status"] for row in among} != {"ok"}:
        faults.append("good clips are labelled differently alone and among the others")
    reasons = Counter(row["error"].split(" (")[0][:60] for row in rows if row["status"] == "failed")
    return Verdict(files, seconds, Counter(row["status"] for row in rows), reasons, faults)


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))
