"""From samples to log-mel spectrograms: one definition, used by training and inference alike.

The definition is librosa's (McFee et al. 2015, doi:10.25080/Majora-7b98e3ed-003):
``librosa.feature.melspectrogram`` with a periodic Hann window, zero-padded centred frames
and Slaney's mel filters, then ``librosa.power_to_db(ref=1.0, amin=1e-10)``. Computed by
numpy alone, because librosa costs seconds to import.
"""

import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.features.mel_scale import mel_filterbank
from emotool.features.spec import SpectrogramSpec

__all__ = ["SpectrogramSpec", "log_mel", "log_mel_padded", "mel_power", "power_to_db"]

Floats: TypeAlias = npt.NDArray[np.float32]

_AMIN = 1e-10
"""Power below which everything counts as this (-100 dB), librosa's default."""

_DB_PER_E = np.float32(10.0 / np.log(10.0))
"""Decibels of a factor e: numpy's log takes a fifth of the time of its log10 in float32."""

_FRAMES_AT_ONCE = 64
"""Frames transformed together, in 1.3 MB of buffers: fewer calls than with 32 at a time, while 96
leave the core's cache and take longer."""

_PADDING_STEP = 4_096
"""Samples looked at together in search of the zeros that end a padded window."""

_MAX_KEPT = 1 << 20
"""Samples up to which working memory is kept: 8 MiB, a minute at 16 kHz."""

_BANDS_AT_ONCE = 16
"""Mel bands computed by one matrix product; each product skips the bins its bands lack."""


class _Bands(NamedTuple):
    """Neighbouring rows of the filterbank, without the bins where all of them are zero.

    Each bin is there twice, for the squares of its real and its imaginary part: the matrix
    product adds them, so that no pass over the spectrum is needed for that.
    """

    rows: slice
    parts: slice
    filters: Floats


@lru_cache(maxsize=8)
def _banded(spec: SpectrogramSpec) -> tuple[_Bands, ...]:
    """Cut the filterbank, nine tenths of which are zeros, into small dense blocks."""
    filters = mel_filterbank(spec)
    blocks = []
    for start in range(0, spec.n_mels, _BANDS_AT_ONCE):
        rows = slice(start, min(start + _BANDS_AT_ONCE, spec.n_mels))
        used = np.flatnonzero(filters[rows].any(axis=0))
        if used.size:
            first, end = int(used[0]), int(used[-1]) + 1
            doubled = np.repeat(filters[rows, first:end], 2, axis=1)  # [bands, 2 * bins]
            blocks.append(_Bands(rows, slice(2 * first, 2 * end), doubled))
    return tuple(blocks)


def _hann(n_fft: int) -> npt.NDArray[np.float64]:
    """Return the periodic Hann window, float64 ``[n_fft]``."""
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n_fft) / n_fft)


def mel_power(samples: Floats, spec: SpectrogramSpec) -> Floats:
    """Return the mel power spectrogram of each item of a batch.

    Equals ``librosa.feature.melspectrogram(y=…, power=2.0, center=True)`` at the same
    parameters. Each item is computed by itself: its result does not depend on the others.

    Parameters
    ----------
    samples : numpy.ndarray
        float32 ``[batch, n]``, finite, any ``n`` >= 1.
    spec : SpectrogramSpec
        What to compute; ``window_seconds`` is not used.

    Returns
    -------
    numpy.ndarray
        float32 ``[batch, n_mels, 1 + n // hop_length]``, not negative.
    """
    return _mel_power(samples, samples.shape[1], spec)


def _mel_power(sounds: Sequence[Floats] | Floats, length: int, spec: SpectrogramSpec) -> Floats:
    """Return the mel power of sounds of up to ``length`` samples, as if padded to it with zeros."""
    power = np.zeros((len(sounds), spec.n_mels, 1 + length // spec.hop_length), np.float32)
    buffers = _buffers(length, spec.n_fft)
    banded = _banded(spec)
    for sound, mels in zip(sounds, power, strict=True):
        frames = _sounding_frames(sound, length, spec)
        if frames:
            buffers.take(sound, (frames - 1) * spec.hop_length + spec.n_fft)
        framed = buffers.framed[:: spec.hop_length]  # [frames, n_fft]
        for start, stop in _spans(frames):
            _transform(framed[start:stop], mels[:, start:stop], banded, buffers)
    return power


class _Buffers(threading.local):
    """Working memory, one per thread, kept from call to call.

    Fresh memory costs a page fault per 4 KiB, which together take longer than the transforms.
    They run in float64: float32 is no faster in numpy, and its rounding noise would drown bands
    that lie 80 dB and more below the loudest.
    """

    def __init__(self) -> None:
        self.fit(0, 2)

    def fit(self, length: int, n_fft: int) -> None:
        """Make room for clips of ``length`` samples, zero-padded by half a frame each side."""
        self.length, self.n_fft = length, n_fft
        bins = 1 + n_fft // 2
        self.padded = np.zeros(length + n_fft, np.float64)
        self.framed = np.lib.stride_tricks.sliding_window_view(self.padded, n_fft)
        self.hann = _hann(n_fft)
        self.windowed = np.empty((_FRAMES_AT_ONCE, n_fft), np.float64)
        self.spectrum = np.empty((_FRAMES_AT_ONCE, bins), np.complex128)
        self.squares = np.empty((_FRAMES_AT_ONCE, 2 * bins), np.float32)

    def take(self, sound: Floats, used: int) -> None:
        """Put a sound behind half a frame of zeros; what is used of the rest becomes zero."""
        half = self.n_fft // 2
        self.padded[half : half + sound.size] = sound
        self.padded[half + sound.size : used] = 0.0


_THREAD_BUFFERS = _Buffers()


def _buffers(length: int, n_fft: int) -> _Buffers:
    """Return this thread's working memory; for very long clips, new memory."""
    if length > _MAX_KEPT:
        buffers = _Buffers()
        buffers.fit(length, n_fft)
        return buffers
    if (_THREAD_BUFFERS.length, _THREAD_BUFFERS.n_fft) != (length, n_fft):
        _THREAD_BUFFERS.fit(length, n_fft)
    return _THREAD_BUFFERS


def _sounding_frames(sound: Floats, length: int, spec: SpectrogramSpec) -> int:
    """Return how many frames hold sound: those in a window's padding do not.

    Exactly so many, however the window is padded, since matrix products of other shapes round
    differently.
    """
    stop = sound.size
    while stop > 0 and not sound[max(0, stop - _PADDING_STEP) : stop].any():
        stop -= _PADDING_STEP
    if stop <= 0:
        return 0
    start = max(0, stop - _PADDING_STEP)
    last = start + int(np.flatnonzero(sound[start:stop])[-1])
    # Frame i covers the samples from i * hop - n_fft / 2 up to i * hop + n_fft / 2 - 1.
    return min(last + spec.n_fft // 2, length) // spec.hop_length + 1


def _spans(frames: int) -> Iterator[tuple[int, int]]:
    for start in range(0, frames, _FRAMES_AT_ONCE):
        yield start, min(start + _FRAMES_AT_ONCE, frames)


def _transform(
    frames: npt.NDArray[np.float64], mels: Floats, banded: Sequence[_Bands], buffers: _Buffers
) -> None:
    """Write the mel power of ``frames`` [count, n_fft] into ``mels`` [n_mels, count]."""
    count = len(frames)
    windowed = np.multiply(frames, buffers.hann, out=buffers.windowed[:count])
    spectrum = np.fft.rfft(windowed, out=buffers.spectrum[:count])  # [count, bins]
    squares = buffers.squares[:count]  # [count, 2 * bins]
    # Real and imaginary parts side by side; rounded before they are squared, which is faster
    # than squaring in float64 and as exact as float32 can hold it.
    np.copyto(squares, spectrum.view(np.float64), casting="same_kind")
    np.multiply(squares, squares, out=squares)
    for bands in banded:
        np.matmul(bands.filters, squares[:, bands.parts].T, out=mels[bands.rows])


def power_to_db(power: Floats, top_db: float | None) -> Floats:
    """Return decibels relative to 1.0, limited downwards per item.

    Parameters
    ----------
    power : numpy.ndarray
        float32 ``[..., n_mels, frames]``, not negative.
    top_db : float or None
        Values further than this below an item's maximum (over the last two axes) are raised
        to that floor; None leaves them.

    Returns
    -------
    numpy.ndarray
        float32, the shape of ``power``, at least -100 dB.
    """
    decibels = np.maximum(power, np.float32(_AMIN))
    np.log(decibels, out=decibels)
    decibels *= _DB_PER_E
    if top_db is not None:
        loudest = decibels.max(axis=(-2, -1), keepdims=True)  # [..., 1, 1]
        np.maximum(decibels, loudest - np.float32(top_db), out=decibels)
    return decibels


def log_mel(samples: Floats, spec: SpectrogramSpec) -> Floats:
    """Return the log-mel spectrogram of each item of a batch.

    Parameters
    ----------
    samples : numpy.ndarray
        float32 ``[batch, n]``, finite; ``n`` is ``spec.window_samples`` for a model's input.
    spec : SpectrogramSpec
        What to compute.

    Returns
    -------
    numpy.ndarray
        float32 ``[batch, n_mels, 1 + n // hop_length]`` in dB, each item at most ``top_db``
        below its own maximum.

    Examples
    --------
    >>> spec = SpectrogramSpec()
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(48_000) / 16_000).astype(np.float32)
    >>> log_mel(tone[None], spec).shape
    (1, 128, 188)
    """
    return power_to_db(mel_power(samples, spec), spec.top_db)


def log_mel_padded(sounds: Sequence[Floats], spec: SpectrogramSpec) -> Floats:
    """Return the log-mel spectrogram of windows of which only the sound is given.

    Equals `log_mel` of the windows padded with zeros, to the bit, without making them.

    Parameters
    ----------
    sounds : sequence of numpy.ndarray
        float32 ``[<= spec.window_samples]`` each, finite.
    spec : SpectrogramSpec
        What to compute.

    Returns
    -------
    numpy.ndarray
        float32 ``[len(sounds), n_mels, spec.frames]`` in dB.
    """
    return power_to_db(_mel_power(sounds, spec.window_samples, spec), spec.top_db)
