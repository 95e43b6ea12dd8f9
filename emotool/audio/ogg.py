"""Pages of Ogg files: where one recording ends and the next begins, and what codec each has.

A chained file holds recordings one after the other, of any codec and rate; decoders read the
first. What libsndfile does not read (Speex, FLAC, several streams at a time) is left to FFmpeg.
"""

from dataclasses import dataclass, field
from typing import BinaryIO, Final

from emotool.audio.parts import Piece, Plan, read_at

__all__ = ["plan_ogg"]

_HEADER: Final = 27  # bytes of a page before its table of segments

_BLOCK: Final = 1 << 20  # bytes read at once

_LONGEST: Final = _HEADER + 255 + 255 * 255  # bytes of a page

_PLAIN: Final = (b"\x01vorbis", b"OpusHead")
"""What streams begin with that libsndfile reads."""


@dataclass(slots=True)
class _Link:
    """A recording: streams that begin together."""

    start: int
    stop: int
    heads: list[bytes] = field(default_factory=list)  # first bytes of each stream
    pages: dict[bytes, int] = field(default_factory=dict)  # the last one's number, by stream
    holes: bool = False  # whether pages are missing, or the last one is cut off

    def piece(self) -> Piece:
        """Return how to read it."""
        (head, *others) = self.heads or [b""]
        rate, channels = _format_of(head)
        decoder = "" if head.startswith(_PLAIN) and not others else "ogg"
        return Piece(self.start, self.stop, decoder, rate=rate, channels=channels)


def _format_of(head: bytes) -> tuple[int, int]:
    """Return rate (Hz) and number of channels by a stream's first bytes; zeros if unknown."""
    if head.startswith(b"\x01vorbis"):
        return int.from_bytes(head[12:16], "little"), sum(head[11:12])
    if head.startswith(b"OpusHead"):
        return 48_000, sum(head[9:10])
    return 0, 0


def _links(source: BinaryIO, start: int, stop: int) -> list[_Link]:
    """Return the recordings of a file, by a walk from page to page."""
    links: list[_Link] = []
    position, base, data = start, start, b""
    while position < stop:
        if not 0 <= position - base <= len(data) - _LONGEST and base + len(data) < stop:
            data, base = read_at(source, position, min(_BLOCK, stop - position)), position
        place = position - base
        if data[place : place + 4] != b"OggS":
            found = data.find(b"OggS", place)
            position = base + (found if found >= 0 else max(place + 1, len(data) - 3))
            continue
        segments = data[place + 26] if place + 26 < len(data) else 0
        body = place + _HEADER + segments
        length = _HEADER + segments + sum(data[place + _HEADER : body])
        _take(links, data[place : min(body + 64, place + length)], position)
        position += length
        links[-1].stop = min(position, stop)
        links[-1].holes |= position > stop
    return links


def _take(links: list[_Link], page: bytes, position: int) -> None:
    """Add a page to the last recording, or begin one with it."""
    begins, serial = bool(page[5:6] and page[5] & 2), page[14:18]
    number = int.from_bytes(page[18:22], "little")
    if not links or (begins and any(links[-1].pages.values())):
        links.append(_Link(position, position))
    link = links[-1]
    if begins:
        link.heads.append(page[_HEADER + page[26] :] if len(page) >= _HEADER else b"")
    elif number > link.pages.get(serial, number) + 1:
        link.holes = True
    link.pages[serial] = number


def plan_ogg(source: BinaryIO, start: int, stop: int) -> Plan | None:
    """Return how to read an Ogg file to its end.

    Parameters
    ----------
    source : file-like
        The file.
    start, stop : int
        Its first page, and its end.

    Returns
    -------
    Plan or None
        None if libsndfile reads all of the file as it is, and nothing is to be reported.
    """
    links = _links(source, start, stop)
    pieces = tuple(link.piece() for link in links)
    flags = ("incomplete",) if any(link.holes for link in links) else ()
    if not pieces or (len(pieces) == 1 and not pieces[0].decoder and not flags and start == 0):
        return None
    return Plan(pieces, flags)
