"""Chunks of WAV files: how much sound they hold, whatever their headers state, and what codec.

Recorders that stop in the middle leave a length of zero, and those that write more than 4 GB what
remains of it in 32 bits. Where a header does not fit its file, the decoder is given another one.
"""

from dataclasses import dataclass
from typing import BinaryIO, Final

from emotool.audio.mpeg import first_frame, plan_mpeg
from emotool.audio.parts import Piece, Plan, read_at

__all__ = ["codec_of", "is_wav", "plan_wav"]

_UNKNOWN: Final = 0x7FFF_0000
"""Lengths from here on are written where a program does not know it, as into a pipe."""

_WRAP: Final = 1 << 32

_MOST_CHUNKS: Final = 10_000

_MPEG: Final = (0x50, 0x55)

_PCM: Final = (0, 1, 3, 0xFFFF)
"""What no compressed sound has: no codec, PCM, floats, and what is left undefined."""

_TOLERANCE_S: Final = 0.25

_UNFINISHED: Final = 64
"""A recorder that stopped in the middle leaves a length of less than 1/64 of the sound."""

_CODECS: Final = {
    0x01: "PCM",
    0x02: "Microsoft ADPCM",
    0x11: "IMA ADPCM",
    0x20: "Yamaha ADPCM",
    0x16: "G.723",
    0x22: "TrueSpeech",
    0x31: "GSM 6.10",
    0x40: "G.721",
    0x42: "G.723.1",
    0x45: "G.726",
    0x64: "G.726",
    0x65: "G.722",
    0x28F: "G.722",
    0x83: "G.729",
    0x50: "MP2",
    0x55: "MP3",
    0xFF: "AAC",
    0x1600: "AAC",
    0x1601: "AAC",
    0x1602: "AAC",
    0x160: "WMA 1",
    0x161: "WMA 2",
    0x162: "WMA Pro",
    0x163: "WMA Lossless",
    0x0A: "WMA Voice",
    0x200: "Creative ADPCM",
    0x270: "ATRAC3",
    0x2000: "AC-3",
    0x2001: "DTS",
    0x566F: "Vorbis",
    0x674F: "Vorbis",
    0x704F: "Opus",
    0xA109: "Speex",
    0xF1AC: "FLAC",
}
"""What the numbers of codecs stand for."""


def is_wav(head: bytes) -> bool:
    """Return whether a file begins like a WAV file of any size."""
    return head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE"


@dataclass(slots=True)
class _Wav:
    """What the chunks of a WAV file state."""

    fmt: bytes = b""
    fact: bytes = b""
    sizes: bytes = b""  # the chunk ds64
    data: int = 0  # where the sound begins; 0 without any
    stated: int = 0  # its bytes

    @property
    def codec(self) -> int:
        tag = int.from_bytes(self.fmt[:2], "little")
        return int.from_bytes(self.fmt[24:26], "little") if tag == 0xFFFE else tag

    @property
    def bytes_s(self) -> int:
        return max(1, int.from_bytes(self.fmt[8:12], "little"))


def _read(source: BinaryIO, start: int, stop: int) -> _Wav:
    """Return what the chunks up to the sound state."""
    wav = _Wav()
    position = start + 12
    for _ in range(_MOST_CHUNKS):
        head = read_at(source, position, 8)
        if len(head) < 8 or position >= stop:
            break
        name, size = head[:4], int.from_bytes(head[4:], "little")
        if name == b"data":
            wav.data, wav.stated = position + 8, size
            break
        content = read_at(source, position + 8, min(size, 256))
        if name == b"fmt ":
            wav.fmt = content
        elif name == b"fact":
            wav.fact = content
        elif name == b"ds64":
            wav.sizes = content
        position += 8 + size
        # Some leave out the byte that fills an odd length up.
        if size & 1 and not _is_name(read_at(source, position, 4)):
            position += 1
    if wav.stated == 0xFFFF_FFFF and wav.sizes:
        wav.stated = int.from_bytes(wav.sizes[8:16], "little")
    return wav


def _is_name(four: bytes) -> bool:
    return len(four) == 4 and all(32 <= byte < 127 for byte in four)


def _chunks_end(source: BinaryIO, position: int, stop: int) -> int:
    """Return where chunks behind the sound end: ``position`` if there are none."""
    for _ in range(_MOST_CHUNKS):
        head = read_at(source, position, 8)
        size = int.from_bytes(head[4:], "little")
        if len(head) < 8 or not _is_name(head[:4]) or position + 8 + size > stop:
            break
        if head[:4] in (b"RIFF", b"RF64", b"BW64", b"data"):  # another file, or more sound
            break
        position += 8 + size
        if size & 1 and not _is_name(read_at(source, position, 4)):
            position += 1
    return position


def plan_wav(source: BinaryIO, head: bytes, start: int, stop: int) -> Plan | None:
    """Return how to read a WAV file to the end of its sound.

    Parameters
    ----------
    source : file-like
        The file.
    head : bytes
        Its first bytes, from ``start`` on.
    start, stop : int
        Where it begins, and where its file ends.

    Returns
    -------
    Plan or None
        None if libsndfile reads the file as it is, and nothing is to be reported.
    """
    place = head.find(b"data", 12)
    if place > 0 and head[:4] == b"RIFF" and head[20:22] not in (b"\x50\0", b"\x55\0"):
        behind = start + place + 8 + int.from_bytes(head[place + 4 : place + 8], "little")
        plain = start == 0 and place % 2 == 0 and head[20:22] != b"\xfe\xff"
        if behind == stop and plain:
            return None
    wav = _read(source, start, stop)
    if not wav.fmt or not wav.data or head[:4] == b"RIFX":
        return None
    return _plan(source, head, wav, (start, stop))


def _plan(source: BinaryIO, head: bytes, wav: _Wav, whole: tuple[int, int]) -> Plan | None:
    start, stop = whole
    size, others, flags = _sound_bytes(source, wav, stop)
    if wav.codec in _MPEG:
        begin = first_frame(source, wav.data, wav.data + size)
        plan = plan_mpeg(source, begin, wav.data + size, whole=False) if begin >= 0 else None
        pieces = plan.pieces if plan else (Piece(start, wav.data + size),)
        flags = flags or (plan.flags if plan else ())
    else:
        pieces = (_piece(head, wav, start, size),)
    following = None
    if others:
        again = read_at(source, others, 512)
        following = plan_wav(source, again, others, stop) or Plan((Piece(others, stop),))
    if following:
        return Plan(pieces + following.pieces, flags or following.flags)
    plain = size == min(wav.stated, stop - wav.data) and start == 0 and head[:4] != b"BW64"
    # libsndfile takes chunks to begin at even places, as they should.
    if plain and wav.data % 2 == 0 and wav.codec not in _MPEG and not flags:
        return None
    return Plan(pieces, flags)


def _sound_bytes(source: BinaryIO, wav: _Wav, stop: int) -> tuple[int, int, tuple[str, ...]]:
    """Return how many bytes of sound there are, where another file begins (0: none), and flags."""
    rest, stated = stop - wav.data, wav.stated
    if stated >= rest:
        lacks = stated < _UNKNOWN and stated - rest > _TOLERANCE_S * wav.bytes_s
        return rest, 0, ("incomplete",) if lacks else ()
    end = _chunks_end(source, wav.data + stated + (stated & 1), stop)
    if stated and stop - end < 8:
        return stated, 0, ()
    behind = read_at(source, end, 12)
    if is_wav(behind):
        return stated, end, ()
    if rest >= _WRAP and not wav.sizes:
        wrapped = stated + (rest - stated) // _WRAP * _WRAP
        left = stop - _chunks_end(source, wav.data + wrapped + (wrapped & 1), stop)
        if left <= _TOLERANCE_S * wav.bytes_s:
            return wrapped, 0, ()
        return rest, 0, () if _is_unknown(stated) else ("incomplete",)
    if _is_unknown(stated):
        return rest, 0, ()
    if behind.startswith((b"ID3", b"TAG", b"APETAGEX")):
        return stated, 0, ()
    if stated < rest / _UNFINISHED:
        return (rest, 0, ("incomplete",)) if _anything(source, wav.data, stop) else (0, 0, ())
    many = stop - end > _TOLERANCE_S * wav.bytes_s and _anything(source, end, stop)
    return stated, 0, ("incomplete",) if many else ()


def _is_unknown(stated: int) -> bool:
    """Return whether a length is one of those that programs write which do not know it."""
    return _UNKNOWN <= stated <= 0x8000_0000 or stated >= 0xFFFF_0000


def _anything(source: BinaryIO, start: int, stop: int) -> bool:
    """Return whether a range holds anything but zeros, by its first mebibyte."""
    return any(read_at(source, start, min(1 << 20, stop - start)))


def _piece(head: bytes, wav: _Wav, start: int, size: int) -> Piece:
    """Return how to read the sound: with a header that states its length."""
    rate = int.from_bytes(wav.fmt[4:8], "little")
    channels = int.from_bytes(wav.fmt[2:4], "little")
    chunks = _chunk(b"fmt ", wav.fmt) + (_chunk(b"fact", wav.fact) if wav.fact else b"")
    length = 20 + len(chunks) + size
    if length < _UNKNOWN:
        prefix = b"RIFF" + length.to_bytes(4, "little") + b"WAVE" + chunks + b"data"
        prefix += size.to_bytes(4, "little")
    else:
        frames = size // max(1, int.from_bytes(wav.fmt[12:14], "little"))
        sizes = b"".join(each.to_bytes(8, "little") for each in (length + 36, size, frames))
        prefix = b"RF64" + b"\xff" * 4 + b"WAVE" + _chunk(b"ds64", sizes + bytes(4)) + chunks
        prefix += b"data" + b"\xff" * 4
    return Piece(wav.data, wav.data + size, "", prefix, rate=rate, channels=channels)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + bytes(len(content) & 1)


def codec_of(source: BinaryIO, start: int, stop: int) -> str:
    """Return what compressed codec a WAV file's sound has, in a few words; '' if it has none."""
    codec = _read(source, start, stop).codec
    if codec in _PCM:
        return ""
    return f"{_CODECS.get(codec, 'an unknown codec')} (0x{codec:04x})"
