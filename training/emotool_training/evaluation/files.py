"""What an evaluation leaves on disk: figures, pictures and every clip's answer."""

from pathlib import Path

from emotool.model.metadata import ModelMetadata
from emotool_training.evaluation.calibration import apply_temperature, reliability
from emotool_training.evaluation.plots import save_confusion_plot
from emotool_training.evaluation.evaluate import Evaluation, GROUPS
from emotool_training.folders import make_folder
from emotool_training.evaluation.predictions import write_predictions
from emotool_training.evaluation.plots import save_reliability_plot
from emotool_training.runs.folder import write_json

__all__ = ["write_evaluation"]


def write_evaluation(
    evaluation: Evaluation, metadata: ModelMetadata, sha256: str, folder: Path
) -> None:
    """Write ``evaluation.json``, ``predictions.csv`` and two pictures.

    The pictures, ``confusion_matrix.png`` and ``reliability.png``, are of the most telling
    group of clips, and say which.

    Parameters
    ----------
    evaluation : Evaluation
        The answers.
    metadata : ModelMetadata
        Of the model.
    sha256 : str
        Fingerprint of the model's file.
    folder : Path
        Made where it is not there; files in it are replaced, each in one step.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    make_folder(folder)
    group = evaluation.headline
    part = evaluation.predictions.subset(group)
    save_confusion_plot(
        evaluation.figures[group]["confusion"],
        part.labels,
        folder / "confusion_matrix.png",
        title=f"{metadata.name}\n{GROUPS[group]}",
    )
    # The model's own temperature is taken back for the left picture.
    raw = apply_temperature(part.probabilities, 1 / metadata.temperature)
    diagrams = {
        "temperature 1": reliability(raw, part.truth),
        f"as shipped, temperature {metadata.temperature:.2f}": reliability(
            part.probabilities, part.truth
        ),
    }
    save_reliability_plot(diagrams, folder / "reliability.png", title=GROUPS[group])
    write_predictions(folder / "predictions.csv", evaluation.predictions)
    unanswered = {
        one.shown: " ".join(filter(None, (one.status, one.stage, one.error)))
        for one in evaluation.unanswered
    }
    report = {
        "model": metadata.name,
        "sha256": sha256,
        "groups": evaluation.figures,
        "unanswered": unanswered,
    }
    write_json(folder / "evaluation.json", report)
