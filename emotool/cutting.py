"""Where windows of a clip lie: every hop, and a last one if enough of its sound is new."""

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.spec import SpectrogramSpec

__all__ = ["cut_sounds", "cut_windows", "least_tail"]

Floats: TypeAlias = npt.NDArray[np.float32]


def cut_windows(samples: Floats, spec: SpectrogramSpec, hop: int | None = None) -> Floats:
    """Cut samples into windows of equal length, the last one padded with zeros.

    A last window with less than ``spec.tail_seconds`` of sound that the one before has not is
    dropped, unless it is the only one.

    Parameters
    ----------
    samples : numpy.ndarray
        float32 ``[n]``.
    spec : SpectrogramSpec
        Its ``window_seconds`` and ``tail_seconds`` are used.
    hop : int, optional
        Samples from one window's start to the next's, 1 to the window's length; that length if
        not given, so that windows do not overlap.

    Returns
    -------
    numpy.ndarray
        float32 ``[windows, window_samples]``; no window if ``samples`` is empty.
    """
    sounds = cut_sounds(samples, spec, hop or spec.window_samples)
    windows = np.zeros((len(sounds), spec.window_samples), np.float32)
    for window, sound in zip(windows, sounds, strict=True):
        window[: sound.size] = sound
    return windows


def cut_sounds(
    samples: Floats, spec: SpectrogramSpec, hop: int, count: int | None = None
) -> list[Floats]:
    """Cut samples into windows that are not padded: the last ones may be shorter.

    Parameters
    ----------
    samples : numpy.ndarray
        float32 ``[n]``.
    spec : SpectrogramSpec
        Its ``window_seconds`` and ``tail_seconds`` are used.
    hop : int
        Samples from one window's start to the next's, 1 or more.
    count : int, optional
        How many windows, where it is known that the sound goes on; else those that
        `cut_windows` gives.

    Returns
    -------
    list of numpy.ndarray
        float32 ``[<= window_samples]`` each, views of ``samples``.

    Examples
    --------
    >>> spec = SpectrogramSpec()
    >>> [sound.size for sound in cut_sounds(np.zeros(100_000, np.float32), spec, 48_000)]
    [48000, 48000]
    >>> [sound.size for sound in cut_sounds(np.zeros(104_000, np.float32), spec, 48_000)]
    [48000, 48000, 8000]
    """
    size = spec.window_samples
    count = _window_count(samples.size, spec, hop) if count is None else count
    return [samples[index * hop : index * hop + size] for index in range(count)]


def least_tail(spec: SpectrogramSpec) -> int:
    """Return how many samples of its own a last window must have, at least one.

    Examples
    --------
    >>> least_tail(SpectrogramSpec(tail_seconds=0.5, sample_rate=16_000))
    8000
    """
    return max(1, math.ceil(spec.tail_seconds * spec.sample_rate))


def _window_count(length: int, spec: SpectrogramSpec, hop: int) -> int:
    """Return how many windows so many samples make."""
    more = length - spec.window_samples - least_tail(spec)  # than a second window must have
    return min(length, 1) + (more // hop + 1 if more >= 0 else 0)
