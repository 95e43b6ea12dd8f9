"""From an audio file to mono float32 samples at the rate a model wants.

Everything libsndfile reads is read. The header is believed about the format, never about the
length: files are decoded in blocks until they end, in flat memory however long they are.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile

from emotool.audio_file import DECODABLE_SUFFIXES, FOREIGN_SUFFIXES, explain, open_regular
from emotool.errors import AudioError

__all__ = [
    "DECODABLE_SUFFIXES",
    "FOREIGN_SUFFIXES",
    "Audio",
    "AudioStream",
    "open_audio",
    "read_audio",
    "stream_audio",
]

Floats: TypeAlias = npt.NDArray[np.float32]

_RATES: Final = (2_000, 768_000)
"""Sample rates (Hz) that are taken for real."""

_BLOCK_VALUES: Final = 1 << 20
"""Values (frames times channels) decoded at once: 4 MiB of float32, a minute at 16 kHz."""

_MAX_READ_SECONDS: Final = 3_600.0
"""Longest clip that `read_audio` takes into memory as a whole."""

_LOUDEST: Final = 1e9
"""Absolute sample values above this are damage: full scale is 1."""

_CLIP_LEVEL: Final = 0.999
_CLIP_RUN: Final = 3
"""A channel that stays at full scale for this many samples was clipped."""


@dataclass(frozen=True, slots=True)
class Audio:
    """A decoded clip.

    Parameters
    ----------
    samples : numpy.ndarray
        float32 ``[n]``, the mean of the channels, full scale ±1.
    sample_rate : int
        Samples per second (Hz) of ``samples``.
    duration_s : float
        Decoded length in seconds.
    source_rate, channels : int
        The file's own sample rate (Hz) and number of channels.
    clipped : bool
        Whether a channel stays at full scale for three samples or more.
    """

    samples: Floats
    sample_rate: int
    duration_s: float
    source_rate: int
    channels: int
    clipped: bool


class _SequentialFile(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file read from start to end.

    soundfile seeks after each read of a seekable file and limits reads by the header's
    length; decoding in one go needs neither, and MP3 seeks are slow and inexact.
    """

    def seekable(self) -> bool:
        return False


class AudioStream:
    """An open clip, read piece by piece; made by `open_audio`.

    Attributes
    ----------
    sample_rate : int
        Samples per second (Hz) of what `read` gives.
    source_rate, channels : int
        The file's own sample rate (Hz) and number of channels.
    clipped : bool
        Whether clipping was met so far.
    """

    def __init__(self, file: Any, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.source_rate = int(file.samplerate)
        self.channels = int(file.channels)
        self.clipped = False
        self._file = file
        self._ended = False
        self._decoded = 0  # frames
        self._pending: list[Floats] = []  # resampled, not yet asked for
        self._resampler = self._make_resampler()

    def _make_resampler(self) -> Any:
        low, high = _RATES
        if not low <= self.source_rate <= high:
            raise AudioError(
                "open", f"a sample rate of {self.source_rate} Hz is not within {low} to {high} Hz"
            )
        if self.source_rate == self.sample_rate:
            return None
        import soxr  # only where a clip has another rate: most corpora do not

        return soxr.ResampleStream(self.source_rate, self.sample_rate, 1, dtype="float32")

    def read(self, count: int) -> Floats:
        """Return the next ``count`` samples, fewer only at the end of the clip.

        Where pieces are cut has no influence on the samples.

        Parameters
        ----------
        count : int
            How many samples, at `sample_rate`.

        Returns
        -------
        numpy.ndarray
            float32 ``[<= count]``, mono.

        Raises
        ------
        AudioError
            If the clip cannot be decoded further or holds values that are no sound.
        """
        have = sum(piece.size for piece in self._pending)
        while have < count and not self._ended:
            piece = self._resample(self._decode())
            self._pending.append(piece)
            have += piece.size
        if len(self._pending) == 1:
            joined = self._pending[0]
        else:
            joined = np.concatenate([np.empty(0, np.float32), *self._pending])
        self._pending = [joined[count:]] if have > count else []
        return joined[:count]

    def _decode(self) -> Floats:
        """Return the next block at the file's own rate, as mono; mark the end."""
        promised = int(self._file.frames) - self._decoded
        # One more than promised, so that the last block is seen to be the last.
        size = max(1, min(_BLOCK_VALUES // self.channels, promised + 1))
        try:
            block = self._file.read(size, dtype="float32", always_2d=True)  # [n, channels]
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise AudioError("decode", _decoder_reason(error)) from error
        self._decoded += len(block)
        if len(block) < size:
            self._ended = True
            self._check_length()
        if not len(block):
            return np.empty(0, np.float32)
        self._inspect(block)
        return _mono(block)

    def _check_length(self) -> None:
        """Raise AudioError if the decoder gave up before the end that the file names."""
        promised = int(self._file.frames)
        # Where MP3 has no exact length, the header's is an estimate.
        if self._decoded < promised and self._file.format not in ("MP3", "MPEG"):
            raise AudioError(
                "decode",
                f"damaged or cut off: {self._decoded} of {promised} samples can be decoded",
            )

    def _inspect(self, block: Floats) -> None:
        """Look for values that are no sound, and for clipping."""
        low, high = float(block.min()), float(block.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            raise AudioError("decode", "samples that are no numbers (NaN or infinity)")
        if max(-low, high) > _LOUDEST:
            raise AudioError("decode", f"samples beyond ±{_LOUDEST:.0e}, where full scale is 1")
        if not self.clipped and max(-low, high) >= _CLIP_LEVEL:
            self.clipped = _is_clipped(block)

    def _resample(self, block: Floats) -> Floats:
        if self._resampler is None:
            return block
        try:
            resampled: Floats = self._resampler.resample_chunk(block, last=self._ended)
        except (RuntimeError, ValueError) as error:
            raise AudioError("resample", str(error)) from error
        return resampled


def _mono(block: Floats) -> Floats:
    """Return the mean of the channels: [n, channels] -> [n]."""
    if block.shape[1] == 1:
        return block[:, 0]
    mean = block[:, 0].copy()  # [n]
    for channel in range(1, block.shape[1]):
        mean += block[:, channel]
    mean *= np.float32(1.0 / block.shape[1])
    return mean


def _is_clipped(block: Floats) -> bool:
    """Return whether a channel of ``block`` [n, channels] stays at full scale."""
    full = np.abs(block) >= _CLIP_LEVEL
    run = full[: max(0, len(full) - _CLIP_RUN + 1)].copy()
    for offset in range(1, _CLIP_RUN):
        run &= full[offset : offset + len(run)]
    return bool(run.any())


def _decoder_reason(error: Exception) -> str:
    reason = str(getattr(error, "error_string", "") or error)
    return f"the decoder gave up ({reason.rstrip('. ')})"


@contextmanager
def open_audio(path: str | os.PathLike[str], sample_rate: int) -> Iterator[AudioStream]:
    """Open a clip to be read piece by piece.

    Parameters
    ----------
    path : str or os.PathLike
        A regular file in any format libsndfile reads, whatever its name ends in.
    sample_rate : int
        Rate (Hz) to which the samples are brought (soxr, "HQ").

    Yields
    ------
    AudioStream
        Usable within the ``with`` block.

    Raises
    ------
    AudioError
        If the file is not audio that can be read; says what it is and what to do.
    """
    name = os.fspath(path)
    with open_regular(name) as descriptor:
        # C runtimes of Windows do not share descriptors; names do everywhere but in non-UTF-8
        # paths, which only exist elsewhere.
        source = name if os.name == "nt" else descriptor
        try:
            file = _SequentialFile(source, closefd=False)
        except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
            reason = str(getattr(error, "error_string", "") or error)
            raise explain(name, descriptor, reason) from error
        with file:
            yield AudioStream(file, sample_rate)


def read_audio(path: str | os.PathLike[str], sample_rate: int) -> Audio:
    """Decode a whole clip of at most an hour.

    Parameters
    ----------
    path : str or os.PathLike
        A regular file in any format libsndfile reads.
    sample_rate : int
        Rate (Hz) to which the samples are brought.

    Returns
    -------
    Audio
        Mono samples and what is known of the file.

    Raises
    ------
    AudioError
        If the file cannot be read as audio, or is longer than an hour (see `stream_audio`).
    """
    limit = int(_MAX_READ_SECONDS * sample_rate)
    with open_audio(path, sample_rate) as stream:
        samples = stream.read(limit + 1)
        if samples.size > limit:
            raise AudioError("decode", "longer than an hour: too long to be read as a whole")
        return Audio(
            samples,
            sample_rate,
            samples.size / sample_rate,
            stream.source_rate,
            stream.channels,
            stream.clipped,
        )


def stream_audio(
    path: str | os.PathLike[str], sample_rate: int, block_seconds: float = 10.0
) -> Iterator[Floats]:
    """Decode a clip of any length in flat memory.

    Parameters
    ----------
    path : str or os.PathLike
        A regular file in any format libsndfile reads.
    sample_rate : int
        Rate (Hz) to which the samples are brought.
    block_seconds : float
        Length of the blocks.

    Yields
    ------
    numpy.ndarray
        float32 ``[round(block_seconds * sample_rate)]``, the last one shorter, never empty.
        Together they are the very samples that `read_audio` gives.

    Raises
    ------
    AudioError
        As soon as something cannot be decoded; blocks before it have been given.
    """
    size = max(1, round(block_seconds * sample_rate))
    with open_audio(path, sample_rate) as stream:
        while (block := stream.read(size)).size:
            yield block
