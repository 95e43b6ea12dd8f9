"""Headers that state other lengths than files have, cut files, and files joined or filled up."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotool.audio.mpeg_header import parse
from emotool.audio.stream import open_audio
from emotool.errors import AudioError
from tests.containers import NEEDS_AV, Kind, encode
from tests.synthesis import vowel

_S = 6.0
_KINDS = {
    "ADTS": Kind("aac", "adts", "aac"),
    "TTA": Kind("tta", "tta", "tta"),
    "3GP": Kind("3gp", "3gp", "aac"),
    "M4A": Kind("m4a", "ipod", "alac"),
}


def _encoded(form: str, **how: object) -> bytes:
    with io.BytesIO() as file:
        soundfile.write(file, vowel(120, _S), 16_000, format=form, **how)
        return file.getvalue()


def _read(folder: Path, content: bytes) -> tuple[float, tuple[str, ...]]:
    path = folder / "clip"
    path.write_bytes(content)
    with open_audio(path, 16_000) as stream:
        assert np.abs(stream.read(10**8)).max() > 0.01
        assert stream.seconds is not None
        return stream.seconds, stream.flags


@pytest.mark.parametrize("form", ["AIFF", "AU", "SVX", "OGG", "CAF", "NIST", "VOC", "W64"])
def test_a_file_that_is_cut_off_says_so(tmp_path: Path, form: str) -> None:
    """Its header states more than there is, or its last page has no end."""
    content = _encoded(form)
    assert _read(tmp_path, content)[1] == ()
    read, flags = _read(tmp_path, content[: len(content) // 2])
    assert _S * 0.2 < read < _S * 0.6
    assert flags == ("incomplete",)


def test_opus_that_is_cut_off_says_so(tmp_path: Path) -> None:
    """It is Ogg, too."""
    content = _encoded("OGG", subtype="OPUS")
    read, flags = _read(tmp_path, content[: len(content) * 2 // 3])
    assert _S * 0.3 < read < _S * 0.8
    assert flags == ("incomplete",)


def test_an_au_written_into_a_pipe_is_complete(tmp_path: Path) -> None:
    """Its length is the highest number there is, which stands for none."""
    content = _encoded("AU", endian="BIG")
    assert _read(tmp_path, content[:8] + b"\xff" * 4 + content[12:]) == (_S, ())


def test_a_decoder_that_gives_up_says_after_how_much(tmp_path: Path) -> None:
    """A FLAC that is cut off is an error."""
    content = _encoded("FLAC")
    with pytest.raises(AudioError, match=r"gave up after [1-4]\.\d s"):
        _read(tmp_path, content[: len(content) // 2])


@NEEDS_AV
def test_ffmpeg_that_gives_up_says_after_how_much(tmp_path: Path) -> None:
    """So is an AAC stream."""
    content = encode(_KINDS["ADTS"], vowel(120, _S))
    with pytest.raises(AudioError, match=r"gave up after [1-4]\.\d s"):
        _read(tmp_path, content[: len(content) // 2])


@NEEDS_AV
def test_a_caf_of_another_codec_that_is_cut_off_says_after_how_much(tmp_path: Path) -> None:
    """A part of a block is an error of its decoder."""
    content = encode(Kind("caf", "caf", "adpcm_ima_qt"), vowel(120, _S))
    with pytest.raises(AudioError, match=r"gave up after 3\.0 s"):
        _read(tmp_path, content[: len(content) // 2])


@NEEDS_AV
@pytest.mark.parametrize("name", ["TTA", "3GP", "M4A", "AIFF"])
def test_of_joined_files_it_is_said_that_there_is_more(tmp_path: Path, name: str) -> None:
    """FFmpeg reads the first."""
    content = encode(_KINDS[name], vowel(120, _S)) if name in _KINDS else _encoded(name)
    assert _read(tmp_path, content)[1] == ()
    read, flags = _read(tmp_path, content * 2)
    assert abs(read - _S) < 0.1
    assert flags == ("incomplete",)


@NEEDS_AV
@pytest.mark.parametrize("front", [64, 600, 5_000])
@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG"])
def test_zeros_in_front_are_skipped(tmp_path: Path, form: str, front: int) -> None:
    """Tools that repair disks leave them there."""
    read, flags = _read(tmp_path, bytes(front) + _encoded(form))
    assert abs(read - _S) < 0.1
    assert flags == ()


def test_large_tags_behind_an_mp3_without_a_count_are_no_sound(tmp_path: Path) -> None:
    """Beyond 1,000 bytes, its decoder takes them for damage."""
    file = io.BytesIO()  # its first frames are small, so that more are expected than there are
    samples = np.concatenate([np.zeros(44_100), vowel(120, _S, sample_rate=44_100)])
    how = {"bitrate_mode": "VARIABLE", "compression_level": 0.2}
    soundfile.write(file, samples, 44_100, format="MP3", **how)
    content = file.getvalue()
    counting = parse(content[:4])
    assert counting is not None
    tag = b"LYRICSBEGIN" + b"la" * 1_000 + b"LYRICS200" + b"TAG" + bytes(125)
    read, flags = _read(tmp_path, content[counting.length :] + tag)
    assert abs(read - _S - 1) < 0.15
    assert flags == ()
