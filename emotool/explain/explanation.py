"""A clip's explanation: sound, spectrogram, evidence and probabilities on one time axis.

The evidence comes from the model's own output ``activation``; nothing but ONNX Runtime is
needed. Windows are those that the clip is labelled by.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.audio.stream import open_audio
from emotool.features.clip_features import ClipFeatures
from emotool.features.extraction import LONG_SECONDS, features_of
from emotool.features.mel import mel_power, power_to_db
from emotool.features.mel_scale import mel_filterbank
from emotool.features.spec import SpectrogramSpec

if TYPE_CHECKING:
    from emotool.model.classifier import Classifier

__all__ = ["Explanation", "explain", "frequency_heights"]

Floats: TypeAlias = npt.NDArray[np.float32]

_WINDOWS_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class Explanation:
    """A clip with the model's evidence, at most its first `LONG_SECONDS` of it.

    Parameters
    ----------
    samples : numpy.ndarray
        float32 ``[n]``, mono, full scale ±1.
    spec : SpectrogramSpec
        The model's; ``samples`` are at its ``sample_rate``.
    spectrogram : numpy.ndarray
        float32 ``[n_mels, frames]`` in dB, of all of ``samples``.
    evidence : numpy.ndarray or None
        float32 ``[height, columns]`` in 0 … 1 over mel bands (lowest first) and the whole time
        of ``samples``: what speaks for the label that each window was given, relative to the
        most that anything in the clip does. None if nothing does.
    starts_s : tuple of float
        Where each labelled window begins, in seconds.
    probabilities : numpy.ndarray
        float32 ``[windows, labels]``.
    features : ClipFeatures
        ``status`` and ``flags`` of the clip.
    cut : bool
        Whether the clip continues after this.
    """

    samples: Floats
    spec: SpectrogramSpec
    spectrogram: Floats
    evidence: Floats | None
    starts_s: tuple[float, ...]
    probabilities: Floats
    features: ClipFeatures
    cut: bool

    @property
    def seconds(self) -> float:
        """Length of ``samples`` in seconds."""
        return self.samples.size / self.spec.sample_rate


def explain(path: str | os.PathLike[str], classifier: "Classifier") -> Explanation:
    """Look at a clip, or the beginning of a long one, through a model.

    Parameters
    ----------
    path : str or os.PathLike
        An audio file.
    classifier : Classifier
        A loaded model.

    Returns
    -------
    Explanation

    Raises
    ------
    AudioError
        If the clip cannot be decoded.
    ModelError
        If the model fails on it.
    """
    spec = classifier.spec
    limit = int(LONG_SECONDS * spec.sample_rate)
    with open_audio(path, spec.sample_rate) as stream:
        samples = stream.read(limit + 1)
        cut = samples.size > limit
        samples = samples[:limit]
        features = features_of(samples, spec, flags=stream.flags, long=cut)
    probabilities, maps = _run(classifier, features.windows)
    seconds = samples.size / spec.sample_rate
    return Explanation(
        samples,
        spec,
        _spectrogram(samples, spec),
        _on_time_axis(maps, features.starts_s, spec.window_seconds, seconds),
        features.starts_s,
        probabilities,
        features,
        cut,
    )


def frequency_heights(spec: SpectrogramSpec, hertz: Sequence[float]) -> list[float]:
    """Say how high frequencies lie in a mel spectrogram, 0 (bottom edge) to 1 (top edge).

    Examples
    --------
    >>> [round(height, 2) for height in frequency_heights(SpectrogramSpec(), [1_000, 4_000])]
    [0.33, 0.78]
    """
    filters = mel_filterbank(spec)  # [n_mels, bins]
    bins = np.fft.rfftfreq(spec.n_fft, 1.0 / spec.sample_rate)  # [bins] Hz
    sums = filters.sum(axis=1)
    used = np.flatnonzero(sums)
    centres = (filters[used] @ bins) / sums[used]  # Hz
    bands = np.interp(hertz, centres, used + 0.5)  # in bands from the bottom edge
    return [float(height) for height in bands / spec.n_mels]


def _spectrogram(samples: Floats, spec: SpectrogramSpec) -> Floats:
    """Return dB [n_mels, frames] of the whole clip, silence before and after included."""
    if not samples.size:
        return np.zeros((spec.n_mels, 1), np.float32)
    decibels = power_to_db(mel_power(samples[None], spec), spec.top_db)  # [1, n_mels, frames]
    only: Floats = decibels[0]
    return only


def _run(classifier: "Classifier", log_mels: Floats) -> tuple[Floats, Floats]:
    """Return probabilities [windows, labels] and evidence [windows, height, width]."""
    probabilities = [np.empty((0, len(classifier.labels)), np.float32)]
    maps = []
    for start in range(0, len(log_mels), _WINDOWS_AT_ONCE):
        windows = log_mels[start : start + _WINDOWS_AT_ONCE]  # [batch, n_mels, frames]
        found = classifier.run(windows, ("probabilities", "activation"))
        probabilities.append(found["probabilities"])
        maps.append(found["activation"])
    every_map = np.concatenate(maps) if maps else np.empty((0, 1, 1), np.float32)
    return np.concatenate(probabilities), every_map


def _on_time_axis(
    maps: Floats, starts_s: Sequence[float], window_seconds: float, seconds: float
) -> Floats | None:
    """Lay the maps of windows side by side where the windows lie, scaled to 0 … 1."""
    maps = np.maximum(np.nan_to_num(maps), 0)  # what speaks against the label is not shown
    highest = float(maps.max(initial=0))
    if highest <= 0 or seconds <= 0:
        return None
    _, height, width = maps.shape
    columns = max(1, round(seconds * width / window_seconds))
    centres = (np.arange(columns) + 0.5) * (seconds / columns)  # s
    axis = np.zeros((height, columns), np.float32)
    for each, start in zip(maps, starts_s, strict=True):
        places = np.floor((centres - start) * (width / window_seconds)).astype(int)
        inside = (places >= 0) & (places < width)
        axis[:, inside] = each[:, places[inside]]
    axis /= highest
    return axis
