"""Predictions for clips while a model is still in TensorFlow.

The same windows as ``classify`` cuts and the same mean over them; the exported model is checked
against these.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

__all__ = ["clip_probabilities", "logits_function"]

BATCH = 64
"""Windows predicted at once."""


def logits_function(model: keras.Model) -> Any:
    """Compile a model's prediction of logits.

    Returns
    -------
    callable
        f32 [batch, n_mels, frames] dB → f32 [batch, labels]. It follows the model's weights.
    """
    signature = tf.TensorSpec((None, *model.inputs[0].shape[1:]), tf.float32)
    return tf.function(
        lambda log_mel: model(log_mel, training=False)["logits"],
        input_signature=[signature],
        autograph=False,
    )


def clip_probabilities(
    logits: Any, clips: Iterable[npt.NDArray[np.float32]]
) -> npt.NDArray[np.float64]:
    """Predict clips: softmax of each window, mean over a clip's windows.

    Parameters
    ----------
    logits : callable
        From `logits_function`.
    clips : iterable of ndarray of float32, shape (windows, n_mels, frames)
        Each clip's windows, at least one; taken in turn, a batch at a time in memory.

    Returns
    -------
    ndarray of float64, shape (clips, labels)
        Rows sum to 1.
    """
    counts: list[int] = []
    parts = [_softmax(logits(batch).numpy()) for batch in _batches(clips, counts)]
    windows = np.concatenate(parts)  # [all windows, labels]
    ends = np.cumsum(counts)
    means = [windows[end - n : end].mean(0) for n, end in zip(counts, ends, strict=True)]
    return np.stack(means)  # [clips, labels]


def _batches(
    clips: Iterable[npt.NDArray[np.float32]], counts: list[int]
) -> Iterator[npt.NDArray[np.float32]]:
    """Stack windows of clips into batches, noting how many each clip has."""

    def windows(clip: npt.NDArray[np.float32]) -> Sequence[npt.NDArray[np.float32]]:
        counts.append(len(clip))
        return list(clip)

    batch: list[npt.NDArray[np.float32]] = []
    for window in chain.from_iterable(map(windows, clips)):
        batch.append(window)
        if len(batch) == BATCH:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)


def _softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Softmax over the last axis in float64."""
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    powers = np.exp(shifted)
    return np.asarray(powers / powers.sum(-1, keepdims=True))
