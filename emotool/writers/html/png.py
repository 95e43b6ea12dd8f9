"""Small PNG pictures of arrays, without a picture library.

A picture is one byte a pixel, an index into a fixed palette (PNG 1.2, colour type 3; ISO/IEC
15948:2004). The same array gives the same bytes wherever zlib is the same.
"""

import struct
import zlib
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["HEAT", "evidence_png", "spectrogram_png"]

# Stops of the colour map, dark to light, evenly spaced. Lightness (CIE L*) rises steadily, so
# that louder is lighter also to the colour-blind and in print.
HEAT: Final = (
    "#05040f",
    "#231151",
    "#5f187f",
    "#982d80",
    "#d3436e",
    "#f8765c",
    "#febb81",
    "#fcfdbf",
)
_EVIDENCE: Final = "#3df5d4"  # far from every colour of the map
_LEVELS: Final = 64
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_MAX_COLUMNS: Final = 1_000


def spectrogram_png(decibels: npt.NDArray[np.float32], range_db: float) -> bytes:
    """Draw a spectrogram.

    Parameters
    ----------
    decibels : numpy.ndarray
        float32 ``[bands, frames]``, the lowest band first.
    range_db : float
        What lies further than this below the loudest is drawn darkest.

    Returns
    -------
    bytes
        A PNG of ``bands`` rows; frames are put together where there are more than 1,000.
    """
    share = 1 + (_narrow(decibels) - decibels.max()) / range_db  # 1 is loudest
    return _encode(_levels(share), _ramp(HEAT), None)


def evidence_png(evidence: npt.NDArray[np.float32]) -> bytes:
    """Draw an activation map as a veil of one colour: the more evidence, the less transparent.

    Parameters
    ----------
    evidence : numpy.ndarray
        float32 ``[height, columns]`` in 0 … 1, the lowest band first.

    Returns
    -------
    bytes
        A PNG with transparency.
    """
    opacity = np.linspace(0, 255, _LEVELS).round().astype(np.uint8)
    return _encode(_levels(_narrow(evidence)), _ramp((_EVIDENCE, _EVIDENCE)), opacity)


def _narrow(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Put neighbouring columns together, by their maximum, until there are few enough."""
    rows, columns = values.shape
    each = -(-columns // _MAX_COLUMNS)
    if each == 1:
        return values
    padded = np.pad(values, ((0, 0), (0, -columns % each)), mode="edge")
    narrow: npt.NDArray[np.float32] = padded.reshape(rows, -1, each).max(axis=2)
    return narrow  # [rows, columns / each]


def _levels(share: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Turn shares (0 … 1) into palette places, the highest row on top."""
    places = np.clip(np.rint(share * (_LEVELS - 1)), 0, _LEVELS - 1).astype(np.uint8)
    return places[::-1]


def _ramp(stops: tuple[str, ...]) -> npt.NDArray[np.uint8]:
    """Return `_LEVELS` colours, uint8 ``[levels, 3]``, linear between the stops."""
    known = np.array([list(bytes.fromhex(stop[1:])) for stop in stops], float)  # [stops, 3]
    places = np.linspace(0, len(stops) - 1, _LEVELS)
    channels = [np.interp(places, np.arange(len(stops)), known[:, i]) for i in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8)


def _encode(
    pixels: npt.NDArray[np.uint8],
    palette: npt.NDArray[np.uint8],
    opacity: npt.NDArray[np.uint8] | None,
) -> bytes:
    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    # Each row begins with its filter type: 0, none, which suits palettes best.
    lines = np.pad(pixels, ((0, 0), (1, 0)))  # [height, 1 + width]
    chunks = [_chunk(b"IHDR", header), _chunk(b"PLTE", palette.tobytes())]
    if opacity is not None:
        chunks.append(_chunk(b"tRNS", opacity.tobytes()))
    chunks.append(_chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)))
    return _SIGNATURE + b"".join(chunks) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
