"""Where an exported model goes, and whether what is there already may be replaced."""

import os
from pathlib import Path

from emotool.errors import ModelError, TrainingError
from emotool.model.catalog import BUILT_IN
from emotool.model.classifier import read_metadata
from emotool.model.metadata import NAME
from emotool.text import printable
from emotool_training.runs.folder import Run, read_json

__all__ = ["check_name", "check_place"]


def check_name(name: str) -> None:
    """Refuse a name that a model of one's own cannot have.

    Parameters
    ----------
    name : str
        As it was given on the command line.

    Raises
    ------
    TrainingError
        If it is a built-in model's, or none at all.
    """
    if name in BUILT_IN:
        raise TrainingError(
            f"{name} is the name of a built-in model", hint="give --name one of your own"
        )
    if not NAME.fullmatch(name):
        raise TrainingError(
            f"{printable(name)!r} is not a valid model name",
            hint="at most 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit",
        )


def check_place(run: Run, path: Path) -> None:
    """Refuse to replace a model that was trained on other data.

    Parameters
    ----------
    run : Run
        What is to be exported.
    path : Path
        Where the model would go; need not be there.

    Raises
    ------
    TrainingError
        If a file is there that is no model, or a model whose training, validation and test clips
        are not the run's.
    """
    if not os.path.lexists(path):
        return
    digest = read_json(run.folder / "split.json").get("digest")
    data = run.config.get("data_digest")
    try:
        there = read_metadata(path).split
    except ModelError as error:
        raise _refusal(f"{path} exists and is not an emotool model") from error
    if there.get("hash") != digest or there.get("data", data) != data:
        raise _refusal(f"{path} is a model that was trained on other data than {run.folder}")


def _refusal(message: str) -> TrainingError:
    return TrainingError(
        message,
        hint="choose another name with --name, or write it elsewhere with -o, or add --replace",
    )
