"""Clips with their features, ready for training and validation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["EmbeddedClips", "Image", "TrainingClips", "ValidationClips"]


Image = npt.NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class TrainingClips:
    """The clips to train on.

    Attributes
    ----------
    images : sequence of sequences of ndarray of float16, shape (n_mels, time)
        For each clip its image and those of its altered copies; see
        `emotool_training.features.clip_arrays`.
    targets : ndarray of int64, shape (clips,)
        Label indices.
    corpora : sequence of str
        Each clip's corpus.
    names : sequence of str
        Each clip's content in hexadecimal digits, by which what is made of it is kept.
    """

    images: Sequence[Sequence[Image]]
    targets: npt.NDArray[np.int64]
    corpora: Sequence[str]
    names: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, eq=False)
class ValidationClips:
    """Clips to judge by.

    Attributes
    ----------
    windows : sequence of ndarray of float32, shape (windows, n_mels, frames)
        Each clip's windows in dB, at least one.
    targets : ndarray of int64, shape (clips,)
        Label indices.
    corpora : sequence of str
        Each clip's corpus.
    """

    windows: Sequence[npt.NDArray[np.float32]]
    targets: npt.NDArray[np.int64]
    corpora: Sequence[str]


@dataclass(frozen=True, eq=False)
class EmbeddedClips:
    """Clips with the vectors that a network which does not learn has made of their windows.

    Attributes
    ----------
    windows : sequence of ndarray of float32, shape (windows, size)
        Each clip's vectors, at least one.
    targets : ndarray of int64, shape (clips,)
        Label indices.
    corpora : sequence of str
        Each clip's corpus.
    """

    windows: Sequence[npt.NDArray[np.float32]]
    targets: npt.NDArray[np.int64]
    corpora: Sequence[str]
