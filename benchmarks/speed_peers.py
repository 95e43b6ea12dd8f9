"""One peer, timed in a process of its own; started by ``speed.py`` with the peers' Python.

    python benchmarks/speed_peers.py KIND --clips clips.json --count 200 --network cnn

Prints one line of JSON: how many clips, wall and processor seconds for all but the first of them,
and when the first was done (s since the epoch). A peer whose library is missing prints
``{"absent": REASON}``.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.speed_peer_kinds import KINDS, Sound

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Time a peer; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("--clips", type=Path, required=True, help="list of clips")
    parser.add_argument("--count", type=int, required=True, help="how many of them")
    parser.add_argument("--network", default="cnn", help="cnn, resnet50, or an .onnx file")
    options = parser.parse_args(arguments)
    entries = json.loads(options.clips.read_text(encoding="utf-8"))
    sounds = [Sound(entry["path"], entry["windows"]) for entry in spread(entries, options.count)]
    try:
        label = KINDS[options.kind](options.network)
    except ImportError as error:
        print(json.dumps({"absent": str(error)}))
        return 0
    label(sounds[:1])
    first = time.time()
    wall, processor = time.perf_counter(), time.process_time()
    labelled = label(sounds[1:])
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    if labelled != len(sounds) - 1:
        print(f"{labelled} answers for {len(sounds) - 1} clips", file=sys.stderr)
        return 1
    facts = {"clips": labelled, "wall_s": wall, "cpu_s": processor, "first_done": first}
    print(json.dumps(facts))
    return 0


def spread(entries: Sequence[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Choose so many entries, evenly."""
    count = min(count, len(entries))
    return [entries[index * len(entries) // count] for index in range(count)]


if __name__ == "__main__":
    raise SystemExit(main())
