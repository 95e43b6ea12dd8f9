"""From a clip to the windows, of log-mel spectrogram or waveform, that a model labels.

Training, evaluation and classification all come through here.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.audio.channels import DC_OFFSET
from emotool.audio.stream import AudioStream, open_audio
from emotool.errors import AudioError
from emotool.features.clip_features import ClipFeatures
from emotool.features.mel import log_mel_padded
from emotool.features.peaks import peaks_of
from emotool.features.spec import SpectrogramSpec
from emotool.features.waveform import waveforms
from emotool.features.waveform_spec import InputSpec, WaveformSpec
from emotool.features.windowing import cut_sounds, cut_windows, least_tail, trim

__all__ = [
    "LONG_SECONDS",
    "SILENCE_DBFS",
    "cut_windows",
    "extract",
    "features_of",
    "iter_extract",
    "trim",
]

Floats: TypeAlias = npt.NDArray[np.float32]

LONG_SECONDS: Final = 60.0
"""Clips longer than this are streamed: not trimmed, flagged ``long``."""

SILENCE_DBFS: Final = -70.0
"""A clip whose peak stays below this (re full scale, its mean removed) is silent."""

_SILENT_PEAK: Final = 10.0 ** (SILENCE_DBFS / 20.0)
_MAX_EXTRACT_SECONDS: Final = 3_600.0


def extract(path: str | os.PathLike[str], spec: SpectrogramSpec) -> ClipFeatures:
    """Return the features of a whole clip of at most an hour.

    Parameters
    ----------
    path : str or os.PathLike
        An audio file.
    spec : SpectrogramSpec
        What to compute.

    Returns
    -------
    ClipFeatures
        All windows; ``duration_s`` is the clip's.

    Raises
    ------
    AudioError
        If the clip cannot be used, or is longer than an hour (see `iter_extract`).
    """
    parts = []
    for part in iter_extract(path, spec):
        parts.append(part)
        if sum(part.duration_s for part in parts) > _MAX_EXTRACT_SECONDS:
            raise AudioError("features", "longer than an hour: too long to be read as a whole")
    if len(parts) == 1:
        return parts[0]
    return ClipFeatures(
        "ok" if any(part.status == "ok" for part in parts) else "silent",
        np.concatenate([part.windows for part in parts]),  # [windows, n_mels, frames]
        sum(part.duration_s for part in parts),
        parts[-1].flags,
        tuple(start for part in parts for start in part.starts_s),
        tuple(end for part in parts for end in part.ends_s),
    )


def iter_extract(
    path: str | os.PathLike[str],
    spec: InputSpec,
    block_windows: int = 32,
    hop_seconds: float | None = None,
    measured: SpectrogramSpec | None = None,
) -> Iterator[ClipFeatures]:
    """Yield the features of a clip of any length, in flat memory.

    A clip of up to `LONG_SECONDS` is trimmed and gives exactly one part. A longer one is not
    trimmed and gives parts of at most ``block_windows`` windows; the clip as a whole is ``ok``
    if any of its parts is. Windows of silence are left out unless a clip has no others, so a
    part may have none and the status ``silent``.

    Parameters
    ----------
    path : str or os.PathLike
        An audio file.
    spec : SpectrogramSpec or WaveformSpec
        What to compute.
    block_windows : int
        Most windows per part.
    hop_seconds : float, optional
        From one window's start to the next's, above 0; the window's length if not given, or if
        it is longer: no sound is left out.
    measured : SpectrogramSpec, optional
        Compute the same windows by this specification as well; of the same sample rate.

    Yields
    ------
    ClipFeatures
        At least one.

    Raises
    ------
    AudioError
        If the clip cannot be decoded to its end; parts before it have been given.
    """
    hop = spec.window_samples
    if hop_seconds is not None:
        # The lesser of the two before it is rounded: infinity is longer than a window too.
        hop = max(1, round(min(hop_seconds * spec.sample_rate, hop)))
    cutting = _Cutting(spec, hop, measured)
    with open_audio(path, spec.sample_rate) as stream:
        limit = int(LONG_SECONDS * spec.sample_rate)
        head = stream.read(limit + 1)
        if head.size > limit:
            parts = _long_parts(head, stream, cutting, max(1, block_windows))
        else:
            parts = iter([_short_clip(head, stream.flags, cutting)])
        for part in parts:
            yield replace(_ending_with(stream, part), source_rate=stream.source_rate)


def _ending_with(stream: AudioStream, part: ClipFeatures) -> ClipFeatures:
    """Let a window that goes to the clip's end, end there, to the file's own sample.

    Resampling rounds a clip's length to a sample at the model's rate: 48 kHz have three times
    as many.
    """
    end = stream.seconds
    if end is None or not part.ends_s or abs(part.ends_s[-1] - end) * stream.sample_rate > 0.75:
        return part
    # With overlap, several windows may reach the end.
    last = part.ends_s[-1]
    ends = tuple(end if each == last else each for each in part.ends_s)
    return replace(part, ends_s=ends)


def features_of(
    samples: Floats, spec: InputSpec, *, flags: tuple[str, ...] = (), long: bool = False
) -> ClipFeatures:
    """Return the features of samples that are decoded already.

    Parameters
    ----------
    samples : numpy.ndarray
        float32 ``[n]`` at ``spec.sample_rate``: a whole clip, or the beginning of a long one.
    spec : SpectrogramSpec or WaveformSpec
        What to compute.
    flags : tuple of str
        What is known of the recording.
    long : bool
        Whether it continues for longer than `LONG_SECONDS`: it is not trimmed then.

    Returns
    -------
    ClipFeatures
        What `extract` gives for them.
    """
    cutting = _Cutting(spec, spec.window_samples)
    if long:
        return _long_part(samples, 0, flags, cutting)
    return _short_clip(samples, flags, cutting)


@dataclass(frozen=True, slots=True)
class _Cutting:
    """What to compute, how far windows are apart, in samples, and what to measure, if another."""

    spec: InputSpec
    hop: int
    measured: SpectrogramSpec | None = None


def _short_clip(samples: Floats, flags: tuple[str, ...], cutting: _Cutting) -> ClipFeatures:
    spec = cutting.spec
    duration = samples.size / spec.sample_rate
    if not samples.size or duration < spec.min_seconds:
        return ClipFeatures("too_short", _no_windows(spec), duration, flags)
    if _is_silent(samples):
        # Without sound, an offset has changed nothing.
        found = tuple(flag for flag in flags if flag != DC_OFFSET)
        return ClipFeatures("silent", _no_windows(spec), duration, found)
    start, stop = trim(samples, spec)
    return _heard(_cut(samples[start:stop], start, cutting), samples, duration, flags, cutting)


def _long_parts(
    head: Floats, stream: AudioStream, cutting: _Cutting, block_windows: int
) -> Iterator[ClipFeatures]:
    """Yield the parts of a long clip, of which ``head`` has been read."""
    size = (block_windows - 1) * cutting.hop + cutting.spec.window_samples
    step = block_windows * cutting.hop
    # With a tail behind them, all these windows have one that the window before has not.
    enough = size + least_tail(cutting.spec)
    offset = 0
    while True:
        if head.size < enough:
            head = np.concatenate([head, stream.read(enough - head.size)])
        if head.size < enough:
            yield _long_part(head, offset, stream.flags, cutting)
            return
        yield _long_part(head[:size], offset, stream.flags, cutting, block_windows)
        head = head[step:]  # what the next part's windows share with these stays
        offset += step


def _long_part(
    part: Floats,
    offset: int,
    flags: tuple[str, ...],
    cutting: _Cutting,
    count: int | None = None,
) -> ClipFeatures:
    """Return the features of a part: so many windows if it continues, else to the clip's end."""
    spec = cutting.spec
    duration = (part.size if count is None else count * cutting.hop) / spec.sample_rate
    flags = (*flags, "long")
    if _is_silent(part):
        return ClipFeatures("silent", _no_windows(spec), duration, flags)
    return _heard(_cut(part, offset, cutting, count), part, duration, flags, cutting)


class _Windows(NamedTuple):
    """Windows of sound, and where each begins and ends (s)."""

    sounds: list[Floats]
    starts: tuple[float, ...]
    ends: tuple[float, ...]


def _heard(
    cut: _Windows, samples: Floats, duration: float, flags: tuple[str, ...], cutting: _Cutting
) -> ClipFeatures:
    """Return the features of samples that are not silent."""
    spec, sounds = cutting.spec, cut.sounds
    lengths: tuple[int, ...] = ()
    if isinstance(spec, WaveformSpec):
        windows = waveforms(sounds, spec)
        lengths = tuple(sound.size for sound in sounds)
    else:
        windows = log_mel_padded(sounds, spec)
    return ClipFeatures(
        "ok",
        windows,
        duration,
        flags,
        cut.starts,
        cut.ends,
        peaks_of(samples),
        measured=None if cutting.measured is None else log_mel_padded(sounds, cutting.measured),
        lengths=lengths,
    )


def _cut(samples: Floats, offset: int, cutting: _Cutting, count: int | None = None) -> _Windows:
    """Cut samples that are not silent; silent windows are left out, unless there is no other."""
    spec, hop, size = cutting.spec, cutting.hop, cutting.spec.window_samples
    sounds = cut_sounds(samples, spec, hop, count)
    heard = list(range(len(sounds)))
    if len(sounds) > 1:
        heard = [index for index in heard if not _is_silent(sounds[index])] or heard
    starts = tuple((offset + index * hop) / spec.sample_rate for index in heard)
    ends = tuple(
        (offset + min(index * hop + size, samples.size)) / spec.sample_rate for index in heard
    )
    return _Windows([sounds[index] for index in heard], starts, ends)


def _is_silent(samples: Floats) -> bool:
    """Return whether a window is silent: a constant (DC) is no sound, so the mean is removed."""
    low, high = float(samples.min()), float(samples.max())
    if (high - low) / 2 >= _SILENT_PEAK:  # whatever the mean is
        return False
    mean = float(samples.mean(dtype=np.float64))
    return max(high - mean, mean - low) < _SILENT_PEAK


def _no_windows(spec: InputSpec) -> Floats:
    if isinstance(spec, WaveformSpec):
        return np.empty((0, 0), np.float32)
    return np.empty((0, spec.n_mels, spec.frames), np.float32)
