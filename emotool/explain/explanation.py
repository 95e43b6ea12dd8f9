"""A clip's explanation: sound, spectrogram, evidence and probabilities on one time axis.

The evidence comes from the model's own output ``activation``; nothing but ONNX Runtime is
needed. Windows are those that the clip is labelled by.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.audio.stream import open_audio
from emotool.features.clip_features import ClipFeatures
from emotool.features.extraction import LONG_SECONDS, features_of
from emotool.features.mel import mel_power, power_to_db
from emotool.features.mel_scale import mel_filterbank
from emotool.features.spec import SpectrogramSpec
from emotool.features.waveform import padded_groups
from emotool.features.waveform_spec import InputSpec, WaveformSpec

if TYPE_CHECKING:
    from emotool.model.classifier import Classifier

__all__ = ["Explanation", "explain", "frequency_heights", "shown_spec"]

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
        Of ``spectrogram``: the model's, or for a model of waveforms the default one; ``samples``
        are at its ``sample_rate``.
    spectrogram : numpy.ndarray
        float32 ``[n_mels, frames]`` in dB, of all of ``samples``.
    evidence : numpy.ndarray or None
        float32 ``[height, columns]`` in 0 … 1 over mel bands (lowest first) and the whole time
        of ``samples``: what speaks for the label that each window was given, relative to the
        most that anything in the clip does. None if nothing does, or the model gives no evidence.
    starts_s : tuple of float
        Where each labelled window begins, in seconds.
    probabilities : numpy.ndarray
        float32 ``[windows, labels]``; no columns for a model without labels.
    dimensions : numpy.ndarray
        float32 ``[windows, dimensions]``; mostly no columns.
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
    dimensions: Floats
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
    shown = shown_spec(spec)
    limit = int(LONG_SECONDS * spec.sample_rate)
    with open_audio(path, spec.sample_rate) as stream:
        samples = stream.read(limit + 1)
        cut = samples.size > limit
        samples = samples[:limit]
        features = features_of(samples, spec, flags=stream.flags, long=cut)
    answers = _run(classifier, features)
    return Explanation(
        samples,
        shown,
        _spectrogram(samples, shown),
        _on_time_axis(answers, features.starts_s, samples.size / spec.sample_rate),
        features.starts_s,
        answers.probabilities,
        answers.dimensions,
        features,
        cut,
    )


def shown_spec(spec: InputSpec) -> SpectrogramSpec:
    """Return the specification of the spectrograms that are shown to people.

    Examples
    --------
    >>> shown_spec(WaveformSpec(sample_rate=8_000)).f_max
    4000.0
    """
    if not isinstance(spec, WaveformSpec):
        return spec
    return SpectrogramSpec(
        sample_rate=spec.sample_rate,
        window_seconds=spec.window_seconds,
        n_fft=spec.n_fft,
        hop_length=spec.hop_length,
        f_max=min(spec.f_max, SpectrogramSpec().f_max),
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


class _Answers(NamedTuple):
    """What a model gives for the windows of a clip."""

    probabilities: Floats  # [windows, labels]
    dimensions: Floats  # [windows, dimensions]
    maps: list[Floats]  # of each window, [height, width]; none without that output
    seconds: list[float]  # that each map covers


def _run(classifier: "Classifier", features: ClipFeatures) -> _Answers:
    """Run the model on the windows of a clip."""
    metadata, spec = classifier.metadata, classifier.spec
    names = {"probabilities": metadata.labels, "dimensions": metadata.dimensions}
    wanted = [name for name, there in names.items() if there]
    wanted += {"activation"} & set(metadata.extras)
    arrays = {name: [np.empty((0, len(there)), np.float32)] for name, there in names.items()}
    maps: list[Floats] = []
    seconds: list[float] = []
    at_once = 1 if isinstance(spec, WaveformSpec) else _WINDOWS_AT_ONCE
    for start in range(0, len(features.windows), at_once):
        windows = features.windows[start : start + at_once]
        lengths = features.lengths[start : start + at_once]
        for padded, group, sizes in padded_groups(windows, lengths, spec):
            found = classifier.run(group, wanted, sizes)
            for name in arrays.keys() & found.keys():
                arrays[name].append(found[name])
            maps += list(found.get("activation", ()))
            seconds += [padded / spec.sample_rate or spec.window_seconds] * len(group)
    empty = np.zeros((len(features.windows), 0), np.float32)
    values = {
        name: np.concatenate(arrays[name]) if there else empty for name, there in names.items()
    }
    return _Answers(values["probabilities"], values["dimensions"], maps, seconds)


def _on_time_axis(answers: _Answers, starts_s: Sequence[float], seconds: float) -> Floats | None:
    """Lay the maps of windows side by side where the windows lie, scaled to 0 … 1."""
    # What speaks against the label is not shown.
    maps = [np.maximum(np.nan_to_num(each), 0) for each in answers.maps]
    highest = max((float(each.max(initial=0)) for each in maps), default=0.0)
    if highest <= 0 or seconds <= 0:
        return None
    height, width = maps[0].shape
    columns = max(1, round(seconds * width / answers.seconds[0]))
    centres = (np.arange(columns) + 0.5) * (seconds / columns)  # s
    axis = np.zeros((height, columns), np.float32)
    for each, start, length in zip(maps, starts_s, answers.seconds, strict=True):
        width = each.shape[1]
        places = np.floor((centres - start) * (width / length)).astype(int)
        inside = (places >= 0) & (places < width)
        axis[:, inside] = each[:, places[inside]]
    axis /= highest
    return axis
