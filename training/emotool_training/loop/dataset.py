"""Training batches: clips sampled, cropped, augmented and stacked, as a `tf.data` pipeline.

Every batch is a function of (seed, epoch, step) alone.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from emotool_training.augmentation import window as augment
from emotool_training.augmentation.mixup import draw_mixing, mix
from emotool_training.features.clips import Image, TrainingClips
from emotool_training.recipes.recipe import Recipe

__all__ = ["TrainingSet", "balanced_weights", "generator", "order"]

AHEAD = 3
"""Batches made ready while the model trains on another."""

Floats = npt.NDArray[np.float32]

Batch = tuple[Floats, Floats]
"""Windows [batch, n_mels, frames] in dB and targets [batch, labels]."""


def generator(seed: int, purpose: str, *place: int) -> np.random.Generator:
    """Return random numbers for one purpose at one place in a run, such as (epoch, step).

    They depend on nothing else, least of all on what was drawn before: a resumed run draws what
    an uninterrupted one would have.
    """
    # The length comes along: numpy takes [1, 2] and [1, 2, 0] for the same seed.
    return np.random.default_rng([zlib.crc32(purpose.encode()), len(place), seed, *place])


def balanced_weights(
    corpora: Sequence[str], labels: Sequence[Hashable], corpus_balance: float, label_balance: float
) -> npt.NDArray[np.float64]:
    """Weigh clips so that corpora, and labels within a corpus, are drawn more evenly.

    Parameters
    ----------
    corpora, labels : sequences of length clips
        Of each clip.
    corpus_balance, label_balance : float
        0: a group weighs as much as it has clips. 1: all groups weigh the same. In between a
        group weighs its number of clips to the power of 1 less this.

    Returns
    -------
    ndarray of float64, shape (clips,)
        Weights whose sum is 1.

    Examples
    --------
    >>> balanced_weights(["a", "a", "a", "b"], [0, 0, 1, 1], 1.0, 1.0).tolist()
    [0.125, 0.125, 0.25, 0.5]
    """
    pairs = list(zip(corpora, labels, strict=True))
    of_corpus, of_pair = Counter(corpora), Counter(pairs)
    # What each corpus's labels weigh together, to be divided by.
    within: defaultdict[str, float] = defaultdict(float)
    for (corpus, _), clips in of_pair.items():
        within[corpus] += clips ** (1 - label_balance)
    weights = np.array(
        [
            of_corpus[corpus] ** (1 - corpus_balance)
            * of_pair[corpus, label] ** -label_balance
            / within[corpus]
            for corpus, label in pairs
        ]
    )
    return np.asarray(weights / weights.sum())


def order(
    weights: npt.NDArray[np.float64], draws: int, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Draw an epoch's clips by their weights and shuffle them.

    Drawn systematically (one random offset, then even steps along the cumulated weights), so
    that each clip occurs as often as its share says, to within one; with equal weights and as
    many draws as clips, exactly once.

    Parameters
    ----------
    weights : ndarray of float64, shape (clips,)
        Their sum is 1.
    draws : int
        How many clips to draw.
    random : numpy.random.Generator

    Returns
    -------
    ndarray of int64, shape (draws,)
        Indices of clips.
    """
    # Clips are laid out in a new order first, so that it is not always the same neighbours
    # that share a draw.
    shuffled = random.permutation(len(weights))
    points = (random.uniform() + np.arange(draws)) / draws  # [draws] in 0 … 1
    cumulated = np.cumsum(weights[shuffled])
    places = np.searchsorted(cumulated / cumulated[-1], points, side="right")
    # Rounding may put the last point past the end.
    drawn = shuffled[np.minimum(places, len(weights) - 1)]  # [draws]
    return np.asarray(random.permutation(drawn), np.int64)


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
        """Crop and augment one window of one clip, [n_mels, frames]."""
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
