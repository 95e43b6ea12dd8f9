"""Parts of a file as files of their own, and where decoders find the sound in them."""

import io
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

__all__ = ["Part", "Piece", "Plan", "open_part", "read_at"]


_UNKNOWN_SIZE: Final = 64
"""Times the size that a part of unknown length states, so that no estimate is too short."""

_TAG: Final = 128  # bytes of an ID3v1 tag


@dataclass(frozen=True, slots=True)
class Piece:
    """A range of a file's bytes that one decoder reads.

    Parameters
    ----------
    start, stop : int
        Bytes of the file.
    decoder : str
        Empty for libsndfile, or a key of `emotool.audio.containers.CONTAINERS` for FFmpeg.
    prefix : bytes
        What stands before those bytes: a header instead of the file's own.
    endless : bool
        Whether the decoder must not estimate the length from the number of bytes.
    rate, channels : int
        As its header states them; 0 if it was not looked at.
    """

    start: int
    stop: int
    decoder: str = ""
    prefix: bytes = b""
    endless: bool = False
    rate: int = 0
    channels: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The pieces of a file one after the other, and what is known of it by then.

    Parameters
    ----------
    pieces : tuple of Piece
        Never empty.
    flags : tuple of str
        ``incomplete`` where the file lacks sound, or may have more than its pieces.
    """

    pieces: tuple[Piece, ...]
    flags: tuple[str, ...] = ()


class Part(io.RawIOBase):
    """A prefix and a range of a file's bytes, as a file.

    Parameters
    ----------
    source : file-like
        The whole file; others may seek in it meanwhile.
    piece : Piece
        What to show of it.
    """

    def __init__(self, source: BinaryIO, piece: Piece) -> None:
        self._source = source
        self._piece = piece
        self._position = 0
        self._size = len(piece.prefix) + piece.stop - piece.start
        self._stated = self._size * _UNKNOWN_SIZE if piece.endless else self._size
        self.error: OSError | None = None  # for C code does not pass exceptions on

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position; the end may be stated to lie behind the last byte."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._stated}[whence]
        if base + offset < 0:
            raise ValueError("a position before the start of the file")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as there are bytes."""
        view = memoryview(buffer).cast("B")
        prefix = self._piece.prefix
        if self._position < len(prefix):
            content = prefix[self._position : self._position + len(view)]
        elif self._position < self._size:
            content = self._from_source(min(len(view), self._size - self._position))
        else:  # mpg123 looks for a tag at the very end
            behind = max(0, self._stated - self._position) if self._piece.endless else 0
            content = bytes(min(len(view), behind)) if behind <= _TAG else b""
        view[: len(content)] = content
        self._position += len(content)
        return len(content)

    def _from_source(self, count: int) -> bytes:
        start = self._piece.start + self._position - len(self._piece.prefix)
        try:
            return read_at(self._source, start, count)
        except OSError as error:
            self.error = error
            return b""


def open_part(source: BinaryIO, piece: Piece) -> io.BufferedReader:
    """Return a piece of a file as a buffered file."""
    return io.BufferedReader(Part(source, piece), 1 << 16)


def read_at(source: BinaryIO, start: int, count: int) -> bytes:
    """Return up to ``count`` bytes from ``start`` on.

    Raises
    ------
    OSError
        If they cannot be read.
    """
    source.seek(start)
    return source.read(count) or b""
