"""Sound that libsndfile reads, from start to end."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile

from emotool.audio.joined import Sound
from emotool.audio.parts import Part
from emotool.errors import AudioError
from emotool.files.opening import plain_reason

__all__ = ["PlainSound", "PlainSoundError", "reason_of"]

Floats: TypeAlias = npt.NDArray[np.float32]

PlainSoundError: Final = (soundfile.SoundFileError, RuntimeError, TypeError)
"""What opening raises where libsndfile refuses a file."""

_UNKNOWN_LENGTH: Final = 1 << 62
"""libsndfile's length (frames) of a file that names none lies above this."""

_HEADER_BYTES: Final = 4_096
"""A file of no samples may have this many bytes of names and remarks."""

_UNREAD_BYTES: Final = 1 << 16
"""Names, remarks and pictures may take this many bytes, and as many as a quarter of the file."""

_WIDTHS: Final = {
    "PCM_S8": 1,
    "PCM_U8": 1,
    "ULAW": 1,
    "ALAW": 1,
    "PCM_16": 2,
    "PCM_24": 3,
    "PCM_32": 4,
    "FLOAT": 4,
    "DOUBLE": 8,
}
"""Bytes of a sample where it is not compressed."""

_CORRECTED: Final = re.compile(r": (\d+) \(should be (\d+)\)")
"""What libsndfile's log has of a length that its file does not have room for."""

_PIPED: Final = 0x7FFF_0000
"""Lengths from here on are written where a program does not know it."""

_TOLERANCE_S: Final = 0.25

_PLANNED: Final = frozenset({"WAV", "WAVEX", "RF64", "FLAC", "MP3", "OGG"})
"""Formats whose bytes behind the sound are looked at elsewhere, or that are compressed."""


class _SequentialFile(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file read from start to end.

    soundfile seeks after each read of a seekable file and limits reads by the header's
    length; decoding in one go needs neither, and MP3 seeks are slow and inexact.
    """

    def seekable(self) -> bool:
        return False


class PlainSound:
    """A file, or a piece of one, that libsndfile decodes.

    Parameters
    ----------
    sound : str, int or file-like
        What to open.
    size_bytes : int
        Its length.
    behind : callable, optional
        Given rate and channels, opens what is behind the sound once its end is met; returns None
        if nothing is.

    Attributes
    ----------
    samplerate, channels : int
        As the header states them.
    """

    def __init__(
        self, sound: Any, size_bytes: int, behind: Callable[[int, int], Sound | None] | None = None
    ) -> None:
        self._file = _SequentialFile(sound, closefd=False)
        self.samplerate = int(self._file.samplerate)
        self.channels = int(self._file.channels)
        self._source = sound
        self._behind = behind
        self._rest: Sound | None = None
        self._bytes = size_bytes
        self._left = self._promised = int(self._file.frames)

    def close(self) -> None:
        """Free what the decoder holds."""
        self._file.close()

    @property
    def flags(self) -> tuple[str, ...]:
        """``incomplete`` if much of the file is not the sound that its header names."""
        if self._rest is not None and self._rest.flags:
            return self._rest.flags
        width = 0 if self._file.format in _PLANNED else _WIDTHS.get(self._file.subtype, 0)
        if not width:
            return ()
        frame = self.channels * width
        unread = self._bytes - self._promised * frame
        log = self._file.extra_info
        lacks = _lacking(log) > _TOLERANCE_S * self.samplerate * frame or "truncated file" in log
        many = unread > max(_UNREAD_BYTES, self._bytes / 4)
        return ("incomplete",) if many or lacks else ()

    def read(self, count: int) -> Floats:
        """Return the next samples, float32 ``[<= count, channels]``; fewer only at the end.

        Raises
        ------
        AudioError
            If they cannot be decoded, or end before the end that the header names.
        """
        if self._rest is not None:
            return self._rest.read(count)
        size = min(count, self._left)
        try:
            block: Floats = self._file.read(size, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, RuntimeError) as error:
            seconds = self._file.tell() / self.samplerate
            raise AudioError(
                "decode", f"the decoder gave up after {seconds:.1f} s ({reason_of(error)})"
            ) from error
        part = getattr(self._source, "raw", None)
        if isinstance(part, Part) and part.error:
            raise AudioError("decode", plain_reason(part.error)) from part.error
        self._left -= len(block)
        if len(block) < count:
            self._check_length(short=len(block) < size)
            if self._behind is not None:
                return self._and_rest(block, count)
        return block

    def _and_rest(self, block: Floats, count: int) -> Floats:
        """Return the last block, filled up with what is behind it."""
        self._rest = (
            self._behind(self.samplerate, self.channels) if self._behind is not None else None
        )
        self._behind = None
        if self._rest is None:
            return block
        return np.concatenate([block, self._rest.read(count - len(block))])

    def _check_length(self, *, short: bool) -> None:
        """Raise AudioError if the decoder ended before the end that the file names."""
        if self._promised == 0 and self._bytes > _HEADER_BYTES:
            raise AudioError(
                "decode", f"damaged: a header of no samples in a file of {self._bytes:,} bytes"
            )
        # A FLAC written to a pipe names no end, and where MP3 does, it may be an estimate.
        known = self._promised < _UNKNOWN_LENGTH and self._file.format not in ("MP3", "MPEG")
        if short and known:
            decoded = self._promised - self._left
            raise AudioError(
                "decode",
                f"damaged or cut off: {decoded} of {self._promised} samples can be decoded",
            )


def _lacking(log: str) -> int:
    """Return how many bytes a file is shorter than its header states, by libsndfile's log."""
    lengths = [(int(stated), int(real)) for stated, real in _CORRECTED.findall(log)]
    return max([stated - real for stated, real in lengths if stated < _PIPED], default=0)


def reason_of(error: Exception) -> str:
    """Return libsndfile's message without a full stop."""
    return str(getattr(error, "error_string", "") or error).rstrip(". ")
