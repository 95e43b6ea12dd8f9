"""AU files whose header states no length of the sound."""

from typing import BinaryIO

from emotool.audio.parts import Piece, Plan, read_at

__all__ = ["plan_au"]


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
