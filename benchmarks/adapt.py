"""What adapting gains on a corpus that was left out, and how long it takes.

    python benchmarks/adapt.py run
    python benchmarks/adapt.py table
    python benchmarks/adapt.py few
    python benchmarks/adapt.py few-table
    python benchmarks/adapt.py timing

``run`` rebuilds the bases of the protocol *another corpus* (`benchmarks/accuracy.py`): their heads
are solved for again; a network that was fine-tuned is that of the run in ``--runs``. It adapts each
to 0, 5, 10, 20, 40 and all clips a label of half of the left-out corpus's speakers, as `emotool
adapt` does, and tests on the other half; 20 draws of speakers and clips. Neither the penalty's
strength nor the draws depend on the speakers that are tested. Finished measurements are kept.
``table`` writes table and picture.

``few`` does the same with 10, 20 and 40 clips of few speakers, each of them in turn: such clips
must not make the model worse for the others. ``few-table`` writes its table.

*As shipped*: the base's statistics. *Own statistics*: half-way those of all recordings of the
adapting speakers, without labels.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the script runs from a checkout, installed or not

from benchmarks.accuracy_store import RESULTS as ACCURACY  # noqa: E402
from benchmarks.adapt_few_speakers import few_speakers, few_speakers_table  # noqa: E402
from benchmarks.adapt_protocol import CORPORA, measure, vectors_of, vectors_without  # noqa: E402
from benchmarks.adapt_table import markdown, picture  # noqa: E402
from benchmarks.adapt_timing import timing  # noqa: E402
from emotool.files.atomic import atomic_write  # noqa: E402
from emotool_training.cache_folder import default_folder  # noqa: E402
from emotool_training.recipes.recipe import load_recipe  # noqa: E402
from emotool_training.tf_setup import load_tensorflow  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
SHARED = ROOT.parent / "shared"
MODELS = ("whisper", "whisper6")
_FEW = "adapt_few_speakers.json"
_RUNS = {"run": ("adapt.json", measure), "few": (_FEW, few_speakers)}
_TABLES = {"table": ("adapt.json", markdown), "few-table": (_FEW, few_speakers_table)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("command", choices=[*_RUNS, *_TABLES, "timing"])
    corpus = os.environ.get("EMOTOOL_CORPUS") or SHARED / "corpus"
    parser.add_argument("--data", type=Path, default=Path(corpus), help="the corpora's folder")
    runs = ROOT / "runs" / "accuracy"
    parser.add_argument("--runs", type=Path, default=runs, help="runs of benchmarks/accuracy.py")
    options = parser.parse_args(arguments)
    if options.command in _RUNS:
        load_tensorflow("benchmarks/adapt.py")
        _run(options.command, options.data, options.runs)
    elif options.command in _TABLES:
        _table(options.command)
    else:
        print(timing(options.data))
    return 0


def _run(command: str, data: Path, runs: Path) -> None:
    """Measure what is not measured yet."""
    name, measured = _RUNS[command]
    kept = RESULTS / name
    found = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    jobs = [(m, c) for m, c in product(MODELS, CORPORA) if c not in found.get(m, {})]
    for model, corpus in jobs:
        print(f"{model}, {corpus} left out", file=sys.stderr)
        if load_recipe(model).fine_tuning is None:
            vectors = vectors_of(data, default_folder())
        else:
            vectors = vectors_without(corpus, model, data, default_folder(), runs)
        found.setdefault(model, {})[corpus] = measured(vectors, model, corpus, ACCURACY)
        with atomic_write(kept, text=True) as handle:
            handle.write(json.dumps(found, indent=1) + "\n")


def _table(command: str) -> None:
    name, written = _TABLES[command]
    found = json.loads((RESULTS / name).read_text(encoding="utf-8"))
    text = written(found)
    with atomic_write((RESULTS / name).with_suffix(".md"), text=True) as handle:
        handle.write(text)
    if command == "table":
        picture(found, ROOT / "docs" / "adapt.png")
    print(text, end="")


if __name__ == "__main__":
    raise SystemExit(main())
