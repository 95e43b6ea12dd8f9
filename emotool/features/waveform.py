"""The windows of models that take waveforms: scaled, padded and grouped by length."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.features.waveform_spec import InputSpec, WaveformSpec

__all__ = ["padded_groups", "waveforms"]

Floats: TypeAlias = npt.NDArray[np.float32]

_EPSILON: Final = 1e-7
"""Added to the variance, as the feature extractors of transformers do."""


def waveforms(sounds: Sequence[Floats], spec: WaveformSpec) -> Floats:
    """Scale windows and pad them with zeros to the longest of them.

    Parameters
    ----------
    sounds : sequence of numpy.ndarray
        float32 ``[<= spec.window_samples]`` each, finite.
    spec : WaveformSpec
        What the model receives.

    Returns
    -------
    numpy.ndarray
        float32 ``[len(sounds), samples of the longest]``.

    Examples
    --------
    >>> waveforms([np.float32([1, 3]), np.float32([0])], WaveformSpec()).round(3).tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    longest = max((sound.size for sound in sounds), default=0)
    windows = np.zeros((len(sounds), longest), np.float32)
    for window, sound in zip(windows, sounds, strict=True):
        window[: sound.size] = _scaled(sound) if spec.normalisation == "window" else sound
    return windows


def padded_groups(
    windows: Floats, lengths: Sequence[int], spec: InputSpec
) -> Iterator[tuple[int, Floats, Sequence[int]]]:
    """Split windows into neighbours that are padded to the same length.

    Parameters
    ----------
    windows : ndarray of float32
        As a worker has answered them.
    lengths : sequence of int
        Samples of each waveform without its padding.
    spec : SpectrogramSpec or WaveformSpec
        What the model takes.

    Yields
    ------
    int
        The padded length in samples; 0 for spectrograms, which all have one shape.
    ndarray of float32, shape (n, samples) or (n, n_mels, frames)
    sequence of int
        Their lengths.
    """
    if not isinstance(spec, WaveformSpec):
        yield 0, windows, ()
        return
    start = 0
    for padded, group in itertools.groupby(lengths, spec.padded):
        found = list(group)
        chosen = windows[start : start + len(found)]
        start += len(found)
        array = np.zeros((len(found), padded), np.float32)
        width = min(padded, chosen.shape[1])
        array[:, :width] = chosen[:, :width]
        yield padded, array, found


def _scaled(sound: Floats) -> Floats:
    """Shift and scale a window, float32 [n], to a mean of 0 and a variance of 1."""
    precise = sound.astype(np.float64)
    precise -= precise.mean()
    precise /= np.sqrt(np.square(precise).mean() + _EPSILON)
    return precise.astype(np.float32)
