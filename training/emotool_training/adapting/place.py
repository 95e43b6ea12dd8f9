"""Whether a model file may be replaced by an adapted one."""

import os
from pathlib import Path

from emotool.errors import ModelError, TrainingError
from emotool.model.classifier import read_metadata
from emotool_training.adapting.description import KIND

__all__ = ["check_place"]


def check_place(path: Path) -> None:
    """Refuse to replace anything but an adapted model.

    Parameters
    ----------
    path : Path
        Where the model would go; need not be there.

    Raises
    ------
    TrainingError
        If a file is there that is no model, or a model that was trained.
    """
    if not os.path.lexists(path):
        return
    try:
        kind = read_metadata(path).split.get("kind")
    except ModelError:
        kind = None
    if kind != KIND:
        raise TrainingError(
            f"{path} exists and is not a model by `emotool adapt`",
            hint="choose another name with --name, or write it elsewhere with -o",
        )
