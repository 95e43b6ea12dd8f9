"""A corpus of mutated audio files of every format, drawn from a seed.

Each mutant is a small clip to whose bytes something was done: cut, overwritten, zeroed,
repeated, moved, joined with another format's, or given a header field of an extreme value. Good
clips lie among them, by whose rows one can tell whether the mutants did them any harm.
"""

import random
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.synthesis import noise, vowel, write_clip

__all__ = ["FORMATS", "good_names", "write_mutants"]

FORMATS: tuple[tuple[str, dict[str, str]], ...] = (
    ("wav", {"subtype": "PCM_U8"}),
    ("wav", {"subtype": "PCM_16"}),
    ("wav", {"subtype": "PCM_24"}),
    ("wav", {"subtype": "FLOAT"}),
    ("wav", {"subtype": "DOUBLE"}),
    ("wav", {"subtype": "ULAW"}),
    ("wav", {"subtype": "IMA_ADPCM"}),
    ("wav", {"subtype": "MS_ADPCM"}),
    ("wav", {"subtype": "GSM610"}),
    ("wav", {"format": "WAVEX", "subtype": "PCM_24"}),
    ("rf64", {"format": "RF64", "subtype": "PCM_16"}),
    ("w64", {"subtype": "PCM_16"}),
    ("flac", {"subtype": "PCM_16"}),
    ("flac", {"subtype": "PCM_24"}),
    ("aiff", {"subtype": "PCM_16"}),
    ("aifc", {"format": "AIFF", "subtype": "FLOAT"}),
    ("caf", {"subtype": "ALAC_16"}),
    ("caf", {"subtype": "PCM_16"}),
    ("au", {"subtype": "ULAW"}),
    ("voc", {"subtype": "PCM_16"}),
    ("sph", {"format": "NIST", "subtype": "PCM_16"}),
    ("sf", {"format": "IRCAM", "subtype": "PCM_16"}),
    ("paf", {"subtype": "PCM_16"}),
    ("svx", {"format": "SVX", "subtype": "PCM_16"}),
    ("avr", {"format": "AVR", "subtype": "PCM_16"}),
    ("pvf", {"format": "PVF", "subtype": "PCM_16"}),
    ("sds", {"format": "SDS", "subtype": "PCM_16"}),
    ("xi", {"format": "XI", "subtype": "DPCM_16"}),
    ("ogg", {"subtype": "VORBIS"}),
    ("opus", {"format": "OGG", "subtype": "OPUS"}),
    ("mp3", {}),
)
"""Every container and encoding that libsndfile writes and a stranger may send."""

_EXTREMES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_GOOD_EVERY = 25


def write_mutants(
    folder: Path, count: int, seed: int, sources: Sequence[tuple[str, bytes]] = ()
) -> int:
    """Write ``count`` mutants, and a good clip after every 25th; returns how many files there are.

    Parameters
    ----------
    folder : Path
        Where to; made if it is not there.
    count : int
        How many mutants.
    seed : int
        The same seed gives the same mutants.
    sources : sequence of (str, bytes), optional
        Suffixes and contents of what is mutated; a clip of each of `FORMATS` if not given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(seed)
    sources = sources or list(_sources(folder.with_name(folder.name + "-sources")))
    files = 0
    for index in range(count):
        suffix, content = sources[index % len(sources)]
        other = draw.choice(sources)
        if draw.random() < 0.05:
            suffix = other[0]
        for _ in range(draw.choice((1, 1, 2, 5))):
            content = _mutated(content, other[1], draw)
        (folder / f"{index:06}.{suffix}").write_bytes(content)
        files += 1
        if index % _GOOD_EVERY == 0:
            clip = vowel(draw.uniform(90, 260), draw.uniform(0.3, 0.9))
            write_clip(folder / f"{index:06}-good.{('wav', 'flac')[files % 2]}", clip)
            files += 1
    return files


def good_names(folder: Path) -> list[str]:
    """Name the good clips of a folder of mutants."""
    return sorted(path.name for path in folder.iterdir() if "-good." in path.name)


def _sources(folder: Path) -> Iterator[tuple[str, bytes]]:
    for index, (suffix, options) in enumerate(FORMATS):
        samples = vowel(100 + 5 * index, 0.2) if index % 2 else noise(0.2, seed=index)
        yield suffix, write_clip(folder / f"{index}.{suffix}", samples, **options).read_bytes()


def _mutated(content: bytes, other: bytes, draw: random.Random) -> bytes:
    data = bytearray(content)
    if not data:
        return other
    start = draw.randrange(len(data))
    length = draw.choice((1, 2, 4, 16, 100, 1_000))
    kind = draw.randrange(10)
    if kind == 0:
        del data[start:]
    elif kind == 1:
        del data[start : start + length]
    elif kind == 2:
        data[start : start + length] = bytes(len(data[start : start + length]))
    elif kind == 3:
        data[start:start] = draw.randbytes(length)
    elif kind == 4:
        data[start:start] = data[start : start + length] * draw.choice((1, 2, 50))
    elif kind == 5:
        data[start:] = other[draw.randrange(len(other)) :]
    elif kind == 6:
        for _ in range(8):
            data[draw.randrange(len(data))] = draw.randrange(256)
    elif kind == 7:
        for _ in range(4):
            data[draw.randrange(min(80, len(data)))] = draw.randrange(256)
    else:
        _set_field(data, draw)
    return bytes(data)


def _set_field(data: bytearray, draw: random.Random) -> None:
    """Put an extreme value where a header may have a length, a rate or a count."""
    form = draw.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
    size = struct.calcsize(form)
    place = draw.randrange(min(128, len(data))) & ~1
    if place + size <= len(data):
        value = draw.choice(_EXTREMES) & (256**size - 1)
        struct.pack_into(form, data, place, value)
