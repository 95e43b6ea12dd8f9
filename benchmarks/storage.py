"""What smaller model files cost: the folds' models stored in every form, on all test clips.

    python benchmarks/storage.py cnn resnet_ft --forms float16 int8

Takes the runs that ``benchmarks/accuracy.py train`` has left, exports each fold's model in each
form as ``emotool export`` does (ranges of int8 from validation clips), and lets it label the
clips the fold tests, by the pipeline of ``classify``. Prints a table and writes it beside the
results: what a form loses against float32, out of fold, over all clips.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the script runs from a checkout, installed or not

from emotool.errors import EmotoolError, TrainingError  # noqa: E402
from emotool.files.atomic import atomic_write  # noqa: E402
from emotool.model.classifier import load_classifier  # noqa: E402
from emotool_training.corpora import Utterance, load_corpora  # noqa: E402
from emotool_training.evaluation.evaluate import evaluate  # noqa: E402
from emotool_training.evaluation.predictions import Predictions, concatenate  # noqa: E402
from emotool_training.evaluation.scores import score  # noqa: E402
from emotool_training.export.export import STORAGES, Storage, export_model  # noqa: E402
from emotool_training.export.parity import real_windows  # noqa: E402
from emotool_training.export.source import held_out_clips, source_of  # noqa: E402
from emotool_training.runs.folder import Run, find_runs  # noqa: E402
from emotool_training.tf_setup import load_tensorflow  # noqa: E402

RESULTS = Path(__file__).resolve().parent / "results" / "storage.md"


@dataclass(frozen=True, eq=False)
class Stored:
    """A model's folds in one form.

    Parameters
    ----------
    predictions : Predictions
        Of all test clips.
    megabytes : float
        Of the largest file.
    """

    predictions: Predictions
    megabytes: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("models", nargs="+", help="names of models")
    parser.add_argument("--forms", nargs="+", choices=list(STORAGES), default=["float16", "int8"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=Path, default=Path("runs") / "accuracy")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    try:
        load_tensorflow("benchmarks/storage.py")
        rows = [row for model in options.models for row in _rows(model, options)]
    except EmotoolError as error:
        print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_code
    text = _table(rows)
    with atomic_write(options.output, text=True) as handle:
        handle.write(text)
    print(text, end="")
    return 0


def _rows(model: str, options: argparse.Namespace) -> list[list[str]]:
    """Measure one model in every form."""
    newest: dict[str, Run] = {}  # by fold: a recipe may have changed since the first
    for root in options.runs.glob(f"new_speakers-fold*-seed{options.seed}-*"):
        for run in find_runs(root, model, finished=True):
            fold = root.name.rpartition("-")[0]
            newest[fold] = max(newest.get(fold, run), run, key=lambda one: one.folder.name)
    runs = [newest[fold] for fold in sorted(newest)]
    if not runs:
        raise TrainingError(
            f"there is no finished run of {model} in {options.runs}",
            hint=f"python benchmarks/accuracy.py train --models {model} --protocols new_speakers",
        )
    plain = _stored(runs, "float32")
    rows = [_row(f"`{model}`", len(runs), "float32", plain, plain)]
    for form in options.forms:
        if form != "float32":
            rows.append(_row(f"`{model}`", len(runs), form, _stored(runs, form), plain))
    return rows


def _stored(runs: Sequence[Run], form: Storage) -> Stored:
    """Export every fold's model in one form and let it label the fold's test clips."""
    parts, sizes = [], []
    for run in runs:
        print(f"{run.folder}: {form}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            source = source_of(run, Path("no figures"))
            windows = real_windows(held_out_clips(run), source.spectrogram)
            done = export_model(source, windows, Path(folder), form)
            classifier = load_classifier(done.path, device="cpu")
            parts.append(evaluate(classifier, _tested(run)).predictions)
            sizes.append(done.size_bytes / 1e6)
    return Stored(concatenate(parts), max(sizes))


def _tested(run: Run) -> list[Utterance]:
    """Find a run's test clips."""
    split = json.loads((run.folder / "split.json").read_text(encoding="utf-8"))
    wanted = set(split["clips"]["test"])
    roots = [Path(path) for path in run.config["choices"]["data"]]
    return [clip for clip in load_corpora(roots).utterances if clip.key in wanted]


def _row(model: str, folds: int, form: str, stored: Stored, plain: Stored) -> list[str]:
    """Write a form's line."""
    one, other = score(stored.predictions), score(plain.predictions)
    same = (stored.predictions.predicted == plain.predictions.predicted).mean()
    return [
        model,
        str(folds),
        form,
        f"{stored.megabytes:.1f}",
        f"{100 * one['uar']:.1f}",
        f"{100 * (one['uar'] - other['uar']):+.2f}",
        f"{100 * one['accuracy']:.1f}",
        f"{100 * (one['accuracy'] - other['accuracy']):+.2f}",
        f"{100 * same:.1f}",
        f"{one['clips']:,}",
    ]


def _table(rows: Sequence[Sequence[str]]) -> str:
    header = ["model", "folds", "stored as", "MB", "UAR %", "change", "accuracy %", "change"]
    header += ["same label %", "clips"]
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    raise SystemExit(main())
