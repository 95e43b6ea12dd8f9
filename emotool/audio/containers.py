"""Containers of sound that FFmpeg reads, recognised by a file's first bytes."""

from typing import Final

__all__ = ["CONTAINERS", "TAGGED", "container_behind", "container_of"]

CONTAINERS: Final = {
    "mov": "an MP4 or M4A file",
    "matroska": "a WebM or Matroska file",
    "asf": "a Windows Media file",
    "aac": "an AAC stream",
    "loas": "an AAC stream (LOAS)",
    "amr": "an AMR file",
    "ac3": "an AC-3 stream",
    "eac3": "an E-AC-3 stream",
    "dts": "a DTS stream",
    "ape": "a Monkey's Audio file",
    "wv": "a WavPack file",
    "tta": "a True Audio file",
    "mpc": "a Musepack file",
    "mpc8": "a Musepack file",
    "tak": "a TAK file",
    "dsf": "a DSD file",
    "iff": "a DSD file",
    "shn": "a Shorten file",
    "dss": "a dictation (DSS) file",
    "qcp": "a QCP file",
    "avi": "an AVI file",
    "flv": "a Flash video",
    "mpeg": "an MPEG program stream",
    "mpegts": "an MPEG transport stream",
    "ogg": "an Ogg file of Speex, FLAC or several streams",
    "flac": "a FLAC file of a word length that libsndfile does not read",
    "wav": "a WAV file of a codec that libsndfile does not read",
    "aiff": "an AIFF file of a codec that libsndfile does not read",
    "caf": "a CAF file of a codec that libsndfile does not read",
    "au": "an AU file of a codec that libsndfile does not read",
    "w64": "a W64 file of a codec that libsndfile does not read",
    "voc": "a VOC file of a codec that libsndfile does not read",
}
"""FFmpeg's names of the containers that may be opened, and what to call them."""

TAGGED: Final = (
    "aac",
    "ac3",
    "eac3",
    "dts",
    "amr",
    "ape",
    "wv",
    "tta",
    "mpc",
    "mpc8",
    "tak",
    "flac",
)
"""Those of them that tags stand before and behind, which FFmpeg takes for damage."""

_STARTS: Final = (
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (b"#!AMR", "amr"),
    (b"MAC ", "ape"),
    (b"wvpk", "wv"),
    (b"TTA1", "tta"),
    (b"MP+", "mpc"),
    (b"MPCK", "mpc8"),
    (b"tBaK", "tak"),
    (b"DSD ", "dsf"),
    (b"FRM8", "iff"),
    (b"ajkg", "shn"),
    (b"\x02dss", "dss"),
    (b"\x03ds2", "dss"),
    (b"FLV\x01", "flv"),
    (b"\0\0\1\xba", "mpeg"),
    (b"\x7f\xfe\x80\x01", "dts"),
    (b"\xfe\x7f\x01\x80", "dts"),
    (b"\x1f\xff\xe8\x00", "dts"),
    (b"\xff\x1f\x00\xe8", "dts"),
)

_BEHIND: Final = (
    (b"caff", "caf"),
    (b".snd", "au"),
    (b"riff\x2e\x91\xcf\x11", "w64"),
    (b"Creative Voice File", "voc"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
)
"""What is tried where libsndfile has refused a file."""

_TRANSPORT: Final = (188, 192)
"""Bytes of a packet of an MPEG transport stream, without and with a time before each."""

_ATOMS: Final = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def container_of(head: bytes, size: int) -> str:
    r"""Recognise a container that libsndfile does not read by a file's first bytes.

    Parameters
    ----------
    head : bytes
        At least the first 16 bytes, or all there are; behind an ID3v2 tag, if there is one.
    size : int
        Length of the whole file in bytes.

    Returns
    -------
    str
        A key of `CONTAINERS`, or an empty string.

    Examples
    --------
    >>> container_of(b"\0\0\0\x1cftypM4A \0\0\0\0", 20_000)
    'mov'
    >>> container_of(b"the free software song", 20_000)
    ''
    """
    for start, name in _STARTS:
        if head.startswith(start):
            return name
    if head[:1] == b"\xff" and head[1:2] in (b"\xf0", b"\xf1", b"\xf8", b"\xf9"):
        return "aac"  # layer 0, which no MPEG audio but AAC has
    if head[:2] == b"\x0b\x77" and len(head) > 5:
        return "eac3" if head[5] >> 3 > 10 else "ac3"
    if head[:2] == b"\x56\xe0" or (head[:1] == b"\x56" and head[1:2] and head[1] & 0xE0 == 0xE0):
        return "loas"
    if head[:4] == b"RIFF" and head[8:12] in (b"AVI ", b"QLCM"):
        return "avi" if head[8:12] == b"AVI " else "qcp"
    if head[4:8] in _ATOMS:
        length = int.from_bytes(head[:4])
        # The word may stand in a text; the length before it may not.
        if length == 1 or 8 <= length <= size:
            return "mov"
    return "mpegts" if any(_is_transport(head, packet) for packet in _TRANSPORT) else ""


def _is_transport(head: bytes, packet: int) -> bool:
    """Return whether packets of so many bytes follow each other."""
    places = [packet * number - _TRANSPORT[0] for number in (1, 2, 3)]
    return places[-1] < len(head) and all(head[place] == 0x47 for place in places)


def container_behind(head: bytes) -> str:
    """Recognise a container that libsndfile reads only with some codecs; else return ''."""
    for start, name in _BEHIND:
        if head.startswith(start):
            return name
    if head[8:12] == b"WAVE" and head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
        return "wav"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    return ""
