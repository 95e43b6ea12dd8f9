"""Open untrusted audio files, and explain why one cannot be used."""

import os
from typing import BinaryIO, Final

from emotool.errors import AudioError
from emotool.files.opening import plain_reason

__all__ = [
    "CONTAINER_SUFFIXES",
    "DECODABLE_SUFFIXES",
    "FOREIGN_SUFFIXES",
    "explain",
    "has_audio_name",
    "read_head",
]


DECODABLE_SUFFIXES: Final = frozenset(
    f".{name}"
    for name in (
        *(
            "wav",
            "wave",
            "bwf",
            "rf64",
            "w64",
            "flac",
            "mp3",
            "mp2",
            "mpga",
            "mpeg",
            "ogg",
            "oga",
            "opus",
        ),
        *("aif", "aiff", "aifc", "caf", "au", "snd", "voc", "sph", "nist", "ircam", "sf"),
        *("pvf", "paf", "svx", "8svx", "avr", "sds", "sd2", "wve", "xi"),
    )
)
"""Lower-case file name endings of what libsndfile reads."""


CONTAINER_SUFFIXES: Final = frozenset(
    f".{name}"
    for name in (
        *("m4a", "m4b", "m4r", "mp4", "qta", "3ga", "3gp", "3gpp", "3g2", "aac", "adts", "webm"),
        *("weba", "mka", "wma", "amr", "awb", "ac3", "eac3", "dts", "ape", "wv", "tta", "mpc"),
        *("spx", "dsf", "dff", "tak", "shn", "dss", "qcp"),
    )
)
"""Lower-case file name endings of what `emotool.audio.ffmpeg` reads, with the extra ``av``."""


FOREIGN_SUFFIXES: Final = CONTAINER_SUFFIXES | frozenset(f".{name}" for name in ("dff", "ra"))
"""Lower-case file name endings of audio that libsndfile does not read."""


_SUFFIXES: Final = DECODABLE_SUFFIXES | FOREIGN_SUFFIXES


def has_audio_name(name: str) -> bool:
    """Return whether a name ends like audio, which makes a file in a folder a clip.

    Examples
    --------
    >>> has_audio_name("a/b.WAV"), has_audio_name("notes.txt")
    (True, False)
    """
    return os.path.splitext(name)[1].lower() in _SUFFIXES  # noqa: PTH122 - 100,000 times


_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"


_ZIP: Final = b"PK\x03\x04"


_HEAD_BYTES: Final = 512


_ID3_BYTES: Final = 10  # of the header of an ID3v2 tag


_NO_MAGIC: Final = bytes(16)  # what no format begins with


_MOST_ZEROS: Final = 1 << 20  # bytes of them that are skipped at the start


def read_head(source: BinaryIO) -> tuple[bytes, int]:
    """Return a file's first bytes behind ID3v2 tags and zeros, and where they begin.

    The file is at its start again.

    Raises
    ------
    AudioError
        If it cannot be read; stage ``open``.
    """
    try:
        head, start = source.read(_HEAD_BYTES), 0
        while head.startswith(b"ID3") and len(head) > _ID3_BYTES:
            behind = start + _ID3_BYTES + _id3_size(head)
            source.seek(behind)
            if not (further := source.read(_HEAD_BYTES)):
                break
            head, start = further, behind
        if head.startswith(_NO_MAGIC):
            source.seek(start)
            content = source.read(_MOST_ZEROS)
            zeros = len(content) - len(content.lstrip(b"\0"))
            if zeros < len(content):
                head, start = content[zeros : zeros + _HEAD_BYTES], start + zeros
        source.seek(0)
    except OSError as error:
        raise AudioError("open", plain_reason(error)) from error
    return head, start


def _id3_size(head: bytes) -> int:
    """Return how many bytes of a tag follow its header: four times seven bits."""
    first, second, third, last = (byte & 0x7F for byte in head[6:_ID3_BYTES])
    return first << 21 | second << 14 | third << 7 | last


def explain(path: str, head: bytes, decoder_says: str) -> AudioError:
    """Return the error for a file that the decoder refused, by a look at its first bytes.

    Parameters
    ----------
    path : str
        Its extension is the format expected.
    head : bytes
        What `read_head` has found.
    decoder_says : str
        The decoder's own reason, used where nothing plainer is known.

    Returns
    -------
    AudioError
        Stage ``open``; the caller raises it.
    """
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122 - keeps undecodable bytes
    if head.startswith(_LFS_POINTER):
        return AudioError(
            "open",
            "a Git-LFS pointer instead of the audio: run `git lfs pull` in its repository",
        )
    if head.startswith(_ZIP):
        return AudioError(
            "open",
            "a zip archive: its clips are read if its name ends in .zip, and it is no member of "
            "another archive",
        )
    if not any(head):
        return AudioError("open", "the file holds only zero bytes")
    if head.startswith(b"NIST_1A"):
        return AudioError("open", _sphere(head, decoder_says))
    if _is_text(head):
        return AudioError("open", "a text file, not audio")
    if suffix in CONTAINER_SUFFIXES:
        return AudioError("open", f"not the {suffix[1:]} file that its name promises: damaged")
    if suffix in FOREIGN_SUFFIXES:
        return AudioError(
            "open",
            f"{suffix[1:]} audio cannot be read: install ffmpeg and convert it, for example: "
            f"ffmpeg -i FILE{suffix} clip.flac",
        )
    if head.startswith(b"ID3"):
        return AudioError("open", "a tag (ID3) without any sound behind it")
    if "File does not exist" in decoder_says:  # what it says of frames that it cannot use
        return AudioError("open", "MPEG audio (MP3), but damaged: no whole frame can be found")
    return AudioError("open", f"not audio that libsndfile reads ({decoder_says.rstrip('. ')})")


def _sphere(head: bytes, decoder_says: str) -> str:
    """Return why a SPHERE file is not read; its header is text."""
    coding = head.partition(b"sample_coding")[2].partition(b"\n")[0].decode("ascii", "replace")
    coding = " ".join(coding.split()[1:])  # behind the length of the text
    if "shorten" in coding:
        return (
            "a SPHERE file compressed with Shorten, which is not decoded here: convert it with "
            "sph2pipe, for example: sph2pipe -f wav FILE.sph clip.wav"
        )
    return f"a SPHERE file that libsndfile does not read ({coding or decoder_says})"


def _is_text(head: bytes) -> bool:
    """Return whether the bytes are UTF-8 text (but for a character cut at the end)."""
    if b"\0" in head:
        return False
    for cut in range(4):
        try:
            head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return True
    return False
