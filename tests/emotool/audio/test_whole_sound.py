"""Files are read to the end of their sound, or a flag or an error says how much was read."""

import io
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotool.audio.parts import open_part
from emotool.audio.riff import plan_wav
from emotool.audio.stream import open_audio
from emotool.errors import AudioError
from tests.containers import NEEDS_AV, Kind, amr_bytes, encode
from tests.synthesis import Samples, tone, vowel

_S = 3.0  # seconds of most sounds here


def _encoded(form: str, seconds: float = _S, rate: int = 16_000, **how: object) -> bytes:
    """Return a voice in a format of libsndfile."""
    with io.BytesIO() as file:
        samples = vowel(120, seconds, sample_rate=rate)
        soundfile.write(file, samples, rate, format=form, **how)
        return file.getvalue()


def _read(path: Path) -> tuple[float, tuple[str, ...], Samples]:
    """Return how many seconds a file has, its flags, and its samples at 16 kHz."""
    with open_audio(path, 16_000) as stream:
        samples = stream.read(10**8)
        assert stream.seconds is not None
        return stream.seconds, stream.flags, samples


def _written(folder: Path, content: bytes, name: str = "clip") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _vbr(seconds: float = _S, rate: int = 44_100) -> bytes:
    return _encoded("MP3", seconds, rate, bitrate_mode="VARIABLE", compression_level=0.4)


def _loud_then_quiet() -> bytes:
    """Return an MP3 whose bit rate falls, so that its first frames say too little."""
    with io.BytesIO() as file:
        samples = np.concatenate(
            [np.zeros(44_100, np.float32), vowel(120, 3.0, sample_rate=44_100)]
        )
        soundfile.write(
            file, samples, 44_100, format="MP3", bitrate_mode="VARIABLE", compression_level=0.2
        )
        return file.getvalue()


def _frames(mp3: bytes) -> bytes:
    """Return an MP3 behind the frame that counts the others."""
    return mp3[mp3.index(mp3[:2], max(mp3.find(b"Xing"), mp3.find(b"Info"))) :]


_TAGS = {
    "ID3v1": b"TAG" + b" " * 125,
    "APE": b"APETAGEX" + struct.pack("<IIII", 2_000, 32, 0, 0) + bytes(8),
    "Lyrics3": b"LYRICSBEGIN" + b"IND0000200" + b"000021LYRICS200" + b"TAG" + b" " * 125,
    "zeros": bytes(5_000),
    "junk": np.random.default_rng(0).bytes(5_000),
}


def _id3(size: int, content: bytes = b"") -> bytes:
    digits = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + digits + content


_MP3 = {
    "without a count of frames, louder later": (lambda: _frames(_loud_then_quiet()), 4.0),
    "a count that is too low": (
        lambda: (
            (whole := _vbr())[: whole.index(b"Xing") + 8]
            + (9).to_bytes(4)
            + whole[whole.index(b"Xing") + 12 :]
        ),
        _S,
    ),
    "joined": (lambda: _vbr() * 2, 2 * _S),
    "joined, of two rates": (lambda: _vbr() + _vbr(rate=24_000), 2 * _S),
    "joined, without counts": (lambda: _frames(_vbr()) + _frames(_vbr(rate=22_050)), 2 * _S),
    "joined, with a tag between": (lambda: _vbr() + _id3(300, bytes(300)) + _vbr(), 2 * _S),
    "joined, with zeros between": (lambda: _vbr() + bytes(3_000) + _vbr(), 2 * _S),
    "zeros behind the tag": (lambda: _id3(0) + bytes(600) + _vbr(), _S),
    "a tag longer than it states": (lambda: _id3(100, bytes(9_000)) + _vbr(), _S),
    "a tag shorter than it states": (lambda: _id3(90_000, b"") + _vbr(), _S),
    "two tags": (lambda: _id3(300, bytes(300)) + _id3(40, bytes(40)) + _vbr(), _S),
    "zeros before": (lambda: bytes(3_000) + _vbr(), _S),
    "junk before": (lambda: _TAGS["junk"] + _vbr(), _S),
    **{f"{name} behind": (lambda tag=tag: _vbr() + tag, _S) for name, tag in _TAGS.items()},
}


@pytest.mark.parametrize("what", _MP3)
def test_an_mp3_is_read_to_its_end(tmp_path: Path, what: str) -> None:
    """Whatever its first frame counts, and whatever stands before, between and behind."""
    make, seconds = _MP3[what]
    read, flags, samples = _read(_written(tmp_path, make(), "clip.mp3"))
    assert abs(read - seconds) < 0.12
    assert np.sqrt(np.mean(samples[-12_000:-6_000] ** 2)) > 0.01
    assert flags == ()


def test_frames_that_fill_an_mp3_up_are_no_recording(tmp_path: Path) -> None:
    """The first frame counts samples that are not to be played, a whole frame of them, say."""
    content = bytearray(_vbr())
    place = content.index(b"LAME") + 21  # delay and padding, 12 bits each
    both = int.from_bytes(content[place : place + 3])
    content[place : place + 3] = (both >> 12 << 12 | 3_000).to_bytes(3)
    read, flags, _ = _read(_written(tmp_path, bytes(content), "clip.mp3"))
    assert _S - 0.15 < read <= _S + 0.01
    assert flags == ()


def test_mono_and_stereo_mp3_may_be_joined(tmp_path: Path) -> None:
    """Each half has its own channels; both are read."""
    with io.BytesIO() as file:
        voice = vowel(120, _S, sample_rate=44_100)
        soundfile.write(file, np.stack([voice, voice], 1), 44_100, format="MP3")
        stereo = file.getvalue()
    for content in (_vbr() + stereo, stereo + _vbr(), _frames(stereo) + _frames(_vbr())):
        read, _, samples = _read(_written(tmp_path, content, "clip.mp3"))
        assert abs(read - 2 * _S) < 0.12
        halves = [np.sqrt(np.mean(half**2)) for half in np.split(samples[:94_000], 2)]
        assert abs(halves[0] / halves[1] - 1) < 0.1


def test_an_mp3_that_is_cut_off_says_so(tmp_path: Path) -> None:
    """Its first frame counts more than there are."""
    whole = _vbr(6.0)
    read, flags, _ = _read(_written(tmp_path, whole[: len(whole) // 2], "clip.mp3"))
    assert 2.0 < read < 4.0
    assert flags == ("incomplete",)


def test_an_mp3_with_a_hole_says_so(tmp_path: Path) -> None:
    """What is missing within is not passed off as all there was."""
    whole = _frames(_vbr(6.0))
    holed = whole[:20_000] + bytes(20_000) + whole[40_000:]
    read, flags, _ = _read(_written(tmp_path, holed, "clip.mp3"))
    assert 1.0 < read < 5.9
    assert flags == ("incomplete",)


_CHAINS = {
    "Vorbis": lambda: _encoded("OGG") * 2,
    "Vorbis of two rates": lambda: _encoded("OGG") + _encoded("OGG", rate=48_000),
    "Opus": lambda: _encoded("OGG", subtype="OPUS") * 2,
    "Vorbis and Opus": lambda: _encoded("OGG") + _encoded("OGG", subtype="OPUS"),
    "FLAC files": lambda: _encoded("FLAC") * 2,
    "FLAC files of two lengths": lambda: _encoded("FLAC", 2.0) + _encoded("FLAC", 4.0),
    "FLAC files of two rates": lambda: _encoded("FLAC", 2.0) + _encoded("FLAC", 4.0, 24_000),
    "WAV files": lambda: _encoded("WAV") * 2,
}


@pytest.mark.parametrize("what", _CHAINS)
def test_recordings_one_behind_the_other_are_one(tmp_path: Path, what: str) -> None:
    """Decoders read the first; all are read, each at its own rate."""
    read, flags, samples = _read(_written(tmp_path, _CHAINS[what]()))
    assert abs(read - 2 * _S) < 0.05
    assert abs(samples.size - 2 * _S * 16_000) < 800
    assert np.sqrt(np.mean(samples[-12_000:-6_000] ** 2)) > 0.01
    assert flags == ()


@pytest.mark.parametrize("name", _TAGS)
def test_a_flac_with_something_behind_is_read(tmp_path: Path, name: str) -> None:
    """Tags and padding are no frames that were lost."""
    read, flags, _ = _read(_written(tmp_path, _encoded("FLAC") + _TAGS[name]))
    assert (read, flags) == (_S, ())


def test_a_flac_that_counts_too_few_samples_is_read_to_its_end(tmp_path: Path) -> None:
    """Its last frame says how many there are."""
    content = bytearray(_encoded("FLAC"))
    word = int.from_bytes(content[18:26]) >> 36 << 36 | 16_000
    content[18:26] = word.to_bytes(8)
    assert _read(_written(tmp_path, bytes(content)))[0] == _S


def _wav(
    size: int, *, name: bytes = b"RIFF", data: bytes | None = None, behind: bytes = b""
) -> bytes:
    """Return a WAV whose chunk of sound states another size."""
    whole = _encoded("WAV")
    return whole[:40] + struct.pack("<I", size) + whole[44:] + behind


_WAVS: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "a length of 0": (lambda: _wav(0), ("incomplete",)),
    "a length of -1, as into a pipe": (lambda: _wav(0xFFFFFFFF), ()),
    "a length of 2 GB, as into a pipe": (lambda: _wav(0x7FFFFFFF), ()),
    "a length that is cut": (lambda: _wav(200_000), ("incomplete",)),
    "chunks behind": (lambda: _wav(96_000, behind=b"LIST\4\0\0\0INFO"), ()),
    "an odd chunk behind": (lambda: _wav(96_000, behind=b"id3 \3\0\0\0abc\0"), ()),
    "an odd chunk behind that nothing fills up": (
        lambda: _wav(96_000, behind=b"id3 \3\0\0\0abcLIST\4\0\0\0INFO"),
        (),
    ),
    "a tag behind": (lambda: _wav(96_000, behind=_TAGS["ID3v1"]), ()),
    "zeros behind": (lambda: _wav(96_000, behind=bytes(20_000)), ()),
}


@pytest.mark.parametrize("what", _WAVS)
def test_a_wav_is_read_to_its_end_whatever_it_states(tmp_path: Path, what: str) -> None:
    """Recorders that stop in the middle leave a length of 0: all is read, and flagged."""
    make, flags = _WAVS[what]
    read = _read(_written(tmp_path, make(), "clip.wav"))
    assert (read[0], read[1]) == (_S, flags)


def test_a_wav_with_more_behind_its_sound_says_so(tmp_path: Path) -> None:
    """The header was written early, or these bytes are no sound: nobody can tell."""
    content = _wav(32_000)
    read, flags, _ = _read(_written(tmp_path, content, "clip.wav"))
    assert (read, flags) == (1.0, ("incomplete",))


def test_an_au_that_states_no_length_is_read_to_its_end(tmp_path: Path) -> None:
    """A recorder that stops in the middle leaves 0 here, too."""
    content = bytearray(_encoded("AU"))
    content[8:12] = bytes(4)
    assert _read(_written(tmp_path, bytes(content)))[:2] == (_S, ("incomplete",))


def test_bw64_is_read(tmp_path: Path) -> None:
    """What broadcasters write instead of RF64 is the same but for its name."""
    content = _encoded("RF64")
    assert _read(_written(tmp_path, b"BW64" + content[4:]))[:2] == (_S, ())


@pytest.mark.parametrize(
    ("stated", "flags"),
    [(None, ()), (0xFFFF_FFFF, ()), (0x7FFF_F000, ()), (0, ("incomplete",))],
    ids=["wrapped", "unknown", "unknown to sox", "unfinished"],
)
def test_a_wav_of_more_than_4_gb_is_read_to_its_end(
    tmp_path: Path, stated: int | None, flags: tuple[str, ...]
) -> None:
    """32 bits hold what remains of its length, or nothing of it."""
    path = tmp_path / "clip.wav"
    rate, channels = 768_000, 64
    width = channels * 4
    size = (1 << 32) + rate * width  # 23 s, of which the header states one
    header = struct.pack("<HHIIHH", 3, channels, rate, rate * width, width, 32)
    with path.open("wb") as file:
        file.write(b"RIFF" + struct.pack("<I", size + 36 & 0xFFFFFFFF) + b"WAVE")
        file.write(b"fmt " + struct.pack("<I", 16) + header)
        file.write(b"data" + struct.pack("<I", size & 0xFFFFFFFF if stated is None else stated))
        file.write(b"sound")
        try:
            file.truncate(44 + size)
        except OSError as error:
            pytest.skip(f"this file system has no room: {error.strerror}")
    if os.name == "nt" or path.stat().st_blocks * 512 > 1 << 20:
        pytest.skip("this file system has no sparse files")
    with path.open("rb") as source:
        plan = plan_wav(source, source.read(512), 0, 44 + size)
        assert plan is not None
        (piece,) = plan.pieces
        assert (piece.start, piece.stop, plan.flags) == (44, 44 + size, flags)
        with open_part(source, piece) as part, soundfile.SoundFile(part) as sound:
            assert sound.frames * width == size


def _mp3_in_wav(mp3: bytes, tag: int = 0x55) -> bytes:
    fmt = struct.pack("<HHIIHHHHIHHH", tag, 1, 44_100, 16_000, 1, 0, 12, 1, 2, 417, 1, 1_393)
    body = b"WAVEfmt " + struct.pack("<I", 30) + fmt + b"data" + struct.pack("<I", len(mp3)) + mp3
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_mp3_inside_wav_is_read_to_its_end(tmp_path: Path) -> None:
    """Its frames count, not what the header estimates."""
    for mp3 in (_frames(_vbr()), _vbr()):
        read, flags, _ = _read(_written(tmp_path, _mp3_in_wav(mp3), "clip.wav"))
        assert abs(read - _S) < 0.12
        assert flags == ()


@NEEDS_AV
@pytest.mark.parametrize(
    "kind",
    [
        Kind("wav", "wav", "g722"),
        Kind("wav", "wav", "adpcm_g726", 8_000, options={}),
        Kind("wav", "wav", "adpcm_yamaha"),
        Kind("caf", "caf", "alac"),
        Kind("caf", "caf", "adpcm_ima_qt"),
        Kind("mka", "matroska", "mp2"),
        Kind("mka", "matroska", "libmp3lame"),
        Kind("mov", "mov", "pcm_s16le"),
        Kind("mov", "mov", "pcm_s24be"),
        Kind("mov", "mov", "pcm_s32le"),
        Kind("mov", "mov", "pcm_f64be"),
        Kind("mov", "mov", "pcm_mulaw"),
        Kind("mov", "mov", "adpcm_ima_qt"),
        Kind("ac3", "ac3", "ac3", 48_000),
        Kind("wv", "wv", "wavpack"),
        Kind("tta", "tta", "tta"),
        Kind("avi", "avi", "libmp3lame"),
        Kind("flv", "flv", "aac", 44_100),
        Kind("aiff", "aiff", "pcm_s24be"),
        Kind("w64", "w64", "adpcm_ms"),
    ],
    ids=lambda kind: f"{kind.encoder} in {kind.suffix}",
)
def test_what_pyav_reads_is_read(tmp_path: Path, kind: Kind) -> None:
    """Codecs that libsndfile does not read, in the containers that people meet them in."""
    content = encode(kind, tone(440.0, _S, kind.rate))
    read, _, samples = _read(_written(tmp_path, content, f"clip.{kind.suffix}"))
    assert abs(read - _S) < 0.15
    spectrum = np.abs(np.fft.rfft(samples[8_000:40_000]))
    assert np.argmax(spectrum) == 880  # 440 Hz in bins of half a Hz


@NEEDS_AV
def test_a_codec_that_is_not_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it, instead of what libsndfile stumbles over."""
    content = encode(Kind("wav", "wav", "g722"), tone(440.0))
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(AudioError, match=r"a WAV file of G\.722 .*ffmpeg -i FILE"):
        _read(_written(tmp_path, content, "clip.wav"))


def test_shorten_in_sphere_is_named(tmp_path: Path) -> None:
    """Its header is text, but it is no text file."""
    head = (
        b"NIST_1A\n   1024\nsample_rate -i 16000\nsample_coding -s26 pcm,embedded-shorten-v2.00\n"
    )
    path = _written(tmp_path, (head + b"end_head\n").ljust(1_024) + b"ajkg\2" + bytes(99), "a.sph")
    with pytest.raises(AudioError, match="SPHERE file compressed with Shorten"):
        _read(path)


@NEEDS_AV
@pytest.mark.parametrize(
    ("magic", "rest"), [(b"#!AMR\n", b"\x44" + bytes(5)), (b"#!AMR\n", b"\x7c")]
)
def test_pauses_of_amr_are_silence(tmp_path: Path, magic: bytes, rest: bytes) -> None:
    """Comfort noise and frames without data last 20 ms each."""
    speech = amr_bytes(1.0)
    read, flags, _ = _read(_written(tmp_path, speech + rest * 50 + speech[len(magic) :], "a.amr"))
    assert (round(read, 2), flags) == (3.0, ())


@NEEDS_AV
@pytest.mark.parametrize("bits", [12, 20])
def test_flac_of_12_and_20_bits_is_read(tmp_path: Path, bits: int) -> None:
    """Which libsndfile does not know."""
    content = _flac_of_constants(bits)
    read, _, samples = _read(_written(tmp_path, content, "clip.flac"))
    assert read == pytest.approx(4_096 * 10 / 16_000)
    assert np.allclose(samples.reshape(10, -1)[::2], 0.25, atol=1e-3)
    assert np.allclose(samples.reshape(10, -1)[1::2], -0.25, atol=1e-3)


def _flac_of_constants(bits: int) -> bytes:
    """Return ten frames of 4,096 equal samples each, a quarter of full scale up and down."""
    info = struct.pack(">HH", 4_096, 4_096) + bytes(6)
    info += (16_000 << 44 | (bits - 1) << 36 | 40_960).to_bytes(8) + bytes(16)
    content = b"fLaC\x80\0\0\x22" + info
    for number in range(10):
        head = b"\xff\xf8" + bytes([12 << 4 | 5, {12: 2, 20: 5}[bits] << 1, number])
        head += bytes([_crc(head, 8, 0x07)])
        value = (1 << bits - 3) * (-1) ** number % (1 << bits)
        body = bytes(1) + (value << -bits % 8).to_bytes((bits + 7) // 8)
        content += head + body + _crc(head + body, 16, 0x8005).to_bytes(2)
    return content


def _crc(content: bytes, width: int, polynomial: int) -> int:
    crc = 0
    for byte in content:
        crc ^= byte << width - 8
        for _ in range(8):
            crc = (crc << 1 ^ (polynomial if crc >> width - 1 & 1 else 0)) & (1 << width) - 1
    return crc


@NEEDS_AV
def test_of_two_tracks_it_is_said_which_was_read(tmp_path: Path) -> None:
    """The first may be silent, and the voice on the other."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        tracks = [container.add_stream("pcm_s16le", rate=16_000, layout="mono") for _ in range(2)]
        for track, sound in zip(tracks, (np.zeros(16_000), tone(440.0)), strict=True):
            frame = av.AudioFrame.from_ndarray((sound[None] * 9_000).astype("i2"), "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 16_000, 0, Fraction(1, 16_000)
            container.mux(track.encode(frame))
    assert _read(_written(tmp_path, file.getvalue(), "clip.mka"))[1] == ("track_1_of_2",)


@NEEDS_AV
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg, which has an encoder")
@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("encoder", ["libspeex", "flac"])
def test_speex_and_flac_in_ogg_are_read(tmp_path: Path, copies: int, encoder: str) -> None:
    """Old messengers' sound, and browsers'; joined, too."""
    source, path = tmp_path / "source.wav", tmp_path / "clip.ogg"
    soundfile.write(source, vowel(120, _S), 16_000)
    command = ["ffmpeg", "-v", "error", "-i", source, "-c:a", encoder, path]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this ffmpeg has no such encoder")
    read, flags, _ = _read(_written(tmp_path, path.read_bytes() * copies))
    assert abs(read - copies * _S) < 0.1 * copies
    assert flags == ()


@NEEDS_AV
@pytest.mark.parametrize("front", [b"", _id3(300, bytes(300))])
def test_tags_around_a_stream_are_no_damage(tmp_path: Path, front: bytes) -> None:
    """FFmpeg takes them for frames."""
    content = front + encode(Kind("wv", "wv", "wavpack"), tone(440.0, _S)) + _TAGS["APE"]
    assert abs(_read(_written(tmp_path, content))[0] - _S) < 0.05


@NEEDS_AV
def test_a_long_priming_is_no_damage(tmp_path: Path) -> None:
    """What iTunes says of an encoder's delay is taken away, and not missed."""
    content = encode(Kind("m4a", "ipod", "aac"), tone(440.0, _S))
    words = b" 00000000 000013C2 000001C8 000000000000B000" + b" 00000000" * 8
    place = content.index(b"moov") - 4
    assert content.index(b"mdat") < place  # so that no offset changes
    item = _atom(b"data", struct.pack(">II", 1, 0) + words)
    item = (
        _atom(b"mean", bytes(4) + b"com.apple.iTunes")
        + _atom(b"name", bytes(4) + b"iTunSMPB")
        + item
    )
    hdlr = _atom(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    meta = _atom(b"meta", bytes(4) + hdlr + _atom(b"ilst", _atom(b"----", item)))
    moov = content[place + 8 :].replace(b"edts", b"free").replace(b"udta", b"free")
    path = _written(tmp_path, content[:place] + _atom(b"moov", moov + _atom(b"udta", meta)))
    read, flags, _ = _read(path)
    assert _S - 0.4 < read < _S + 0.1
    assert flags == ()


def _atom(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content
