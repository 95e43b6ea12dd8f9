"""Audio files that are damaged, absurd or no audio at all, and the row each of them gets."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from tests.synthesis import tone, vowel, write_clip

__all__ = ["AUDIO", "AudioFault"]


@dataclass(frozen=True)
class AudioFault:
    """A file and its row.

    Parameters
    ----------
    what : str
        What is wrong with the file.
    name : str
        The file's name.
    make : callable
        Writes the file.
    status : str
        Of its row.
    error : str
        Of its row, ``…`` standing for anything.
    flags : str
        Of its row.
    """

    what: str
    name: str
    make: Callable[[Path], object]
    status: str = "failed"
    error: str = ""
    flags: str = ""


def _bytes(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def _clip(samples: np.ndarray, rate: int = 16_000, **options: str) -> Callable[[Path], object]:
    return lambda path: write_clip(path, samples, rate, **options)


def _spoilt(change: Callable[[bytearray], object], **options: str) -> Callable[[Path], object]:
    """Write a voice of a second and a half, then change its bytes in place."""

    def make(path: Path) -> None:
        write_clip(path, vowel(120, 1.5), **options)
        content = bytearray(path.read_bytes())
        change(content)
        path.write_bytes(content)

    return make


def _cut(share: float) -> Callable[[bytearray], object]:
    def change(content: bytearray) -> None:
        del content[int(len(content) * share) :]

    return change


def _field(place: int, form: str, value: int) -> Callable[[bytearray], object]:
    return lambda content: struct.pack_into(form, content, place, value)


def _flac_of_too_many(content: bytearray) -> None:
    # The count of samples is the low 36 bits of bytes 18 to 25.
    value = int.from_bytes(content[18:26], "big") >> 36 << 36 | 100_000_000
    content[18:26] = value.to_bytes(8, "big")


def _hour_of_nothing(path: Path) -> None:
    with soundfile.SoundFile(path, "w", 16_000, 1) as file:
        for _ in range(60):
            file.write(np.zeros(960_000, np.float32))


def _with(value: float) -> np.ndarray:
    samples = vowel(120, 0.5)
    samples[1_000] = value
    return samples


_LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n"
_NOISE = bytes(np.random.RandomState(0).bytes(5_000))

AUDIO = (
    AudioFault("zero bytes", "empty.wav", _bytes(b""), error="open: the file is empty (0 bytes)"),
    AudioFault(
        "a thousand zero bytes",
        "zeros.wav",
        _bytes(bytes(1_000)),
        error="open: the file holds only zero bytes",
    ),
    AudioFault("a text", "text.wav", _bytes(b"no sound\n"), error="open: a text file, not audio"),
    AudioFault(
        "random bytes", "random.mp3", _bytes(_NOISE), error="open: not audio that libsndfile reads"
    ),
    AudioFault("a Git-LFS pointer", "pointer.flac", _bytes(_LFS), error="open: …`git lfs pull`…"),
    AudioFault(
        "an m4a that is none, or without the extra `av`",
        "phone.m4a",
        _bytes(b"\0\0\0\x20ftypM4A " + _NOISE),
        error="open: an MP4 or M4A file…",
    ),
    AudioFault(
        "a video called .wav",
        "video.wav",
        _bytes(b"\0\0\0\x20ftypisom" + _NOISE),
        error="open: an MP4 or M4A file…",
    ),
    AudioFault("a FLAC called .wav", "flac.wav", _clip(vowel(120, 1.0), format="FLAC"), "ok"),
    AudioFault("a WAV cut within its header", "header.wav", _spoilt(_cut(0.0005)), error="open: …"),
    AudioFault("a WAV cut half-way", "half.wav", _spoilt(_cut(0.5)), "ok", flags="incomplete"),
    AudioFault(
        "a FLAC cut half-way", "half.flac", _spoilt(_cut(0.5)), error="decode: the decoder gave up…"
    ),
    AudioFault("an MP3 cut half-way", "half.mp3", _spoilt(_cut(0.5)), "ok", flags="incomplete"),
    AudioFault(
        "a WAV that claims 4 GB", "claims_much.wav", _spoilt(_field(40, "<I", 0xFFFFFFF0)), "ok"
    ),
    AudioFault(
        "a WAV that claims to be empty",
        "claims_none.wav",
        _spoilt(_field(40, "<I", 0)),
        "ok",
        flags="incomplete",
    ),
    AudioFault(
        "a FLAC that claims hours",
        "claims_hours.flac",
        _spoilt(_flac_of_too_many),
        error="decode: damaged or cut off: 24000 of 100000000 samples…",
    ),
    AudioFault(
        "a header of 1 Hz",
        "one_hertz.wav",
        _spoilt(_field(24, "<I", 1)),
        error="open: a sample rate of 1 Hz…",
    ),
    AudioFault(
        "a header of 65,535 channels",
        "channels.wav",
        _spoilt(_field(22, "<H", 65_535)),
        error="open: not audio…",
    ),
    AudioFault(
        "NaN among the samples",
        "nan.wav",
        _clip(_with(np.nan), subtype="FLOAT"),
        error="decode: samples that are NaN or infinite",
    ),
    AudioFault(
        "infinity among the samples",
        "infinity.wav",
        _clip(_with(np.inf), subtype="DOUBLE"),
        error="decode: samples that are NaN or infinite",
    ),
    AudioFault(
        "samples of 1e30",
        "absurd.wav",
        _clip(_with(1e30), subtype="FLOAT"),
        error="decode: samples beyond …",
    ),
    AudioFault(
        "silence", "silence.wav", _clip(np.zeros(16_000)), "silent", "no sound above -70 dBFS"
    ),
    AudioFault(
        "a constant (DC)", "dc.wav", _clip(np.full(16_000, 0.5)), "silent", "no sound above…"
    ),
    AudioFault("no samples", "none.wav", _clip(np.zeros(0)), "too_short", "shorter than 0.1 s"),
    AudioFault("one sample", "one.wav", _clip(np.ones(1)), "too_short", "shorter than 0.1 s"),
    AudioFault("8 kHz", "low.wav", _clip(tone(300, 0.5, 8_000), 8_000), "ok"),
    AudioFault("384 kHz", "high.wav", _clip(tone(300, 0.5, 384_000), 384_000), "ok"),
    AudioFault("32 channels", "wide.wav", _clip(np.tile(vowel()[:, None], 32)), "ok"),
    AudioFault("8 bits", "bits.wav", _clip(vowel(), subtype="PCM_U8"), "ok"),
    AudioFault("64-bit floats", "double.wav", _clip(vowel(), subtype="DOUBLE"), "ok"),
    AudioFault("µ-law", "mu_law.au", _clip(vowel(), subtype="ULAW"), "ok"),
    AudioFault("ADPCM", "adpcm.wav", _clip(vowel(), subtype="IMA_ADPCM"), "ok"),
    AudioFault(
        "clipping",
        "clipped.wav",
        _clip(np.clip(vowel(amplitude=2.0), -1, 1)),
        "ok",
        flags="clipped",
    ),
    AudioFault(
        "a FLAC of 180 kB that decodes to an hour",
        "bomb.flac",
        _hour_of_nothing,
        "silent",
        "no sound above…",
        "long",
    ),
)
"""One file each, all of which lie in one folder in the test."""
