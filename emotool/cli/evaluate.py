"""``emotool evaluate``: how good a model is on labelled clips."""

import json
from pathlib import Path
from typing import Annotated

import typer

from emotool.cli.help import Short
from emotool.cli.shared_options import CorrectionsRoot, DecodingWorkers, SpeakerPattern
from emotool.model.catalog import DEFAULT_MODEL

__all__ = ["SHORT", "evaluate"]

SHORT = Short(
    options=("--data", "--output", "--root", "--speaker-pattern", "--speakers", "--json"),
    examples=(
        ("Accuracy on your own clips", "emotool evaluate cnn --data labelled_clips/"),
        ("On corrected labels", "emotool evaluate cnn --data corrections.csv --root recordings/"),
    ),
)

_LOST = ("bad row", "git-lfs pointer", "missing", "same name", "unreadable")
"""Problems by which clips are lost that someone meant to be judged."""


def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A name that `emotool models` lists, or the path of an .onnx file.",
        ),
    ] = DEFAULT_MODEL,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="Folder of labelled clips, CSV manifest with the columns path and label (or "
            "emotion), or corrections.csv of a report. May be repeated. `emotool data check` "
            "shows what is recognised.",
            show_default="$EMOTOOL_CORPUS",
        ),
    ] = None,
    root: CorrectionsRoot = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Write evaluation.json, predictions.csv, confusion_matrix.png, reliability.png "
            "and min_confidence.png to FOLDER.",
            show_default="evaluation/MODEL; MODEL_2 if that has other clips",
        ),
    ] = None,
    speaker_pattern: SpeakerPattern = None,
    device: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda", help="Device to run the model on.")
    ] = "auto",
    workers: DecodingWorkers = 0,
    speakers: Annotated[
        bool, typer.Option("--speakers", help="Also show a line per speaker.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all figures as JSON instead of tables.")
    ] = False,
) -> None:
    """Measure a model on labelled clips, with the pipeline of `classify`.

    Speakers that the model was trained on are scored separately from new speakers: only new
    speakers show how it does on other people. The main figure is UAR, the mean recall of the
    labels, per corpus and averaged over corpora, with 95 % intervals over speakers. Clips whose
    emotion is not among the model's labels are skipped and counted. A table says which
    --min-confidence makes labels right 80, 90 or 95 % of the time, and how many clips it keeps.

    A model that gives dimensions is measured on a CSV with the column path and one per dimension:
    by the concordance correlation coefficient (CCC), with 95 % intervals over speakers.

    The exit code is 3 if some clips could not be read, or are listed in a manifest and missing.
    """
    from emotool_training.extras import require_extra

    require_extra("evaluate", "emotool evaluate")
    from emotool.cli.evaluate_tables import show_evaluation
    from emotool.errors import CorpusError
    from emotool.model.classifier import load_classifier
    from emotool.workers.pool import PoolOptions
    from emotool_training.corpora import load_corpora
    from emotool_training.evaluation.evaluate import evaluate as run_evaluation
    from emotool_training.evaluation.files import free_folder, write_evaluation
    from emotool_training.progress import progress_bar

    classifier = load_classifier(model, device=device)
    if not classifier.labels:
        from emotool.cli.evaluate_numbers import evaluate_numbers

        evaluate_numbers(classifier, data or (), output, workers=workers, as_json=as_json)
        return
    index = load_corpora(
        data or (), speaker_pattern=speaker_pattern, clips=None if root is None else str(root)
    )
    chosen = index.among(classifier.labels).utterances
    if not chosen:
        raise CorpusError(
            f"no clip is labelled {' or '.join(classifier.labels)}; there is "
            f"{', '.join(sorted({u.emotion for u in index.utterances}))}",
            hint="`emotool data check` lists the clips and labels found",
        )
    with progress_bar("classifying") as advance:
        evaluation = run_evaluation(
            classifier, chosen, PoolOptions(workers=workers), progress=advance
        )
    folder = output or free_folder(Path("evaluation") / classifier.name, evaluation.predictions)
    write_evaluation(evaluation, classifier, folder)
    if as_json:
        typer.echo(json.dumps(evaluation.figures, indent=2, allow_nan=False))
    else:
        show_evaluation(evaluation, classifier.name, speakers=speakers)
    left_out = len(index.utterances) - len(chosen) + len(index.excluded)
    without = f", {left_out:,} skipped: emotion not among the model's labels" if left_out else ""
    typer.echo(
        f"{len(chosen):,} clips{without}; plots and predictions written to {folder}", err=True
    )
    if index.skipped:
        typer.echo(index.skipped, err=True)
    failed = any(result.status == "failed" for result in evaluation.unanswered)
    if failed or any(problem.kind in _LOST for problem in index.problems):
        raise typer.Exit(3)
