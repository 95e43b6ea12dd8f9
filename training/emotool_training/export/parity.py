"""Compare an exported model with the one that was trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotool.errors import AudioError, TrainingError
from emotool.features.extraction import extract
from emotool.features.spec import SpectrogramSpec
from emotool_training.corpora import Utterance
from emotool_training.export.onnx_graph import INPUT, OUTPUTS

__all__ = [
    "PARITY_CLIPS",
    "TOLERANCE",
    "Agreement",
    "Parity",
    "agreement",
    "check_parity",
    "real_windows",
]

TOLERANCE = 1e-5
"""Largest difference that may be blamed on the order of float32 sums. Probabilities differ by
at most this; the other outputs, which have no fixed scale, by this share of their largest value."""

BATCH = 32  # windows given to both at once

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Parity:
    """Largest differences between two implementations of one model.

    Parameters
    ----------
    windows : int
        Windows compared, of real clips.
    differences : dict of str to float
        By output, the largest difference: absolute for ``probabilities``, relative to the
        output's largest value for the others.
    """

    windows: int
    differences: dict[str, float]

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {value:.1e}" for name, value in self.differences.items())
        return f"largest differences over {self.windows} windows of real clips: {parts}"


@dataclass(frozen=True)
class Agreement:
    """How often a quantised model predicts what its float32 form does.

    Parameters
    ----------
    windows : int
        Windows compared.
    labels : float
        Share with the same label, 0 … 1.
    probability : float
        Largest difference of a probability, 0 … 1.
    """

    windows: int
    labels: float
    probability: float


def check_parity(model: Any, session: Any, temperature: float, log_mels: Floats) -> Parity:
    """Compare a Keras model with its ONNX graph on real windows.

    Parameters
    ----------
    model : keras.Model
        Outputs ``logits``, ``embedding``, ``activation``.
    session : onnxruntime.InferenceSession
        The graph made from it.
    temperature : float
        What the graph divides logits by.
    log_mels : ndarray of float32, shape (windows, n_mels, frames)
        Spectrograms of real clips in dB.

    Returns
    -------
    Parity

    Raises
    ------
    TrainingError
        If an output differs by more than `TOLERANCE`.
    """
    worst = dict.fromkeys(OUTPUTS, 0.0)
    for start in range(0, len(log_mels), BATCH):
        batch = log_mels[start : start + BATCH]
        expected = _keras_outputs(model, temperature, batch)
        given = dict(zip(OUTPUTS, session.run(list(OUTPUTS), {INPUT: batch}), strict=True))
        for name in OUTPUTS:
            size = 1.0 if name == "probabilities" else max(1.0, _largest(expected[name]))
            difference = _largest(given[name] - expected[name]) / size
            worst[name] = float(np.maximum(worst[name], difference))  # NaN stays NaN
    parity = Parity(len(log_mels), worst)
    # "not all(… <= …)", since NaN is neither larger nor smaller than anything.
    if not all(value <= TOLERANCE for value in worst.values()):
        raise TrainingError(f"the exported model differs from the trained one; {parity}")
    return parity


def _keras_outputs(model: Any, temperature: float, batch: Floats) -> dict[str, Floats]:
    """Run the Keras model and apply temperature and softmax."""
    outputs = {name: np.asarray(v) for name, v in model(batch, training=False).items()}
    outputs["logits"] = outputs["logits"] / np.float32(temperature)
    raised = np.exp(outputs["logits"] - outputs["logits"].max(axis=1, keepdims=True))
    outputs["probabilities"] = raised / raised.sum(axis=1, keepdims=True)
    return outputs


def agreement(one: Any, other: Any, log_mels: Floats) -> Agreement:
    """Compare two graphs' probabilities on real windows.

    Parameters
    ----------
    one, other : onnxruntime.InferenceSession
        The float32 graph and its smaller form.
    log_mels : ndarray of float32, shape (windows, n_mels, frames)
        Spectrograms of real clips in dB.
    """
    first, second = (_probabilities(session, log_mels) for session in (one, other))
    same = float((first.argmax(axis=1) == second.argmax(axis=1)).mean())
    return Agreement(len(log_mels), same, _largest(first - second))


def _probabilities(session: Any, log_mels: Floats) -> Floats:
    starts: Sequence[int] = range(0, len(log_mels), BATCH)
    parts = [
        session.run(["probabilities"], {INPUT: log_mels[start : start + BATCH]})[0]
        for start in starts
    ]
    return np.concatenate(parts)  # [windows, labels]


def _largest(values: NDArray[Any]) -> float:
    return float(np.abs(values).max())


PARITY_CLIPS = 64


def real_windows(
    utterances: Sequence[Utterance], spec: SpectrogramSpec, count: int = PARITY_CLIPS
) -> Floats:
    """Compute the windows of clips taken evenly from a list.

    Parameters
    ----------
    utterances : sequence of Utterance
        Sorted by key, so that an even choice has all corpora and speakers in it.
    spec : SpectrogramSpec
        What to compute.
    count : int
        How many clips at most.

    Returns
    -------
    ndarray of float32, shape (windows, n_mels, frames)
        In dB.

    Raises
    ------
    TrainingError
        If none of the clips can be used.
    """
    places = np.unique(np.linspace(0, len(utterances) - 1, min(count, len(utterances))).round())
    parts = []
    for place in places.astype(int):
        try:
            features = extract(utterances[place].path, spec)
        except AudioError:
            continue  # known faults of a corpus; training has reported them
        if features.status == "ok":
            parts.append(features.windows)
    if not parts:
        raise TrainingError(
            "no clip was found to compare the exported model with the trained one",
            hint="name the corpora's folder with --data",
        )
    return np.concatenate(parts)  # [windows, n_mels, frames]
