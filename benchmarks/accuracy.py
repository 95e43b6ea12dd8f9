"""How accurate the models are: every model, three protocols, on the published folds.

    python benchmarks/accuracy.py train --models cnn --protocols new_speakers --seeds 0 1 2
    python benchmarks/accuracy.py table
    python benchmarks/accuracy.py pictures

``train`` trains one model per fold and seed and keeps what each says of the clips it was not
trained on; what is done is not done again, and an interrupted training goes on where it was.
``table`` makes figures and table from these predictions in seconds, without any corpus.

Each clip is predicted once per protocol and seed. *Another corpus*: by a model that has heard
nothing of the clip's corpus; a linear head's predictions with that corpus's own statistics
half-way are kept beside them. *New speakers*: by a model that has heard
nobody who speaks in it. *Random clips*: by a model that may have heard its speaker saying
other clips; not comparable.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the script runs from a checkout, installed or not

from benchmarks.accuracy_figures import figures_of, pictures  # noqa: E402
from benchmarks.accuracy_store import PROTOCOLS, RESULTS, Job  # noqa: E402
from benchmarks.accuracy_table import markdown  # noqa: E402
from benchmarks.accuracy_training import Places, Wanted, check_recipe, keep, trained  # noqa: E402
from benchmarks.listeners import count_votes  # noqa: E402
from emotool.errors import EmotoolError, TrainingError  # noqa: E402
from emotool.files.atomic import atomic_write  # noqa: E402
from emotool_training.export.figures import recipe_digest  # noqa: E402
from emotool_training.recipes.recipe import load_recipe  # noqa: E402
from emotool_training.splits import fold_numbers  # noqa: E402

SHARED = ROOT.parent / "shared"
MODELS = (
    "autoencoder",
    "cnn",
    "resnet",
    "resnet_ft",
    "whisper",
    "cnn6",
    "resnet_ft6",
    "whisper6",
)
WEIGHTS = {
    "resnet": SHARED / "weights" / "resnet50_imagenet_partial.npz",
    "whisper": SHARED / "weights" / "whisper_base_encoder.npz",
}
"""Files of weights to start from, where they are."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except EmotoolError as error:
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; the same command goes on", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--results", type=Path, default=RESULTS, help="where predictions are kept")
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train", help="train what has not been trained yet")
    train.set_defaults(command=_train)
    train.add_argument("--models", nargs="+", default=list(MODELS), help="recipes")
    train.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=list(PROTOCOLS))
    train.add_argument("--seeds", nargs="+", type=int, default=[0])
    train.add_argument("--fold", nargs="+", type=int, help="only these folds")
    corpus = os.environ.get("EMOTOOL_CORPUS") or SHARED / "corpus"
    train.add_argument("--data", type=Path, default=Path(corpus), help="the corpora's folder")
    train.add_argument("--folds", type=Path, default=SHARED / "folds.csv")
    train.add_argument("--weights", help="what all pretrained networks start from: none or a file")
    train.add_argument("--runs", type=Path, default=Path("runs") / "accuracy")
    train.add_argument("--dry-run", action="store_true", help="only say what is to be done")
    table = commands.add_parser("table", help="make figures and table from what is kept")
    table.set_defaults(command=_table)
    table.add_argument("--votes", type=Path, default=SHARED / "cremad" / "clips.csv")
    drawn = commands.add_parser("pictures", help="draw confusion matrices and calibration")
    drawn.set_defaults(command=_pictures)
    return parser


def _jobs(options: argparse.Namespace) -> Iterator[tuple[Job, Wanted]]:
    """List the jobs asked for, and what to train for each."""
    for model, protocol, seed in product(options.models, options.protocols, options.seeds):
        recipe = load_recipe(model)
        folds = fold_numbers(options.folds, protocol)
        for fold in options.fold or folds:
            wanted = Wanted(model, recipe_digest(recipe), len(folds))
            yield Job(recipe.name, protocol, seed, fold), wanted


def _train(options: argparse.Namespace) -> int:
    """Do the jobs that are not done."""
    jobs = list(_jobs(options))
    local = {name: str(path) for name, path in WEIGHTS.items() if path.is_file()}
    chosen = dict.fromkeys(WEIGHTS, options.weights) if options.weights else local
    places = Places(options.data, options.folds, options.runs, options.results, chosen)
    for number, (job, wanted) in enumerate(jobs, 1):
        name = (
            f"[{number}/{len(jobs)}] {job.model}, {job.protocol}, seed {job.seed}, fold {job.fold}"
        )
        if job.is_done(options.results):
            check_recipe(job, wanted, options.results)
            print(f"{name}: done", file=sys.stderr)
            continue
        print(f"{name}: {'to do' if options.dry_run else 'training'}", file=sys.stderr)
        if not options.dry_run:
            keep(job, trained(job, wanted, places), wanted.folds, options.results)
    return 0


def _models(results: Path) -> list[str]:
    """Name the models there are results of, in the usual order."""
    there = {path.parents[1].name for path in results.glob("*/*/fold*-seed*.json")}
    return [m for m in MODELS if m in there] + sorted(there - set(MODELS))


def _table(options: argparse.Namespace) -> int:
    """Write ``figures.json`` and, beside the folder, the table; print the table."""
    results: Path = options.results
    figures = {model: figures_of(results, model) for model in _models(results)}
    figures = {model: found for model, found in figures.items() if found}
    if not figures:
        raise TrainingError(f"{results} holds no complete cross-validation")
    text = markdown(figures, _listeners(options.votes, results / "listeners.json"))
    with atomic_write(results / "figures.json", text=True) as handle:
        handle.write(json.dumps(figures, indent=1, allow_nan=False) + "\n")
    with atomic_write(results.with_suffix(".md"), text=True) as handle:
        handle.write(text)
    print(text, end="")
    return 0


def _listeners(votes: Path, kept: Path) -> dict[int, float]:
    """Count how often people are right, or take what was counted before."""
    if votes.is_file():
        counted = {2: count_votes(votes, ("happy", "sad")), 6: count_votes(votes)}
        found = {str(n): {"right": c.right, "votes": c.votes} for n, c in counted.items()}
        with atomic_write(kept, text=True) as handle:
            handle.write(json.dumps(found, indent=1) + "\n")
    if not kept.is_file():
        return {}
    found = json.loads(kept.read_text(encoding="utf-8"))
    return {int(n): one["right"] / one["votes"] for n, one in found.items()}


def _pictures(options: argparse.Namespace) -> int:
    """Draw each model's out-of-fold confusion matrix and reliability diagram."""
    for model in _models(options.results):
        for path in pictures(options.results, model):
            print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
