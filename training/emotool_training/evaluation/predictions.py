"""Predicted probabilities of a set of clips with the facts needed to score them.

One row a clip: its key (the path below the corpora's folder), corpus, speaker, sex,
intensity, true emotion, subset and one probability per label. Runs, evaluations and the
benchmark all keep their predictions in this one shape.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotool.errors import TrainingError
from emotool.files.atomic import atomic_write

__all__ = ["FACTS", "Predictions", "concatenate", "read_predictions", "write_predictions"]

FACTS = ("key", "corpus", "speaker", "sex", "intensity", "emotion", "subset")
_NEEDED = ("key", "corpus", "speaker", "emotion")

Texts = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Predictions:
    """Clips with a model's predicted probabilities.

    Parameters
    ----------
    labels : tuple of str
        The model's labels, in the order of the columns of `probabilities`.
    facts : mapping of str to ndarray of str, shape (clips,)
        One array for each of `FACTS`; empty strings where a corpus does not say.
    probabilities : ndarray of float64, shape (clips, labels)
        In 0 … 1, each row summing to 1.

    Raises
    ------
    TrainingError
        If an emotion is not among the labels or the lengths differ.
    """

    labels: tuple[str, ...]
    facts: Mapping[str, Texts]
    probabilities: NDArray[np.float64]

    def __post_init__(self) -> None:
        clips = len(self.facts["key"])
        if self.probabilities.shape != (clips, len(self.labels)):
            raise TrainingError(
                f"{clips} clips and {len(self.labels)} labels do not fit probabilities of "
                f"shape {self.probabilities.shape}"
            )
        strangers = sorted(set(self.facts["emotion"].tolist()) - set(self.labels))
        if strangers:
            raise TrainingError(
                f"emotions {', '.join(strangers)} are not among the labels {', '.join(self.labels)}"
            )

    def __len__(self) -> int:
        return len(self.facts["key"])

    @property
    def truth(self) -> NDArray[np.int64]:
        """Indices of the true labels, int64 of shape (clips,)."""
        position = {label: index for index, label in enumerate(self.labels)}
        return np.array([position[str(name)] for name in self.facts["emotion"]], dtype=np.int64)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Indices of the most probable labels, int64 of shape (clips,)."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)

    def select(self, chosen: NDArray[np.bool_]) -> "Predictions":
        """Keep the clips where `chosen`, bool of shape (clips,), is true."""
        facts = {name: values[chosen] for name, values in self.facts.items()}
        return Predictions(self.labels, facts, self.probabilities[chosen])

    def subset(self, name: str) -> "Predictions":
        """Keep the clips of one subset: ``train``, ``validation`` or ``test``."""
        return self.select(self.facts["subset"] == name)

    def with_probabilities(self, probabilities: NDArray[np.float64]) -> "Predictions":
        """Keep the clips, replace their probabilities."""
        return Predictions(self.labels, self.facts, probabilities)


def concatenate(parts: Sequence[Predictions]) -> Predictions:
    """Join predictions of different clips, for example of the folds, sorted by key.

    Raises
    ------
    TrainingError
        If there are none, their labels differ or a clip occurs twice.
    """
    if not parts:
        raise TrainingError("no predictions to join")
    if len({part.labels for part in parts}) > 1:
        raise TrainingError("the predictions to join have different labels")
    facts = {name: np.concatenate([part.facts[name] for part in parts]) for name in FACTS}
    keys, counts = np.unique(facts["key"], return_counts=True)
    if (counts > 1).any():
        raise TrainingError(f"{keys[counts > 1][0]} is predicted more than once")
    order = np.argsort(facts["key"], kind="stable")
    joined = np.concatenate([part.probabilities for part in parts])  # [clips, labels]
    facts = {name: values[order] for name, values in facts.items()}
    return Predictions(parts[0].labels, facts, joined[order])


def from_rows(labels: Sequence[str], rows: Iterable[Mapping[str, str]]) -> Predictions:
    """Build predictions from rows as `csv.DictReader` gives them.

    Parameters
    ----------
    labels : sequence of str
        The labels; each row has a ``p_<label>`` for each.
    rows : iterable of mapping
        ``key``, ``corpus``, ``speaker`` and ``emotion`` are needed; the other facts may be
        missing and are then empty.

    Raises
    ------
    KeyError, ValueError
        If a column is missing or a probability is no number.
    """
    kept = list(rows)
    facts = {
        name: np.array(
            [row[name] if name in _NEEDED else row.get(name) or "" for row in kept], dtype=np.str_
        )
        for name in FACTS
    }
    values = [[float(row[f"p_{label}"]) for label in labels] for row in kept]
    probabilities = np.array(values, dtype=np.float64).reshape(len(kept), len(labels))
    return Predictions(tuple(labels), facts, probabilities)


def read_predictions(path: Path) -> Predictions:
    """Read a predictions CSV; its ``p_…`` columns name the labels.

    Raises
    ------
    TrainingError
        If the file cannot be read or lacks a column.
    """
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            labels = [n.removeprefix("p_") for n in reader.fieldnames or () if n.startswith("p_")]
            return from_rows(labels, reader)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise TrainingError(f"{path} is not a table of predictions: {error!r}") from error


def format_probability(value: float) -> str:
    """Write a probability to six significant digits.

    Significant digits, not decimals: a temperature is fitted on the logarithm, where
    1e-9 and 1e-7 differ and "0.000000" would be minus infinity.

    Examples
    --------
    >>> format_probability(0.12345678), format_probability(1.2345678e-9)
    ('0.123457', '1.23457e-09')
    """
    return f"{value:.6g}"


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write predictions as CSV, in their order, in one step.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with atomic_write(path, text=True) as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow([*FACTS, *(f"p_{label}" for label in predictions.labels)])
        for index, values in enumerate(predictions.probabilities):
            facts = [str(predictions.facts[name][index]) for name in FACTS]
            writer.writerow([*facts, *(format_probability(float(v)) for v in values)])
