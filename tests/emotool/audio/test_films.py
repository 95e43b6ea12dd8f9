"""Sound beside moving pictures: read whole, from where it begins."""

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotool.audio.stream import open_audio
from emotool.errors import AudioError
from tests.containers import NEEDS_AV
from tests.synthesis import Samples, vowel

_S = 4.0
_RATE = 48_000


def _film(folder: Path, form: str, picture: str, codec: str, late: float = 0.0) -> Path:
    """Write a film of noise and of a voice that begins late."""
    import av

    path = folder / "film"
    draw = np.random.default_rng(0)
    with av.open(str(path), "w", format=form) as container:
        film = container.add_stream(picture, rate=25)
        film.width, film.height, film.pix_fmt = 64, 64, "yuv420p"
        sound = container.add_stream(codec, rate=_RATE, layout="mono")
        container.start_encoding()
        packets = []
        for number in range(round(25 * (_S + late))):
            image = draw.integers(0, 256, (64, 64, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(image)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            packets += film.encode(frame)
        packets += film.encode(None)
        for frame in (*_frames(sound.codec_context, late), None):
            packets += sound.encode(frame)
        for packet in sorted(packets, key=lambda one: float(one.dts * one.time_base)):
            container.mux(packet)
    return path


def _frames(context: object, late: float) -> Iterator[object]:
    import av

    size, form = context.frame_size, context.format  # type: ignore[attr-defined]
    cutter = av.AudioResampler(form, "mono", _RATE, size)
    samples = vowel(120, _S, sample_rate=_RATE)[None]
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32), "fltp", "mono")
    frame.sample_rate = _RATE
    start = round(late * _RATE)
    for piece in (*cutter.resample(frame), *cutter.resample(None)):
        piece.pts, piece.time_base = start, Fraction(1, _RATE)
        start += piece.samples
        yield piece


def _read(path: Path) -> tuple[float, tuple[str, ...], Samples]:
    with open_audio(path, 16_000) as stream:
        samples = stream.read(10**8)
        assert stream.seconds is not None
        return stream.seconds, stream.flags, samples


@NEEDS_AV
@pytest.mark.parametrize("late", [0.0, 3.0])
@pytest.mark.parametrize(
    ("form", "picture", "codec"),
    [
        ("mpeg", "mpeg1video", "mp2"),
        ("vob", "mpeg2video", "ac3"),
        ("mpegts", "mpeg2video", "mp2"),
        ("mpegts", "mpeg2video", "aac"),
        ("webm", "libvpx", "libopus"),
        ("matroska", "mpeg4", "aac"),
        ("mp4", "mpeg4", "aac"),
    ],
)
def test_a_film_is_read_whole_and_on_time(
    tmp_path: Path, form: str, picture: str, codec: str, late: float
) -> None:
    """Frames of MPEG audio lie in pieces in its streams; pictures in front are no damage."""
    read, flags, samples = _read(_film(tmp_path, form, picture, codec, late))
    assert abs(read - late - _S) < 0.15
    assert flags == ()
    assert abs(np.flatnonzero(np.abs(samples) > 0.01)[0] / 16_000 - late) < 0.15


def test_a_few_frames_in_another_file_are_no_mp3(tmp_path: Path) -> None:
    """A container that is not known is not read in part."""
    with io.BytesIO() as file:
        soundfile.write(file, vowel(120, _S, sample_rate=44_100), 44_100, format="MP3")
        sound = file.getvalue()
    draw = np.random.default_rng(0)
    path = tmp_path / "film.mxf"
    pieces = [draw.bytes(4_000) + sound[at : at + 2_000] for at in range(0, len(sound), 2_000)]
    path.write_bytes(b"\6\x0e\x2b\x34" + b"".join(pieces).replace(b"\xff\xff", b"\0\0"))
    with pytest.raises(AudioError, match=r"not audio|no whole frame"):
        _read(path)
