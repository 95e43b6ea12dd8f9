"""Headers of MPEG audio frames, and frames that count the others instead of holding sound."""

from functools import lru_cache
from typing import Final, NamedTuple

__all__ = ["LETTERS", "WORDS", "Header", "count_place", "counted", "parse"]

_KBITS: Final = {  # by (MPEG-1, layer)
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}

_RATES: Final = {
    3: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8_000),
}


class Header(NamedTuple):
    """What a frame's header states.

    Parameters
    ----------
    length : int
        In bytes; 0 in a free format, where only the next header shows it.
    kind : tuple of int
        Version, layer, sample rate (Hz) and number of channels, the same for all frames.
    samples : int
        Per channel.
    exact : float
        Length without the rounding to whole bytes.
    """

    length: int
    kind: tuple[int, int, int, int]
    samples: int
    exact: float


@lru_cache(maxsize=4096)
def parse(four: bytes) -> Header | None:
    """Return what the four bytes of a frame's header state; None if they are not one."""
    if len(four) < 4 or four[0] != 0xFF or four[1] & 0xE0 != 0xE0:
        return None
    version, layer = four[1] >> 3 & 3, 4 - (four[1] >> 1 & 3)
    bits, rates, padding = four[2] >> 4, four[2] >> 2 & 3, four[2] >> 1 & 1
    if version == 1 or layer == 4 or bits == 15 or rates == 3 or four[3] & 3 == 2:
        return None
    rate, kbits = _RATES[version][rates], _KBITS[version == 3, layer][bits]
    samples = {1: 384, 2: 1_152, 3: 1_152 if version == 3 else 576}[layer]
    kind = (version, layer, rate, 1 if four[3] >> 6 == 3 else 2)
    slot = 4 if layer == 1 else 1
    slots = samples * kbits * 125 / rate / slot
    return Header((int(slots) + padding) * slot if kbits else 0, kind, samples, slots * slot)


WORDS: Final = frozenset((b"Xing", b"Info", b"VBRI"))
"""What a frame that counts others begins with, behind empty side information."""

LETTERS: Final = b"XIV"


def count_place(header: Header) -> int:
    """Return where in a frame that counts others the word stands by which it is known."""
    version, _, _, channels = header.kind
    return {(True, 2): 36, (False, 1): 13}.get((version == 3, channels), 21)


def counted(frame: bytes, header: Header) -> int | None:
    """Return how many frames another one counts, 0 if unknown; None if it holds sound."""
    place = count_place(header)
    if header.kind[1] != 3:
        return None
    if frame[place : place + 4] in WORDS:
        known = frame[place + 7 : place + 8] != b"" and frame[place + 7] & 1
        return int.from_bytes(frame[place + 8 : place + 12]) if known else 0
    if frame[36:40] == b"VBRI":
        return int.from_bytes(frame[50:54])
    return None
