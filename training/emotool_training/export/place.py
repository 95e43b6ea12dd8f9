"""Which names models of one's own may have, and where they may be written."""

import os
from pathlib import Path

from emotool.errors import TrainingError
from emotool.model.catalog import BUILT_IN
from emotool.model.metadata import NAME
from emotool.text import printable

__all__ = ["check_free", "check_name"]


def check_name(name: str) -> None:
    """Refuse a name that a model of one's own cannot have.

    Parameters
    ----------
    name : str
        As it was given on the command line.

    Raises
    ------
    TrainingError
        If it is a built-in model's, a path to `emotool classify --model`, or none at all.
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
    if name.lower().endswith(".onnx"):  # `find_model` takes it for a path
        raise TrainingError(
            f"{name!r} is not a valid model name: what ends in .onnx is a path",
            hint=f"leave it out: --name {name[:-5]}",
        )


def check_free(path: Path) -> None:
    """Refuse to replace a file.

    Parameters
    ----------
    path : Path
        Where the model would go.

    Raises
    ------
    TrainingError
        If a file is there.
    """
    if os.path.lexists(path):
        raise TrainingError(
            f"{printable(str(path))} exists already",
            hint="choose another name with --name, or write it elsewhere with -o, or add --replace",
        )
