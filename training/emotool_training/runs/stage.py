"""Read and write the files of one stage of a run: checkpoints, history and best weights.

`emotool_training.runs.folder` names the files.
"""

import csv
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emotool.errors import OutputError, TrainingError
from emotool.files.atomic import atomic_write
from emotool_training.npz_store import load_arrays, save_arrays

__all__ = ["Stage", "is_whole", "load_checkpoint", "save_checkpoint"]

VERSION = 1
"""Of the checkpoints' form."""

KEPT = 2
"""Checkpoints kept: should the last be damaged, the one before is resumed from."""


def save_checkpoint(
    path: Path, variables: Mapping[str, Sequence[Any]], facts: Mapping[str, Any]
) -> None:
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


def load_checkpoint(path: Path, variables: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
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
        raise TrainingError(f"{path} is not a readable checkpoint: {error}") from error
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


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of training within a run: its checkpoints, history and best weights.

    Parameters
    ----------
    folder : Path
        The run's folder.
    name : str
        Empty for a run's only or last stage; otherwise part of the file names.
    """

    folder: Path
    name: str = ""

    def _named(self, file: str) -> Path:
        return self.folder / (f"{self.name}_{file}" if self.name else file)

    @property
    def best_weights(self) -> Path:
        """Where the best epoch's weights are."""
        return self._named("best.weights.h5")

    @property
    def history(self) -> Path:
        """Where each epoch's figures are."""
        return self._named("history.csv")

    def checkpoints(self) -> list[Path]:
        """Return the checkpoints there are, newest first."""
        folder = self.folder / "checkpoints"
        return sorted(folder.glob(f"{self.name or 'model'}-*.npz"), reverse=True)

    def epochs_kept(self) -> int:
        """Return how many epochs the newest checkpoint has behind it."""
        kept = self.checkpoints()
        return int(kept[0].stem.rpartition("-")[2]) if kept else 0

    def is_over(self, epochs: int) -> bool:
        """Return whether the newest checkpoint has so many epochs behind it, and is whole."""
        return self.epochs_kept() >= epochs and is_whole(self.checkpoints()[0])

    def keep(
        self, epoch: int, variables: Mapping[str, Sequence[Any]], facts: Mapping[str, Any]
    ) -> None:
        """Write the checkpoint of ``epoch`` finished epochs and drop the oldest."""
        file = f"{self.name or 'model'}-{epoch:05d}.npz"
        save_checkpoint(self.folder / "checkpoints" / file, variables, facts)
        for old in self.checkpoints()[KEPT:]:
            old.unlink(missing_ok=True)

    def restore(self, variables: Mapping[str, Sequence[Any]]) -> dict[str, Any] | None:
        """Load the newest readable checkpoint and return its facts; None if there is none.

        Raises
        ------
        TrainingError
            If there are checkpoints, and none can be read.
        """
        damage: TrainingError | None = None
        for path in self.checkpoints():
            try:
                return load_checkpoint(path, variables)
            except TrainingError as error:
                damage = damage or error
        if damage is not None:
            raise damage
        return None

    def save_best(self, model: Any) -> None:
        """Keep a model's weights as the best, in one step."""
        # Keras insists on the suffix and writes the file itself.
        unfinished = self.folder / f".{secrets.token_hex(8)}.weights.h5"
        try:
            model.save_weights(unfinished)
            with unfinished.open("rb") as handle:
                os.fsync(handle.fileno())
            unfinished.replace(self.best_weights)
        except OSError as error:
            raise OutputError(f"cannot write {self.best_weights}: {error}") from error
        finally:
            unfinished.unlink(missing_ok=True)

    def load_best(self, model: Any) -> None:
        """Give a model the best weights; `TrainingError` if they are not there or not its."""
        try:
            model.load_weights(self.best_weights)
        except (OSError, ValueError, KeyError) as error:
            raise TrainingError(f"{self.best_weights}: cannot be loaded: {error}") from error

    def write_history(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Write the figures of all finished epochs."""
        with atomic_write(self.history, text=True) as handle:
            writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
