"""Training batches: clips drawn, cut, altered and stacked, as a `tf.data` pipeline.

Every batch is a function of (seed, epoch, step) alone.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training import augment
from training.mixing import draw_mixing, mix
from training.recipe import Recipe
from training.sampling import balanced_weights, generator, order

__all__ = ["TrainingClips", "TrainingSet"]

AHEAD = 3
"""Batches made ready while the model trains on another."""

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.float16]
Batch = tuple[Floats, Floats]


@dataclass(frozen=True, eq=False)
class TrainingClips:
    """The clips to train on.

    Attributes
    ----------
    images : sequence of sequences of ndarray of float16, shape (n_mels, time)
        For each clip its image and those of its altered copies; see `training.clip_arrays`.
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


class TrainingSet:
    """Batches for training.

    Parameters
    ----------
    clips : TrainingClips
    recipe : Recipe
        Says how clips are drawn, cut and altered.
    seed : int
    """

    def __init__(self, clips: TrainingClips, recipe: Recipe, seed: int) -> None:
        self.clips = clips
        self.recipe = recipe
        self.seed = seed
        self.draws = recipe.epoch_clips or len(clips)
        self._weights = balanced_weights(
            clips.corpora, clips.targets.tolist(), recipe.corpus_balance, recipe.label_balance
        )

    @property
    def steps(self) -> int:
        """Batches in an epoch; what is left over after the last full one is left out."""
        return max(1, self.draws // self.recipe.batch_size)

    def batch(self, indices: npt.NDArray[np.int64], place: tuple[int, int]) -> Batch:
        """Make one batch.

        Parameters
        ----------
        indices : ndarray of int64, shape (batch,)
            Clips.
        place : tuple of int
            Epoch and step, from which all random numbers follow.

        Returns
        -------
        tuple of ndarray of float32
            Windows [batch, n_mels, frames] in dB and targets [batch, labels].
        """
        random = generator(self.seed, "batch", *place)
        recipe = self.recipe
        windows = [self._window(int(index), random) for index in indices]
        n_labels = len(recipe.labels)
        targets = np.eye(n_labels, dtype=np.float32)[self.clips.targets[indices]]
        targets = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / n_labels
        mixed = draw_mixing(len(windows), recipe.augmentation, random)
        return mix(windows, mixed), mix(list(targets), mixed)

    def _window(self, index: int, random: np.random.Generator) -> Floats | Image:
        """Cut and alter one window of one clip, [n_mels, frames]."""
        copies = self.clips.images[index]
        clean = len(copies) == 1 or random.uniform() < self.recipe.variants.clean_share
        image = copies[0 if clean else int(random.integers(1, len(copies)))]
        recipe = self.recipe
        return augment.window_of(image, recipe.augmentation, recipe.spectrogram, random)

    def _shape(self) -> tuple[int, ...]:
        """Shape of what `_window` makes."""
        return (self.recipe.spectrogram.n_mels, self.recipe.spectrogram.frames)

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Make an epoch's batches in turn, some ahead in another thread."""
        drawn = order(self._weights, self.draws, generator(self.seed, "order", epoch))
        size = self.recipe.batch_size
        jobs = ((drawn[s * size : (s + 1) * size], (epoch, s)) for s in range(self.steps))
        with ThreadPoolExecutor(1) as thread:
            ready: list[Future[Batch]] = []
            ready += [thread.submit(self.batch, *job) for job in islice(jobs, AHEAD)]
            while ready:
                yield ready.pop(0).result()
                ready += [thread.submit(self.batch, *job) for job in islice(jobs, 1)]

    def epoch(self, epoch: int) -> tf.data.Dataset:
        """Return an epoch's batches, of windows and targets, as a dataset.

        Made in Python's own thread rather than by ``prefetch``, which TensorFlow makes
        sequential where operations have to be deterministic.
        """
        signature = (
            tf.TensorSpec((None, *self._shape()), tf.float32),
            tf.TensorSpec((None, len(self.recipe.labels)), tf.float32),
        )
        return tf.data.Dataset.from_generator(
            lambda: self.batches(epoch), output_signature=signature
        )
