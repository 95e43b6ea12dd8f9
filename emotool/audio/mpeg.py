"""Frames of MPEG audio (MP1, MP2, MP3): where they lie in a file, and where a recording ends.

libsndfile reads as many samples as the first frame's count or bit rate suggests. The headers of
all frames say how many there are, what lies between them, and where another recording begins.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from emotool.audio.mpeg_header import LETTERS, WORDS, Header, count_place, counted, parse
from emotool.audio.parts import Piece, Plan, read_at

__all__ = ["first_frame", "plan_mpeg"]

_BLOCK: Final = 1 << 20  # bytes read at once

_LONGEST: Final = 8_192  # bytes; no frame is longer

_COUNTED: Final = 64  # bytes from a frame's start within which a count of frames lies

_SURE: Final = 3  # frames in a row that are no chance

_RESYNC: Final = 1_000
"""Bytes between frames that mpg123, which libsndfile uses, skips by itself."""

_SEARCH: Final = 16 << 20
"""Bytes from the start of a file within which the first frame is looked for."""

_TAGS: Final = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"3DI")

_TOLERANCE_S: Final = 0.25


@dataclass(slots=True)
class _Run:
    """Frames of one recording, one behind the other.

    Parameters
    ----------
    start, sound, stop : int
        Where its first frame begins, the first that holds sound, and the last one ends.
    first : Header
        Of its first frame.
    promised : int
        How many frames of sound the first one counts; 0 if it does not.
    frames : int
        How many there are.
    lost : int
        Bytes between them that belong to none.
    """

    start: int
    sound: int
    stop: int
    first: Header
    promised: int
    frames: int = 0
    lost: int = 0

    @property
    def frame_s(self) -> float:
        """Length of a frame in s."""
        return self.first.samples / self.first.kind[2]

    @property
    def estimated(self) -> float:
        """How many frames libsndfile expects at least."""
        if self.promised:
            return self.promised
        return (self.stop - self.sound) / self.first.exact if self.first.exact else 0.0

    @property
    def lacks(self) -> bool:
        """Whether more than the tolerance is missing, at its end or within."""
        bytes_s = (self.stop - self.sound) / max(1, self.frames) / self.frame_s
        missing_s = (self.promised - self.frames) * self.frame_s
        return max(missing_s, self.lost / bytes_s) > _TOLERANCE_S


class _Walk:
    """A walk from frame to frame through a range of a file."""

    def __init__(self, source: BinaryIO, start: int, stop: int) -> None:
        self._source = source
        self._stop = stop
        self._base = start  # of what `_data` holds
        self._data = b""
        self._lengths: dict[bytes, int] = {}  # of frames of one kind, by their headers

    def bytes_at(self, position: int, count: int) -> bytes:
        """Return bytes from ``position`` on, fewer at the end."""
        count = min(count, self._stop - position)
        place = position - self._base
        if not 0 <= place <= len(self._data) - count:
            self._data = read_at(self._source, position, min(_BLOCK, self._stop - position))
            self._base, place = position, 0
        return self._data[place : place + max(0, count)]

    def is_start(self, position: int) -> bool:
        """Return whether `_SURE` frames of one kind, or all to the end, follow one another."""
        kind = None
        for _ in range(_SURE):
            header = parse(self.bytes_at(position, 4))
            if header is None or kind not in (None, header.kind):
                return kind is not None and position >= self._stop
            kind = header.kind
            position += self._length(position, header) or self._stop
        return True

    def next_start(self, position: int, limit: int) -> int:
        """Return where frames begin at ``position`` or behind; -1 if they do not."""
        while position < limit:
            content = self.bytes_at(position, _BLOCK // 2)
            place = content.find(b"\xff")
            while 0 <= place < limit - position:
                four = content[place : place + 4]
                if (len(four) < 4 or parse(four)) and self.is_start(position + place):
                    return position + place
                place = content.find(b"\xff", place + 1)
            position += len(content)
        return -1

    def runs(self, position: int) -> Iterator[_Run]:
        """Yield the recordings from the first frame on, which begins at ``position``."""
        while position >= 0:
            header = parse(self.bytes_at(position, 4))
            if header is None:
                return
            promised = counted(self.bytes_at(position, _COUNTED), header)
            sound = position if promised is None else position + self._length(position, header)
            run = _Run(position, sound, sound, header, promised or 0)
            position = self._follow(run)
            yield run

    def _length(self, position: int, header: Header) -> int:
        """Return a frame's length in bytes; in a free format, up to the next such header."""
        if header.length:
            return header.length
        content = self.bytes_at(position, _LONGEST)
        place = content.find(content[:2], 4)
        while place > 0:
            other = parse(content[place : place + 4])
            if other is not None and other.kind == header.kind and not other.length:
                return place
            place = content.find(content[:2], place + 1)
        return len(content)

    def _follow(self, run: _Run) -> int:
        """Walk to a recording's end; return where the next one begins, -1 if none does."""
        while True:
            self._stride(run)
            here = self.bytes_at(run.stop, _COUNTED)
            header = parse(here[:4])
            known = header is not None and header.kind == run.first.kind
            if header is not None and known and (not run.frames or counted(here, header) is None):
                # In a free format, or so close to the end that no count fits in.
                end = run.stop + self._length(run.stop, header)
                if end > self._stop:  # cut off
                    return -1
                run.frames, run.stop = run.frames + 1, end
                continue
            begins = self.next_start(run.stop, self._stop)
            if begins < 0:
                return -1
            there = self.bytes_at(begins, _COUNTED)
            header = parse(there[:4])
            if header is None or counted(there, header) is not None:
                return begins
            if not here.startswith(_TAGS):
                run.lost += begins - run.stop
            if header.kind != run.first.kind or begins - run.stop > _RESYNC:
                return begins
            run.stop = begins

    def _stride(self, run: _Run) -> None:
        """Go from frame to frame while they are of one kind and count no others."""
        kind, word = run.first.kind, count_place(run.first)
        self._lengths.clear()
        while self.bytes_at(run.stop, _COUNTED):
            data, place, frames = self._data, run.stop - self._base, 0
            previous = place
            last = len(data) - (_COUNTED if self._base + len(data) < self._stop else word + 4)
            while place <= last:  # almost all of the time goes here
                length = self._lengths.get(data[place : place + 4])
                if length is None:
                    header = parse(data[place : place + 4])
                    length = header.length if header and header.kind == kind else 0
                    self._lengths[data[place : place + 4]] = length
                if not length or (
                    data[place + word] in LETTERS
                    and data[place + word : place + word + 4] in WORDS
                    and run.frames + frames
                ):
                    break
                previous = place
                place += length
                frames += 1
            if self._base + place > self._stop:  # cut off
                place, frames, last = previous, frames - 1, previous
            run.frames += frames
            run.stop = self._base + place
            if place <= last or run.stop > self._stop - word - 4:
                return


def first_frame(source: BinaryIO, start: int, size: int) -> int:
    """Return where MPEG audio begins in a file that does not begin with it; -1 if nowhere.

    Parameters
    ----------
    source : file-like
        The file.
    start : int
        Where to begin to look; only so far as tags with pictures may reach.
    size : int
        Length of the file in bytes.
    """
    return _Walk(source, start, size).next_start(start, min(size, start + _SEARCH))


def plan_mpeg(
    source: BinaryIO, start: int, stop: int, *, whole: bool = True, least: int = 1
) -> Plan | None:
    """Return how to read MPEG audio to its end.

    Parameters
    ----------
    source : file-like
        The file.
    start, stop : int
        Its first frame, and where to stop.
    whole : bool
        Whether libsndfile may be given the file as it is.
    least : int
        How many frames a recording has; what is shorter is left out.

    Returns
    -------
    Plan or None
        None if libsndfile reads all of the file as it is, and nothing is to be reported.
    """
    if whole and _is_counted(source, start, stop):
        return None
    runs = [run for run in _Walk(source, start, stop).runs(start) if run.frames >= least]
    if not runs:
        return None
    flags = ("incomplete",) if any(run.lacks for run in runs) else ()
    run = runs[0]
    if whole and len(runs) == 1 and not flags and run.start == start and _is_known(run):
        behind = read_at(source, run.stop, 32) if run.stop < stop else b""
        tags = behind.startswith(_TAGS) and (run.promised or stop - run.stop < _RESYNC)
        if stop - run.stop < _COUNTED or tags:
            return None
    return Plan(tuple(_piece(run) for run in runs), flags)


def _is_counted(source: BinaryIO, start: int, stop: int) -> bool:
    """Return whether a first frame counts frames, and just the bytes that there are."""
    frame = read_at(source, start, _COUNTED)
    header = parse(frame[:4])
    if header is None:
        return False
    place = count_place(header)
    if frame[place : place + 4] not in WORDS or frame[place + 7] & 3 != 3:
        return False
    return int.from_bytes(frame[place + 12 : place + 16]) == stop - start


def _is_known(run: _Run) -> bool:
    """Return whether libsndfile expects all frames of a recording."""
    return run.estimated >= run.frames - 1


def _piece(run: _Run) -> Piece:
    *_, rate, channels = run.first.kind
    if run.promised and _is_known(run):  # with what it says about delays
        return Piece(run.start, run.stop, rate=rate, channels=channels)
    return Piece(run.sound, run.stop, endless=True, rate=rate, channels=channels)
