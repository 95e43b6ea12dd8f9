"""What phones and browsers record is read, and nothing but the file itself is ever opened."""

import io
import socket
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotool.audio.containers import CONTAINERS, container_behind, container_of
from emotool.audio.ffmpeg import open_foreign
from emotool.audio.stream import open_audio
from emotool.errors import AudioError
from tests.containers import KINDS, NEEDS_AV, Kind, amr_bytes, encode
from tests.synthesis import Samples, tone

_ADTS = KINDS["AAC"]
_WEBM = KINDS["webm"]


def _read(path: Path, rate: int = 16_000) -> Samples:
    with open_audio(path, rate) as stream:
        return stream.read(10**7)


def _refused(path: Path) -> AudioError:
    with pytest.raises(AudioError) as caught:
        _read(path)
    assert "\n" not in caught.value.reason
    return caught.value


def _file(folder: Path, kind: Kind, seconds: float = 1.0, name: str = "") -> Path:
    """Write a tone of 440 Hz."""
    path = folder / (name or f"clip.{kind.suffix}")
    path.write_bytes(encode(kind, tone(440.0, seconds, kind.rate)))
    return path


@NEEDS_AV
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_gives_the_sound_that_was_written(tmp_path: Path, name: str) -> None:
    """The tone comes back at the model's rate, as long and as loud, and where it was."""
    kind = KINDS[name]
    read = _read(_file(tmp_path, kind))
    assert read.dtype == np.float32
    # Encoders fill the last frame up; that of WMA gives away the last one.
    assert -600 < read.size - 16_000 < 1_500
    middle = read[4_000:12_000]
    if kind.encoder != "aac" and kind.suffix != "wma":  # whose delay PyAV does not write down
        assert np.corrcoef(middle, tone(440.0)[4_000:12_000])[0, 1] > 0.99
    assert abs(np.sqrt(np.mean(middle**2)) / np.sqrt(0.125) - 1) < kind.loss
    spectrum = np.abs(np.fft.rfft(middle))
    assert np.argmax(spectrum) == 220  # 440 Hz in bins of 2 Hz


@NEEDS_AV
def test_amr_is_read(tmp_path: Path) -> None:
    """Old phones' recordings: half a second of frames is half a second of sound."""
    path = tmp_path / "memo.amr"
    path.write_bytes(amr_bytes(0.5))
    assert abs(_read(path, 8_000).size - 4_000) < 10


@NEEDS_AV
def test_pieces_together_are_the_whole(tmp_path: Path) -> None:
    """Where a stream is cut has no influence on the samples."""
    path = _file(tmp_path, KINDS["stereo m4a"], 2.0)
    whole = _read(path)
    with open_audio(path, 16_000) as stream:
        pieces = [stream.read(777)]
        while pieces[-1].size:
            pieces.append(stream.read(777))
        assert (stream.source_rate, stream.channels) == (44_100, 2)
    assert np.array_equal(np.concatenate(pieces), whole)


@NEEDS_AV
def test_channels_become_their_mean(tmp_path: Path) -> None:
    """A tone on one side of two is half as loud."""
    kind = Kind("m4a", "ipod", "alac", layout="stereo")
    left = tone(440.0)
    path = tmp_path / "clip.m4a"
    path.write_bytes(encode(kind, np.stack([left, np.zeros_like(left)])))  # [channels, n]
    assert np.abs(_read(path) - left / 2).max() < 1e-4


@NEEDS_AV
def test_more_channels_than_pyav_can_hold_are_an_error(tmp_path: Path) -> None:
    """Eight crash PyAV 18; seven are read."""
    path = tmp_path / "clip.mka"
    for layout, channels in (("7.1", 8), ("hexadecagonal", 16)):
        path.write_bytes(_opus(layout, channels))
        assert f"{channels} channels, more than the 7" in _refused(path).reason
    path.write_bytes(_opus("6.1", 7))
    assert abs(np.sqrt(np.mean(_read(path)[2_000:8_000] ** 2)) - 0.354) < 0.03


def _opus(layout: str, channels: int) -> bytes:
    """Return a tone in many channels; not by `encode`, as PyAV cannot cut them up either."""
    import av

    samples = np.repeat(tone(440.0, 1.0, 48_000), channels)[None]  # [1, n * channels]
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        options = {"mapping_family": "255", "b": "512k"}
        track = container.add_stream("libopus", rate=48_000, layout=layout, options=options)
        for start in range(0, samples.size, 960 * channels):
            piece = np.ascontiguousarray(samples[:, start : start + 960 * channels])
            frame = av.AudioFrame.from_ndarray(piece, "flt", layout)
            frame.sample_rate = 48_000
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return file.getvalue()


@NEEDS_AV
def test_the_name_does_not_count(tmp_path: Path) -> None:
    """An M4A called .wav, and a WebM without a suffix, are read."""
    assert _read(_file(tmp_path, KINDS["m4a"], name="clip.wav")).size
    assert _read(_file(tmp_path, _WEBM, name="clip")).size


@NEEDS_AV
def test_aac_behind_a_tag_is_read(tmp_path: Path) -> None:
    """Pieces of broadcasts begin with an ID3 tag."""
    path = _file(tmp_path, _ADTS)
    plain = _read(path)
    tag = b"ID3\x04\0\0\0\0\x01\x02" + bytes(130)
    path.write_bytes(tag + path.read_bytes())
    assert np.array_equal(_read(path), plain)


@NEEDS_AV
def test_a_film_gives_its_sound(tmp_path: Path) -> None:
    """Pictures are neither decoded nor counted in the length."""
    path = tmp_path / "film.mp4"
    path.write_bytes(_film(sound=True))
    assert 16_000 <= _read(path).size < 17_500
    path.write_bytes(_film(sound=False))
    assert _refused(path).reason == "an MP4 or M4A file without a sound track"


def _film(*, sound: bool) -> bytes:
    """Return an MP4 of three seconds of pictures, and perhaps one of sound."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        pictures = container.add_stream("mpeg4", rate=5, width=32, height=32, pix_fmt="yuv420p")
        track = container.add_stream("aac", rate=16_000, layout="mono") if sound else None
        for number in range(15):
            frame = av.VideoFrame(32, 32, "yuv420p")
            frame.pts = number
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        if track is not None:
            wave = av.AudioFrame.from_ndarray(tone(440.0)[None], "fltp", "mono")
            wave.sample_rate = 16_000
            cutter = av.AudioResampler("fltp", "mono", 16_000, 1_024)
            for piece in (*cutter.resample(wave), *cutter.resample(None), None):
                container.mux(track.encode(piece))
    return file.getvalue()


@NEEDS_AV
def test_decoders_that_have_no_business_here_are_not_used(tmp_path: Path) -> None:
    """Only those of the list: the rest of FFmpeg's do not see untrusted bytes."""
    path = _file(tmp_path, Kind("wav", "wav", "dfpwm"))
    reason = _refused(path).reason
    assert "its sound track is dfpwm, which is not decoded here" in reason
    assert "ffmpeg -i FILE" in reason


@NEEDS_AV
@pytest.mark.parametrize("name", [name for name in KINDS if "browser" not in name])
def test_a_file_that_was_cut_off_is_an_error(tmp_path: Path, name: str) -> None:
    """Half a recording must not be labelled as if it were whole."""
    path = _file(tmp_path, KINDS[name], 4.0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 1])
    assert "damaged" in _refused(path).reason


@NEEDS_AV
@pytest.mark.parametrize("name", ["webm", "Matroska of 24 bits", "m4a", "lossless m4a"])
@pytest.mark.parametrize(("late", "gap"), [(5.0, 0.0), (0.0, 5.0), (3.0, 2.0)])
def test_a_recording_may_begin_late_and_have_gaps(
    tmp_path: Path, name: str, late: float, gap: float
) -> None:
    """Times count from the file's time 0, as in players: what is missing there is silence."""
    kind = KINDS[name]
    path = tmp_path / f"clip.{kind.suffix}"
    path.write_bytes(_paused(kind, late, gap))
    read = _read(path)
    assert abs(read.size - (4 + late + gap) * 16_000) < 2_000  # whole frames
    heard = np.abs(read).reshape(-1, 1)[: read.size // 800 * 800].reshape(-1, 800).max(axis=1) > 0.1
    begins = 800 / 16_000 * np.flatnonzero(heard)  # in s
    assert abs(begins[0] - late) < 0.15
    second = begins[begins >= late + 2 + gap - 0.15][0]
    assert abs(second - late - 2 - gap) < 0.2
    assert abs(heard.sum() * 800 / 16_000 - 4) < 0.25


@NEEDS_AV
@pytest.mark.parametrize(("late", "gap"), [(0.0, 0.0), (5.0, 0.0), (0.0, 5.0), (3.0, 2.0)])
@pytest.mark.parametrize("stop", [0.5, 0.7, 0.8, 1.0])
def test_damage_is_no_gap(tmp_path: Path, late: float, gap: float, stop: float) -> None:
    """What is missing from the file is missed, at its end or within, and beside a gap too."""
    content = _paused(_WEBM, late, gap)
    start, end = round(0.4 * len(content)), round(stop * len(content))
    path = tmp_path / "clip.webm"
    path.write_bytes(content[:start] + bytes(end - start) + content[end:])
    assert "damaged or cut off" in _refused(path).reason
    path.write_bytes(content[: round(0.9 * end)])
    assert "damaged or cut off" in _refused(path).reason


def _paused(kind: Kind, late: float, gap: float) -> bytes:
    """Return twice two seconds of a tone, which begin late, with a gap between them, in s."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=kind.muxer) as container:
        track = container.add_stream(kind.encoder, rate=kind.rate, layout="mono")
        container.start_encoding()
        context = track.codec_context
        cutter = av.AudioResampler(context.format, "mono", kind.rate, context.frame_size or 800)
        wave = av.AudioFrame.from_ndarray(tone(440.0, 4.0, kind.rate)[None], "fltp", "mono")
        wave.sample_rate = kind.rate
        count = 0
        for piece in (*cutter.resample(wave), *cutter.resample(None)):
            begins = count / kind.rate + late + (gap if count >= 2 * kind.rate else 0)
            piece.pts, piece.time_base = round(begins * kind.rate), Fraction(1, kind.rate)
            count += piece.samples
            container.mux(track.encode(piece))
        container.mux(track.encode(None))
    return file.getvalue()


@NEEDS_AV
def test_rate_and_channels_may_change(tmp_path: Path) -> None:
    """AAC may turn stereo, and streams that are joined have the rates that they have."""
    mono = encode(_ADTS, tone(440.0))
    stereo = encode(Kind("aac", "adts", "aac", layout="stereo"), tone(440.0))
    faster = encode(Kind("aac", "adts", "aac", 44_100), tone(440.0, 1.0, 44_100))
    path = tmp_path / "clip.aac"
    for first, second in ((mono, stereo), (stereo, mono)):
        path.write_bytes(first + second)
        read = _read(path)
        assert 32_000 <= read.size < 36_000
        assert np.sqrt(np.mean(read[20_000:30_000] ** 2)) == pytest.approx(0.354, rel=0.05)
    path.write_bytes(mono + faster)
    read = _read(path)
    assert 32_000 <= read.size < 36_000
    spectrum = np.abs(np.fft.rfft(read[18_500:30_500]))
    assert abs(np.argmax(spectrum) * 16_000 / 12_000 - 440) < 3


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row's error holds the command."""
    monkeypatch.setitem(sys.modules, "av", None)
    path = tmp_path / "phone.m4a"
    path.write_bytes(b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(200))
    error = _refused(path)
    assert error.stage == "open"
    assert "an MP4 or M4A file" in error.reason
    assert "pip install av" in error.reason


_LISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile '{url}'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\n",
    "mpd": '<?xml version="1.0"?><MPD><BaseURL>{url}</BaseURL></MPD>',
}


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Listen for anyone who follows an address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        yield listening


@NEEDS_AV
@pytest.mark.parametrize("suffix", ["m4a", "aac", "webm", "wma", "wav"])
@pytest.mark.parametrize("kind", _LISTS)
def test_lists_of_other_files_are_refused_whatever_they_are_called(
    tmp_path: Path, server: socket.socket, kind: str, suffix: str
) -> None:
    """No address is followed and no file is opened."""
    port = server.getsockname()[1]
    path = tmp_path / f"list.{suffix}"
    path.write_text(_LISTS[kind].format(url=f"http://127.0.0.1:{port}/a.aac", port=port))
    assert _refused(path).reason == "a text file, not audio"
    other = _file(tmp_path, _ADTS, name="other.aac")
    path.write_text(_LISTS[kind].format(url=other, port=port))
    assert _refused(path).reason == "a text file, not audio"
    for container in CONTAINERS:  # nor if the look at the first bytes were deceived
        with path.open("rb") as source, pytest.raises(AudioError):
            _taken_for(source, container)
    with pytest.raises(TimeoutError):
        server.accept()


def _taken_for(source: BinaryIO, container: str) -> None:
    with open_foreign(source, container) as sound:
        sound.read(1_000)


@NEEDS_AV
def test_the_list_would_be_followed_if_it_were_believed(tmp_path: Path) -> None:
    """FFmpeg told to read a playlist reads what it names: what the test above keeps it from."""
    import av

    other = _file(tmp_path, _ADTS, name="other.aac")
    path = tmp_path / "list.m3u8"
    path.write_text(_LISTS["m3u8"].format(url=other))
    with av.open(str(path), format="hls") as container:
        assert container.streams.audio


@NEEDS_AV
def test_an_mp4_that_points_elsewhere_is_not_followed(tmp_path: Path) -> None:
    """QuickTime's data references may name another file, which is not opened."""
    other = _file(tmp_path, KINDS["QuickTime"], name="other.qta")
    whole = other.read_bytes()
    own = b"\0\0\0\x0curl \0\0\0\1"  # flag 1: the data is in this file
    assert whole.count(own) == 1
    path = tmp_path / "points.qta"
    path.write_bytes(whole.replace(own, b"\0\0\0\x0calis\0\0\0\0").replace(*_silenced(whole)))
    assert np.abs(_read(path)).max() < 1e-3  # its own bytes
    assert np.abs(_read(other)).max() > 0.4


def _silenced(whole: bytes) -> tuple[bytes, bytes]:
    """Return a QuickTime file's sound, and silence of the same length."""
    start = whole.index(b"mdat") + 4
    sound = whole[start : start + 32_000]
    return sound, bytes(len(sound))


@pytest.mark.parametrize("name", CONTAINERS)
@NEEDS_AV
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(content=st.binary(max_size=300))
def test_any_bytes_behind_a_magic_number(tmp_path: Path, name: str, content: bytes) -> None:
    """What begins like a container need not go on like one."""
    magic = {
        "mov": b"\0\0\0\x14ftypM4A \0\0\0\0M4A ",
        "matroska": b"\x1a\x45\xdf\xa3",
        "asf": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c",
        "aac": b"\xff\xf1",
        "amr": b"#!AMR",
        "loas": b"\x56\xe0",
        "ac3": b"\x0b\x77\0\0\x14\x40",
        "eac3": b"\x0b\x77\0\0\x14\x80",
        "dts": b"\x7f\xfe\x80\x01",
        "ape": b"MAC ",
        "wv": b"wvpk",
        "tta": b"TTA1",
        "mpc": b"MP+",
        "mpc8": b"MPCK",
        "mpeg": b"\0\0\1\xba",
        "mpegts": (b"\x47" + bytes(187)) * 4,
        "tak": b"tBaK",
        "dsf": b"DSD ",
        "iff": b"FRM8",
        "shn": b"ajkg",
        "dss": b"\x02dss",
        "qcp": b"RIFF\0\0\0\0QLCM",
        "avi": b"RIFF\0\0\0\0AVI ",
        "flv": b"FLV\x01",
        "ogg": b"OggS",
        "flac": b"fLaC",
        "wav": b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x45\0",
        "aiff": b"FORM\0\0\0\0AIFC",
        "caf": b"caff",
        "au": b".snd",
        "w64": b"riff\x2e\x91\xcf\x11",
        "voc": b"Creative Voice File",
    }[name]
    path = tmp_path / "clip"
    path.write_bytes(magic + content)
    content = path.read_bytes()
    assert (container_of(content, path.stat().st_size) or container_behind(content)) == name
    _sound_or_reason(path)


@NEEDS_AV
@pytest.mark.parametrize("name", ["m4a", "lossless m4a", "AAC", "webm", "wma"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_any_damage_gives_sound_or_a_reason(tmp_path: Path, name: str, data: st.DataObject) -> None:
    """Cut, overwritten or lengthened anywhere: finite samples, or an error that says why."""
    path = tmp_path / "clip"
    content = bytearray(_small(name))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.sampled_from((0, 1, 4, 100, len(content)))))
        content[start:end] = data.draw(st.binary(max_size=8))
    path.write_bytes(content)
    _sound_or_reason(path)


_SMALL: dict[str, bytes] = {}


def _small(name: str) -> bytes:
    if name not in _SMALL:
        kind = KINDS[name]
        _SMALL[name] = encode(kind, tone(440.0, 0.3, kind.rate))
    return _SMALL[name]


def _sound_or_reason(path: Path) -> None:
    try:
        read = _read(path)
    except AudioError as error:
        assert error.stage in ("open", "decode", "resample")
        assert error.reason
        return
    assert read.dtype == np.float32
    assert np.isfinite(read).all()


def test_words_of_texts_are_no_containers() -> None:
    """What looks like the name of an MP4's part needs a length before it that can be one."""
    assert container_of(b"the free software song", 22) == ""
    assert container_of(b"\0\0\0\x08free\0\0\x10\0mdat", 9_000) == "mov"
    assert container_of(b"\0\0\0\x01mdat\0\0\0\0\0\0\x10\0", 9_000) == "mov"
    assert container_of(b"\xff\xfb\x90\x64", 9_000) == ""  # an MP3's first frame
    assert container_of(b"", 0) == ""
