"""AU, CAF and SPHERE files whose headers state no length, or more sound than the files have."""

from typing import BinaryIO, Final

from emotool.audio.parts import Piece, Plan, read_at

__all__ = ["plan_au", "plan_caf", "plan_sphere"]

_MOST_CHUNKS: Final = 1_000

_TOLERANCE: Final = 4_096  # bytes that may be missing

_WORDS: Final = (b"channel_count", b"sample_n_bytes", b"sample_count")


def plan_caf(source: BinaryIO, start: int, stop: int) -> Plan | None:
    """Return how to read a CAF file that is cut off; None if it is not.

    Parameters
    ----------
    source : file-like
        The file.
    start, stop : int
        Where it begins, and its end.
    """
    place = start + 8
    for _ in range(_MOST_CHUNKS):
        head = read_at(source, place, 12)
        size = int.from_bytes(head[4:], signed=True)
        if len(head) < 12 or size < 0:  # -1: up to the end
            return None
        if head[:4] == b"data":
            if place + 12 > stop or place + 12 + size - stop <= _TOLERANCE:
                return None
            prefix = read_at(source, start, place + 4 - start) + (stop - place - 12).to_bytes(8)
            return Plan((Piece(place + 12, stop, prefix=prefix),), ("incomplete",))
        place += 12 + size
    return None


def plan_sphere(source: BinaryIO, start: int, stop: int) -> Plan | None:
    """Return how to read a SPHERE file that is cut off; None if it is not.

    Parameters
    ----------
    source : file-like
        The file.
    start, stop : int
        Where it begins, and its end.
    """
    head = read_at(source, start, 1_024)
    lines = (line.split() for line in head.split(b"\n"))
    stated = {words[0]: words[2] for words in lines if len(words) == 3 and words[1] == b"-i"}
    values = [stated.get(word, b"") for word in _WORDS]
    if b"shorten" in head or not all(value.isdigit() and len(value) < 12 for value in values):
        return None
    channels, width, count = map(int, values)
    if start + 1_024 + channels * width * count - stop <= _TOLERANCE:
        return None
    return Plan((Piece(start, stop),), ("incomplete",))


def plan_au(source: BinaryIO, start: int, stop: int) -> Plan | None:
    """Return how to read an AU file to its end; None if its header states a length.

    Parameters
    ----------
    source : file-like
        The file.
    start, stop : int
        Where it begins, and its end.
    """
    head = read_at(source, start, 24)
    data = start + int.from_bytes(head[4:8])
    if int.from_bytes(head[8:12]) or not start + 24 <= data < stop:
        return None
    prefix = head[:8] + (stop - data).to_bytes(8)[4:] + head[12:24]
    prefix += read_at(source, start + 24, data - start - 24)
    return Plan((Piece(data, stop, prefix=prefix),), ("incomplete",))
