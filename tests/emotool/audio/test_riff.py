"""WAV files whose chunks are not what they should be."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotool.audio.stream import open_audio
from tests.containers import NEEDS_AV, Kind, encode
from tests.synthesis import vowel

_S = 3.0


def _read(folder: Path, content: bytes) -> tuple[float, tuple[str, ...]]:
    path = folder / "clip.wav"
    path.write_bytes(content)
    with open_audio(path, 16_000) as stream:
        assert np.abs(stream.read(10**8)).max() > 0.01
        assert stream.seconds is not None
        return stream.seconds, stream.flags


def _wav() -> bytes:
    with io.BytesIO() as file:
        soundfile.write(file, vowel(120, _S), 16_000, format="WAV")
        return file.getvalue()


@NEEDS_AV
@pytest.mark.parametrize("encoder", ["g722", "adpcm_yamaha", "wmav2"])
@pytest.mark.parametrize("share", [0.0, 2.0])
def test_a_codec_that_ffmpeg_reads_is_read_to_its_end(
    tmp_path: Path, encoder: str, share: float
) -> None:
    """Where the header states no length, or more than there is."""
    content = bytearray(encode(Kind("wav", "wav", encoder), vowel(120, _S)))
    place = content.index(b"data") + 4
    (size,) = struct.unpack("<I", content[place : place + 4])
    content[place : place + 4] = struct.pack("<I", int(size * share))
    read, flags = _read(tmp_path, bytes(content))
    assert abs(read - _S) < 0.15
    assert flags == ("incomplete",)


def test_a_chunk_of_odd_length_needs_no_byte_behind_it(tmp_path: Path) -> None:
    """Some programs leave it out, and their sound begins at an odd place."""
    wav = _wav()
    content = wav[:36] + b"note" + struct.pack("<I", 3) + b"abc" + wav[36:]
    assert _read(tmp_path, content) == (_S, ())


def test_a_length_that_was_never_finished_is_none(tmp_path: Path) -> None:
    """A recorder has written that of its first block."""
    wav = _wav()
    assert _read(tmp_path, wav[:40] + struct.pack("<I", 512) + wav[44:]) == (_S, ("incomplete",))


def test_a_second_chunk_of_sound_is_not_left_out_silently(tmp_path: Path) -> None:
    """It is more than what was read."""
    wav = _wav()
    half = len(wav[44:]) // 2
    size = struct.pack("<I", half)
    content = wav[:40] + size + wav[44 : 44 + half] + b"data" + size + wav[44 + half :]
    assert _read(tmp_path, content) == (_S / 2, ("incomplete",))
