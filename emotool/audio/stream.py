"""An audio file as a stream of mono float32 samples at the rate a model wants.

Files are decoded in blocks until they end, in flat memory however long they are. The header is
believed about the format, never about the length.
"""

import io
import math
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import soundfile

from emotool.audio.ffmpeg import container_of, open_foreign
from emotool.audio.formats import explain, read_head
from emotool.errors import AudioError
from emotool.files.opening import open_regular
from emotool.files.zip_members import read_member, split_member

__all__ = ["AudioStream", "open_audio"]

Floats: TypeAlias = npt.NDArray[np.float32]

_RATES: Final = (2_000, 768_000)
"""Sample rates (Hz) that are taken for real."""

_BLOCK_VALUES: Final = 1 << 20
"""Values (frames times channels) decoded at once: 4 MiB of float32, a minute at 16 kHz."""

_LOUDEST: Final = 1e9
"""Absolute sample values above this are damage: full scale is 1."""

_UNKNOWN_LENGTH: Final = 1 << 62
"""libsndfile's length (frames) of a file that names none lies above this."""

_HEADER_BYTES: Final = 4_096
"""A file of no samples may have this many bytes of names and remarks."""

_CLIP_LEVEL: Final = 0.999
_CLIP_RUN: Final = 3
"""A channel that stays at full scale for this many samples was clipped."""


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

    def __init__(self, file: Any, size_bytes: int, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.source_rate = int(file.samplerate)
        self.channels = int(file.channels)
        self.clipped = False
        self._file = file
        self._bytes = size_bytes
        self._promised = int(file.frames)
        self._block = self._block_frames()
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

    def _block_frames(self) -> int:
        """Return how many frames make `_BLOCK_VALUES`, before as well as after resampling."""
        widest = max(self.channels, self.sample_rate / self.source_rate)
        return max(1, int(_BLOCK_VALUES / widest))

    @property
    def seconds(self) -> float | None:
        """The clip's length in seconds, to the file's own sample; None before its end is met."""
        return self._decoded / self.source_rate if self._ended else None

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
        # One more than promised, so that the last block is seen to be the last.
        left = self._promised + 1 - self._decoded
        size = min(self._block, left) if left > 0 else self._block
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
        """Raise AudioError if the decoder ended before the end that the file names."""
        if self._promised == 0 and self._bytes > _HEADER_BYTES:
            raise AudioError(
                "decode", f"damaged: a header of no samples in a file of {self._bytes:,} bytes"
            )
        # A FLAC written to a pipe names no end, and where MP3 does, it may be an estimate.
        short = self._decoded < self._promised < _UNKNOWN_LENGTH
        if short and self._file.format not in ("MP3", "MPEG"):
            raise AudioError(
                "decode",
                f"damaged or cut off: {self._decoded} of {self._promised} samples can be decoded",
            )

    def _inspect(self, block: Floats) -> None:
        """Look for values that are no sound, and for clipping."""
        low, high = float(block.min()), float(block.max())
        if not (math.isfinite(low) and math.isfinite(high)):
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
        A regular file in any format that libsndfile reads, or with the extra ``av`` in one of
        `emotool.audio.ffmpeg.CONTAINERS`, whatever its name ends in; or a clip in a zip archive,
        such as ``talks.zip/a.wav``.
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
    with ExitStack() as opened:
        source, sound, size = _open_bytes(name, opened)
        head = read_head(source)
        if container := container_of(head, size):
            file: Any = opened.enter_context(open_foreign(source, container))
        else:
            file = opened.enter_context(_open_sound(name, sound, head))
        yield AudioStream(file, size, sample_rate)


def _open_bytes(name: str, opened: ExitStack) -> tuple[BinaryIO, Any, int]:
    """Open what holds a clip.

    Returns
    -------
    file-like, Any, int
        The bytes; what libsndfile shall open; how many bytes there are.
    """
    if inside := split_member(name):
        content = read_member(*inside)
        source = io.BytesIO(content)
        return source, source, len(content)
    descriptor = opened.enter_context(open_regular(name))
    file = opened.enter_context(io.FileIO(descriptor, closefd=False))
    # C runtimes of Windows do not share descriptors; names do everywhere but in non-UTF-8 paths,
    # which only exist elsewhere.
    return (
        cast("BinaryIO", file),
        name if os.name == "nt" else descriptor,
        os.fstat(descriptor).st_size,
    )


def _open_sound(name: str, sound: Any, head: bytes) -> _SequentialFile:
    try:
        return _SequentialFile(sound, closefd=False)
    except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
        reason = str(getattr(error, "error_string", "") or error)
        raise explain(name, head, reason) from error
