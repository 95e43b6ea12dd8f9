"""Checkpoints: everything the rest of a run depends on, in one file written in one step."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emotool.errors import TrainingError
from training.archive import load_arrays, save_arrays

__all__ = ["is_whole", "load", "save"]

VERSION = 1


def save(path: Path, variables: Mapping[str, Sequence[Any]], facts: Mapping[str, Any]) -> None:
    """Write a checkpoint.

    Parameters
    ----------
    path : Path
        The file; replaced in one step.
    variables : mapping of str to sequence of variables
        Each has ``numpy()`` and ``assign()``.
    facts : mapping
        What JSON can hold: epoch, history, best so far.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    arrays: dict[str, Any] = {
        f"{group}/{number}": np.asarray(variable.numpy())
        for group, members in variables.items()
        for number, variable in enumerate(members)
    }
    text = json.dumps({"version": VERSION, **facts}, allow_nan=False)
    save_arrays(path, {"facts": np.array(text), **arrays})


def load(path: Path, variables: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Read a checkpoint into variables and return its facts.

    Raises
    ------
    TrainingError
        If the file is damaged, or of another model: then nothing has been assigned.
    """
    try:
        found = load_arrays(path)
        facts: dict[str, Any] = json.loads(str(found.pop("facts")))
    except (ValueError, KeyError) as error:
        raise TrainingError(f"{path} is no readable checkpoint: {error}") from error
    found.pop("allow_pickle", None)  # earlier versions wrote it with NumPy before 2.2
    wanted = {f"{g}/{n}": v for g, members in variables.items() for n, v in enumerate(members)}
    shapes = {name: tuple(array.shape) for name, array in found.items()}
    if shapes != {name: tuple(v.shape) for name, v in wanted.items()} or (
        facts.get("version") != VERSION
    ):
        raise TrainingError(f"{path} is a checkpoint of another model or program")
    for name, variable in wanted.items():
        variable.assign(found[name])
    return facts


def is_whole(path: Path) -> bool:
    """Return whether a file can be read to its end; not whether it is of a certain model."""
    try:
        return "facts" in load_arrays(path)
    except ValueError:
        return False
