"""Where the sound of a clip begins and ends: librosa's rule, to the sample, ten times as fast."""

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.features.spec import SpectrogramSpec  # noqa: F401 - for the examples
from emotool.features.waveform_spec import InputSpec

__all__ = ["cut_sounds", "cut_windows", "least_tail", "trim"]


Floats: TypeAlias = npt.NDArray[np.float32]


_FRAMES_AT_ONCE = 1_024
"""Frames whose squares are held at once: 4 MiB at 1,024 samples per frame."""


_TEN, _AMIN = np.float32(10.0), np.float32(1e-10)


_DOUBT = 2.3e-4
"""A frame whose power is as close to the limit (0.001 dB) is measured again as librosa does it."""


def trim(samples: Floats, spec: InputSpec) -> tuple[int, int]:
    """Return where the sound of a clip begins and ends.

    Frames quieter than ``trim_db`` below the loudest are cut from both ends. The limits are
    those of ``librosa.effects.trim(samples, top_db=spec.trim_db, frame_length=spec.n_fft,
    hop_length=spec.hop_length)``, to the sample.

    Parameters
    ----------
    samples : numpy.ndarray
        float32 ``[n]``, finite.
    spec : SpectrogramSpec or WaveformSpec
        Its ``trim_db`` (None: nothing is cut), ``n_fft`` and ``hop_length`` are used.

    Returns
    -------
    start, stop : int
        ``samples[start:stop]`` is what remains; never empty unless ``samples`` is.

    Examples
    --------
    >>> samples = np.zeros(16_000, np.float32)
    >>> samples[4_000:8_000] = 0.5
    >>> trim(samples, SpectrogramSpec())
    (3584, 8704)
    """
    if spec.trim_db is None or not samples.size:
        return 0, samples.size
    loud = np.flatnonzero(_is_loud(samples, spec.trim_db, spec))
    start = int(loud[0]) * spec.hop_length
    stop = min(samples.size, (int(loud[-1]) + 1) * spec.hop_length)
    # A frame is centred on its first sample: the very last may hold none of its own.
    return (start, stop) if start < stop else (0, samples.size)


def _is_loud(samples: Floats, trim_db: float, spec: InputSpec) -> npt.NDArray[np.bool_]:
    """Return which centred frames stay, bool ``[1 + n // hop_length]``."""
    if spec.n_fft % (2 * spec.hop_length) == 0:
        power = _quick_power(samples, spec)
        limit = float(power.max()) * 10.0 ** (-trim_db / 10.0)
        # Below `_AMIN`, librosa takes all frames for equally quiet.
        if limit > _AMIN and np.abs(power - limit).min() > _DOUBT * limit:
            quick: npt.NDArray[np.bool_] = power > limit
            return quick
    half = spec.n_fft // 2
    padded = np.zeros(samples.size + spec.n_fft, np.float32)  # np.pad takes three times as long
    padded[half : half + samples.size] = samples
    return _below_loudest(_exact_power(padded, spec)) > -trim_db


def _quick_power(samples: Floats, spec: InputSpec) -> Floats:
    """Return the mean square of each centred frame from sums that neighbouring frames share.

    Half a frame is some hops long, so each hop is squared once. The sums are right to a few
    units of float32's last place, a hundredth of `_DOUBT`.
    """
    per_frame = spec.n_fft // spec.hop_length
    whole = samples.size // spec.hop_length
    end = whole * spec.hop_length
    hops, rest = samples[:end].reshape(-1, spec.hop_length), samples[end:]
    energy = np.zeros(whole + per_frame, np.float32)  # [hops], half a frame of nothing each side
    first = per_frame // 2
    np.einsum("ij,ij->i", hops, hops, out=energy[first : first + whole])
    energy[first + whole] = np.einsum("i,i", rest, rest)
    frames = whole + 1
    total: Floats = energy[:frames].copy()  # [frames]
    for offset in range(1, per_frame):
        total += energy[offset : offset + frames]
    total /= np.float32(spec.n_fft)
    return total


def _exact_power(padded: Floats, spec: InputSpec) -> Floats:
    """Return the mean square of each frame by librosa's arithmetic, in its order."""
    framed = np.lib.stride_tricks.sliding_window_view(padded, spec.n_fft)
    framed = framed[:: spec.hop_length]  # [frames, n_fft]
    power = np.empty(len(framed), np.float32)
    for start in range(0, len(framed), _FRAMES_AT_ONCE):
        block = framed[start : start + _FRAMES_AT_ONCE]
        np.mean(np.square(block), axis=-1, out=power[start : start + _FRAMES_AT_ONCE])
    return power


def _below_loudest(power: Floats) -> Floats:
    """Return each frame's level in dB below the loudest, in librosa's float32 arithmetic."""
    magnitude = np.sqrt(power)
    loudest = magnitude.max()
    decibels: Floats = _TEN * np.log10(np.maximum(_AMIN, np.square(magnitude)))
    decibels -= _TEN * np.log10(np.maximum(_AMIN, np.square(loudest)))
    return decibels


def cut_windows(samples: Floats, spec: InputSpec, hop: int | None = None) -> Floats:
    """Cut samples into windows of equal length, the last one padded with zeros.

    A last window with less than ``spec.tail_seconds`` of sound that the one before has not is
    dropped, unless it is the only one.

    Parameters
    ----------
    samples : numpy.ndarray
        float32 ``[n]``.
    spec : SpectrogramSpec or WaveformSpec
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
    samples: Floats, spec: InputSpec, hop: int, count: int | None = None
) -> list[Floats]:
    """Cut samples into windows that are not padded: the last ones may be shorter.

    Parameters
    ----------
    samples : numpy.ndarray
        float32 ``[n]``.
    spec : SpectrogramSpec or WaveformSpec
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


def least_tail(spec: InputSpec) -> int:
    """Return how many samples of its own a last window must have, at least one.

    Examples
    --------
    >>> least_tail(SpectrogramSpec(tail_seconds=0.5, sample_rate=16_000))
    8000
    """
    return max(1, math.ceil(spec.tail_seconds * spec.sample_rate))


def _window_count(length: int, spec: InputSpec, hop: int) -> int:
    """Return how many windows so many samples make."""
    more = length - spec.window_samples - least_tail(spec)  # than a second window must have
    return min(length, 1) + (more // hop + 1 if more >= 0 else 0)
