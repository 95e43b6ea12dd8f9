"""What is adapted, what is to be done, and what came of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emotool.errors import ModelError
from emotool.model.catalog import find_model
from emotool.model.classifier import Classifier, load_classifier
from emotool.model.linear_head import LinearHead, read_linear_head
from emotool.model.onnx_scan import read_onnx
from emotool_training.adapting.description import Facts
from emotool_training.export.model_file import Written

__all__ = ["Adapted", "Base", "Order", "open_base"]


@dataclass(frozen=True, eq=False)
class Base:
    """The model that is adapted.

    Parameters
    ----------
    classifier : Classifier
    content : bytes
        The file.
    head : LinearHead or None
        Where it is linear and stored by name.
    """

    classifier: Classifier
    content: bytes
    head: LinearHead | None


@dataclass(frozen=True)
class Order:
    """What is to be done.

    Parameters
    ----------
    name : str
        The new model's.
    folder : Path
        Gets ``NAME.onnx`` and ``NAME.md``.
    cache : Path
        The folder of cached embeddings.
    workers : int
        Processes that decode clips; 0 for one per core.
    only_temperature : bool
        Calibrate, and change nothing else.
    same_speakers : bool
        The model is for the speakers of the labelled clips alone.
    """

    name: str
    folder: Path
    cache: Path
    workers: int = 0
    only_temperature: bool = False
    same_speakers: bool = False


@dataclass(frozen=True, eq=False)
class Adapted:
    """The result.

    Parameters
    ----------
    written : Written
        The files.
    facts : Facts
    base_figures : mapping
        Of the base on the labelled clips; empty where it does not have all labels.
    ece : tuple of float
        Calibration error before and after; empty where no temperature was fitted alone.
    rejected : dict of str to str
        Clips that could not be used, and why.
    """

    written: Written
    facts: Facts
    base_figures: dict[str, Any] = field(default_factory=dict)
    ece: tuple[float, ...] = ()
    rejected: dict[str, str] = field(default_factory=dict)


def open_base(name: str) -> Base:
    """Load a model to adapt, by its name or path.

    Raises
    ------
    ModelError
        If there is no such model, or it has no embeddings, or it gives dimensions beside or instead
        of labels.
    """
    path = find_model(name)
    content = read_onnx(path).whole()
    classifier = load_classifier(path, device="cpu")
    classifier.require("embedding", "emotool adapt")
    classifier.require("probabilities", "emotool adapt")
    if classifier.dimensions:
        raise ModelError(f"emotool adapt: {classifier.name} gives dimensions beside labels")
    return Base(classifier, content, read_linear_head(content))
