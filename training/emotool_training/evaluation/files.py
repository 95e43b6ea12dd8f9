"""Write an evaluation to files: figures, plots and every clip's prediction."""

from pathlib import Path

from emotool.errors import TrainingError
from emotool.files.destination import numbered
from emotool.model.classifier import Classifier
from emotool_training.evaluation.calibration import apply_temperature, reliability
from emotool_training.evaluation.evaluate import GROUPS, Evaluation
from emotool_training.evaluation.plots import (
    save_confusion_plot,
    save_reliability_plot,
    save_threshold_plot,
)
from emotool_training.evaluation.predictions import (
    Predictions,
    read_predictions,
    write_predictions,
)
from emotool_training.evaluation.thresholds import LEVELS, thresholds
from emotool_training.folders import make_folder
from emotool_training.runs.folder import write_json

__all__ = ["free_folder", "write_evaluation"]


_TABLE = "predictions.csv"


def free_folder(folder: Path, predictions: Predictions) -> Path:
    """Choose the default folder: the first without predictions of other clips.

    Parameters
    ----------
    folder : Path
        Where it would go; ``cnn_2``, ``cnn_3``, … are tried next.
    predictions : Predictions
        What is to be written.

    Returns
    -------
    Path
        A folder that is not there, has no predictions, or none of clips other than these.
    """
    keys = set(predictions.facts["key"].tolist())
    return next(place for place in numbered(folder) if _is_free(place / _TABLE, keys))


def _is_free(table: Path, keys: set[str]) -> bool:
    if not table.exists():
        return True
    try:
        return set(read_predictions(table).facts["key"].tolist()) <= keys
    except TrainingError:
        return False


def write_evaluation(evaluation: Evaluation, classifier: Classifier, folder: Path) -> None:
    """Write ``evaluation.json``, ``predictions.csv`` and three plots.

    The pictures, ``confusion_matrix.png``, ``reliability.png`` and ``min_confidence.png``, are of
    the most informative group of clips, and say which.

    Parameters
    ----------
    evaluation : Evaluation
        The answers.
    classifier : Classifier
        That gave them.
    folder : Path
        Made where it is not there; files in it are replaced, each in one step.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    make_folder(folder, "choose a folder that you may write to with -o")
    group = evaluation.headline
    part = evaluation.predictions.subset(group)
    save_confusion_plot(
        evaluation.figures[group],
        folder / "confusion_matrix.png",
        title=f"{classifier.name}\n{GROUPS[group]}",
    )
    # The model's own temperature is taken back for the left picture.
    raw = apply_temperature(part.probabilities, 1 / classifier.metadata.temperature)
    diagrams = {
        "uncalibrated": reliability(raw, part.truth),
        f"calibrated, temperature {classifier.metadata.temperature:.2f}": reliability(
            part.probabilities, part.truth
        ),
    }
    save_reliability_plot(diagrams, folder / "reliability.png", title=GROUPS[group])
    save_threshold_plot(
        thresholds(part), LEVELS, folder / "min_confidence.png", title=GROUPS[group]
    )
    write_predictions(folder / _TABLE, evaluation.predictions)
    unanswered = {
        one.shown: " ".join(filter(None, (one.status, one.stage, one.error)))
        for one in evaluation.unanswered
    }
    report = {
        "model": classifier.name,
        "sha256": classifier.sha256,
        "groups": evaluation.figures,
        "unanswered": unanswered,
    }
    write_json(folder / "evaluation.json", report)
