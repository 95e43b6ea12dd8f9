"""How far FLAC files go: by the last frame, by tags behind it, by another file joined to them."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from emotool.audio.parts import Piece, Plan, read_at
from emotool.audio.tags import tags_behind

__all__ = ["flac_behind", "plan_flac"]

_PLAIN_BITS: Final = (8, 16, 24)
"""Bits per sample that libsndfile reads; others are left to FFmpeg."""

_INFO: Final = 42  # bytes of the mark and the block STREAMINFO

_TAIL: Final = 8_192  # bytes at the end in which the last frame is looked for

_MARK: Final = b"fLaC\0\0\0\x22"

_BLOCK: Final = 1 << 20  # bytes read at once

_SIZES: Final = {
    1: 192,
    **{n: 576 << n - 2 for n in (2, 3, 4, 5)},
    **{n: 1 << n for n in range(8, 16)},
}
"""Samples of a frame, by the code in its header."""


def _crc8(content: bytes) -> int:
    crc = 0
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc << 1 ^ (0x107 if crc & 0x80 else 0)
    return crc


def _end_of(frame: bytes, block: int) -> int:
    """Return behind which sample a frame ends by its header; 0 if it is none."""
    first = frame[4:5]
    if not first or frame[3] & 1:
        return 0
    extra = 8 - (first[0] ^ 0xFF).bit_length()  # ones in front, as in UTF-8
    if extra == 1 or extra > 7:
        return 0
    length = max(1, extra)
    number = first[0] & (0x7F if not extra else (1 << 7 - extra) - 1)
    for byte in frame[5 : 4 + length]:
        number = number << 6 | byte & 0x3F
    place, code = 4 + length, frame[2] >> 4
    size = _SIZES.get(code, 0)
    if code in (6, 7):
        size = int.from_bytes(frame[place : place + code - 5]) + 1
        place += code - 5
    place += {12: 1, 13: 2, 14: 2}.get(frame[2] & 15, 0)
    if len(frame) <= place or not size or _crc8(frame[:place]) != frame[place]:
        return 0
    return number + size if frame[1] & 1 else number * block + size


def _last_sample(tail: bytes, block: int) -> int:
    """Return behind which sample the last frame ends that begins in these bytes; 0 without."""
    for mark in (b"\xff\xf8", b"\xff\xf9"):
        place = tail.rfind(mark)
        while place >= 0:
            if end := _end_of(tail[place : place + 20], block):
                return end
            place = tail.rfind(mark, 0, place + 1)
    return 0


def plan_flac(source: BinaryIO, start: int, stop: int) -> Plan | None:
    """Return how to read a FLAC file to its end.

    Parameters
    ----------
    source : file-like
        The file.
    start, stop : int
        Its mark, and its end.

    Returns
    -------
    Plan or None
        None if libsndfile reads the file as it is; `flac_behind` finds what is joined to it.
    """
    info = read_at(source, start, _INFO)
    if len(info) < _INFO or not info.startswith(b"fLaC"):
        return None
    word = int.from_bytes(info[18:26])
    rate, channels, bits = word >> 44, (word >> 41 & 7) + 1, (word >> 36 & 31) + 1
    total, block = word & (1 << 36) - 1, int.from_bytes(info[8:10])
    if bits not in _PLAIN_BITS:
        return Plan((Piece(start, stop, "flac", rate=rate, channels=channels),))
    end = stop - tags_behind(source, stop)
    last = _last_sample(read_at(source, max(start, end - _TAIL), min(_TAIL, end - start)), block)
    if last == total or (not last and total) or (not total and end == stop):
        return None
    others = [start, *flac_behind(source, start + _INFO, stop)]
    if len(others) > 1:
        pieces = zip(others, [*others[1:], end], strict=True)
        return Plan(tuple(Piece(*each, rate=rate, channels=channels) for each in pieces))
    if last < total:
        return None
    # More than it names: as if it named none.
    unknown = info[:18] + (word >> 36 << 36).to_bytes(8) + info[26:]
    return Plan((Piece(start + _INFO, end, prefix=unknown, rate=rate, channels=channels),))


def flac_behind(source: BinaryIO, start: int, stop: int) -> Iterator[int]:
    """Yield where other FLAC files begin within a range of one."""
    while start < stop:
        content = read_at(source, start, min(_BLOCK, stop - start))
        place = content.find(_MARK)
        while place >= 0:
            yield start + place
            place = content.find(_MARK, place + 1)
        if len(content) < len(_MARK):
            return
        start += len(content) - (len(_MARK) - 1 if start + len(content) < stop else 0)
