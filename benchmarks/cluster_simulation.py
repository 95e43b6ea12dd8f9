"""How long a cluster takes when machines differ, are slow for a while, or are lost.

    python benchmarks/cluster_simulation.py

Simulates 100 machines that take shards of equal size from a list, one after the other. Machines
differ in speed (a normal distribution of 10 %), one shard in fifty takes three times as long, and
machines are lost: their present shard starts over elsewhere, since a part is whole or absent.
Prints, and writes beside the results, how much longer than by the mean speed of the machines the
whole takes (medians of 20 runs), by the number of shards for each machine.
"""

import argparse
import heapq
import random
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the script runs from a checkout, installed or not

from emotool.files.atomic import atomic_write  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "cluster_simulation.md"

SHARDS = (1, 2, 5, 10, 20, 50)
LOSSES = (0.0, 0.1, 0.5)
_SLOW_SHARE, _SLOW_TIMES = 0.02, 3.0
_RUNS = 20


@dataclass(frozen=True)
class Cluster:
    """What is simulated.

    Parameters
    ----------
    machines : int
    shards : int
        Of each machine, on average.
    losses : float
        Losses of a machine while the whole would take on a cluster without trouble; a lost machine
        is replaced at once.
    """

    machines: int
    shards: int
    losses: float


def overhead(cluster: Cluster, seed: int) -> float:
    """Return how much longer than without trouble the whole takes; 0.1 is a tenth.

    Examples
    --------
    >>> overhead(Cluster(100, 50, 0.0), seed=1) < overhead(Cluster(100, 1, 0.0), seed=1)
    True
    """
    draw = random.Random(seed)
    speeds = [max(0.5, draw.gauss(1.0, 0.1)) for _ in range(cluster.machines)]
    each = 1 / cluster.shards  # time of a shard at speed 1; without trouble the whole takes 1
    free = [(0.0, number) for number in range(cluster.machines)]
    left, end = cluster.machines * cluster.shards, 0.0
    while left:
        now, number = heapq.heappop(free)
        slow = _SLOW_TIMES if draw.random() < _SLOW_SHARE else 1.0
        takes = each * slow / speeds[number]
        lost = draw.expovariate(cluster.losses) if cluster.losses else float("inf")
        if lost < takes:
            heapq.heappush(free, (now + lost, number))  # another machine takes the shard up
            continue
        left -= 1
        end = max(end, now + takes)
        heapq.heappush(free, (now + takes, number))
    return end - 1


def table() -> str:
    """Return the medians as Markdown."""
    header = ["shards for each machine", *(f"{100 * one:.0f} % of machines lost" for one in LOSSES)]
    lines = [header, ["---"] * len(header)]
    for shards in SHARDS:
        cells = [f"{shards}"]
        for losses in LOSSES:
            cluster = Cluster(100, shards, losses)
            some = [overhead(cluster, seed) for seed in range(_RUNS)]
            cells.append(f"+{100 * statistics.median(some):.0f} %")
        lines.append(cells)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate, print and write the table; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    text = table()
    print(text, end="")
    with atomic_write(options.output, text=True) as handle:
        handle.write(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
