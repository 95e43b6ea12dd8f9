"""An audio file as a stream of mono float32 samples at the rate a model wants.

Files are decoded in blocks until they end, in flat memory however long they are. The header is
believed about the format, never about the length.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import soundfile

from emotool.audio.channels import Mixing, Survey
from emotool.audio.ffmpeg import container_of, open_foreign
from emotool.audio.formats import explain, read_head
from emotool.audio.full_scale import FullScale
from emotool.errors import AudioError
from emotool.files.opening import open_regular
from emotool.files.zip_members import read_member, split_member

__all__ = ["AudioStream", "open_audio"]

Floats: TypeAlias = npt.NDArray[np.float32]

_RATES: Final = (2_000, 768_000)
"""Sample rates (Hz) that are taken for real."""

_BLOCK_VALUES: Final = 1 << 20
"""Values (frames times channels) decoded at once: 4 MiB of float32, a minute at 16 kHz."""

_HELD_VALUES: Final = 2_900_000
_HELD_SECONDS: Final = 60.0
"""Clips of more values (11 MiB) or seconds are decoded twice; others are held in memory."""

_UNKNOWN_LENGTH: Final = 1 << 62
"""libsndfile's length (frames) of a file that names none lies above this."""

_HEADER_BYTES: Final = 4_096
"""A file of no samples may have this many bytes of names and remarks."""


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
    """

    def __init__(self, start: Callable[[], Any], size_bytes: int, sample_rate: int) -> None:
        file = start()
        self.sample_rate = sample_rate
        self.source_rate = int(file.samplerate)
        self.channels = int(file.channels)
        self._start = start  # opens the file anew
        self._file = file
        self._bytes = size_bytes
        self._promised = int(file.frames)
        self._block = self._block_frames()
        self._ended = False
        self._decoded = 0  # frames
        self._given = 0  # frames
        self._values = FullScale(self.channels, getattr(file, "subtype", ""))
        self._held: list[Floats] | None = []  # decoded, not yet mixed; None: decoded again
        self._mixing: Mixing | None = None
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
        return self._given / self.source_rate if self._ended else None

    @property
    def flags(self) -> tuple[str, ...]:
        """What was found: ``clipped``, and the flags of `emotool.audio.channels`."""
        mixing = self._survey() if self._mixing is None else self._mixing
        return (("clipped",) if self.clipped else ()) + mixing.flags

    @property
    def clipped(self) -> bool:
        """Whether what is used of the clip was cut off at full scale."""
        mixing = self._survey() if self._mixing is None else self._mixing
        return self._values.clipped(mixing.channel)

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
            piece = self._resample(self._next())
            self._pending.append(piece)
            have += piece.size
        if len(self._pending) == 1:
            joined = self._pending[0]
        else:
            joined = np.concatenate([np.empty(0, np.float32), *self._pending])
        self._pending = [joined[count:]] if have > count else []
        return joined[:count]

    def _survey(self) -> Mixing:
        """Decode the whole clip to decide on its channels and offset; hold it if it is short."""
        survey = Survey(self.channels, self.source_rate)
        held: list[Floats] = []
        frames = min(_HELD_VALUES // self.channels, int(_HELD_SECONDS * self.source_rate) + 1)
        while not self._ended:
            block = self._decode()
            survey.add(block)
            held.append(block)
            if self._decoded > frames:
                held.clear()
        self._mixing = survey.decide(max(1.0, self._values.peak))
        self._ended = False
        self._held = held or None
        if self._held is None:
            self._file = self._start()
            self._decoded = 0
        return self._mixing

    def _next(self) -> Floats:
        """Return the next block at the file's own rate, as mono; mark the end."""
        mixing = self._survey() if self._mixing is None else self._mixing
        if self._held is None:
            block = self._decode()
        else:
            block = self._held.pop(0)
            self._ended = not self._held
        mono = mixing.apply(block, self._given)
        self._given += len(block)
        return mono

    def _decode(self) -> Floats:
        """Return the next block at the file's own rate, [n, channels]; mark the end."""
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
        if len(block):
            self._values.add(block)
        sound: Floats = block
        return sound

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

    def _resample(self, block: Floats) -> Floats:
        if self._resampler is None:
            return block
        try:
            resampled: Floats = self._resampler.resample_chunk(block, last=self._ended)
        except (RuntimeError, ValueError) as error:
            raise AudioError("resample", str(error)) from error
        return resampled


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

        def start() -> Any:
            source.seek(0)
            head = read_head(source)
            if container := container_of(head, size):
                return opened.enter_context(open_foreign(source, container))
            return opened.enter_context(_open_sound(name, sound, head))

        yield AudioStream(start, size, sample_rate)


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
