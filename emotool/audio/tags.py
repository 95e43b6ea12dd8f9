"""Tags behind the sound of a file."""

from typing import BinaryIO

from emotool.audio.parts import read_at

__all__ = ["tags_behind"]


def tags_behind(source: BinaryIO, stop: int) -> int:
    """Return how many bytes of tags (ID3v1, APEv2) a file ends with."""
    count = 0
    tail = read_at(source, max(0, stop - 160), min(160, stop))
    if tail[-128:-125] == b"TAG":
        count, tail = 128, tail[:-128]
    if tail[-32:-24] == b"APETAGEX":
        size = int.from_bytes(tail[-20:-16], "little")
        count += size + (32 if tail[-9:-8] >= b"\x80" else 0)
    return min(count, stop)
