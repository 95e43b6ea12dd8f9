"""Only regular files are opened, and what cannot be used is named in plain words."""

import os
import socket
import struct
from pathlib import Path

import pytest

from emotool.audio.formats import CONTAINER_SUFFIXES, DECODABLE_SUFFIXES, FOREIGN_SUFFIXES
from emotool.audio.stream import open_audio
from emotool.errors import AudioError
from emotool.files.opening import open_regular
from tests.synthesis import tone, write_clip

_LFS_POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    "size 73004\n"
)


def _refused(path: Path | str) -> AudioError:
    with pytest.raises(AudioError) as caught, open_audio(path, 16_000):
        pass
    assert "\n" not in caught.value.reason
    return caught.value


def test_suffixes_are_lower_case_and_apart() -> None:
    """A file is read or foreign, never both."""
    assert not DECODABLE_SUFFIXES & FOREIGN_SUFFIXES
    assert all(s == s.lower() and s.startswith(".") for s in DECODABLE_SUFFIXES | FOREIGN_SUFFIXES)
    assert {".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".caf", ".au"} <= DECODABLE_SUFFIXES
    assert {".m4a", ".aac", ".mp4", ".webm", ".wma"} <= CONTAINER_SUFFIXES < FOREIGN_SUFFIXES


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.wav", b"", "empty"),
        ("notes.wav", b"These are only notes.\n", "a text file, not audio"),
        ("notes.wav", "Übung macht den Meister, 練習".encode(), "a text file, not audio"),
        ("clip.wav", _LFS_POINTER.encode(), "git lfs pull"),
        ("zeros.wav", bytes(5_000), "only zero bytes"),
        ("noise.wav", bytes(range(255, 0, -1)) * 4, "not audio that libsndfile reads"),
        ("phone.wav", b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(200), "an MP4 or M4A file"),
        ("web.ogg", b"\x1a\x45\xdf\xa3" + bytes(99), "a WebM or Matroska file"),
        ("w.mp3", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(99), "a Windows Media file"),
        ("a.wav", b"\xff\xf1\x50\x80" + bytes(99), "an AAC stream"),
        ("a.wav", b"#!AMR\n", "an AMR file"),
        ("clip.ape", b"MAC \x96\x0f" + bytes(range(99)), "a Monkey's Audio file"),
        ("notes.m4a", b"#EXTM3U\nother.wav\n", "a text file, not audio"),
        ("noise.m4a", bytes(range(255, 0, -1)) * 4, "not the m4a file that its name promises"),
        (
            "tag.mp3",
            b"ID3\x04\0\0\0\0\x01\x02" + bytes(9),
            "a tag (ID3) without any sound behind it",
        ),
        ("cut.sph", b"NIST_1A\n   1024\nsample_coding" + bytes(9), "a SPHERE file"),
        ("cut.wav", b"RIFF\x24\0\0\0WAVEfmt ", "not audio that libsndfile reads"),
    ],
)
def test_a_file_that_is_no_readable_audio_is_named(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    """The reason says what the file is, not what the decoder stumbled over."""
    path = tmp_path / name
    path.write_bytes(content)
    error = _refused(path)
    assert error.stage == "open"
    assert reason in error.reason


@pytest.mark.parametrize("suffix", sorted(FOREIGN_SUFFIXES - CONTAINER_SUFFIXES))
def test_a_foreign_format_says_what_to_install(tmp_path: Path, suffix: str) -> None:
    """Formats that libsndfile does not read name ffmpeg and a command."""
    path = tmp_path / f"clip{suffix.upper()}"
    path.write_bytes(b"\x00\x01\x02\x03" * 100)
    assert "install ffmpeg and convert it" in _refused(path).reason


def test_content_counts_and_not_the_name(tmp_path: Path) -> None:
    """A WAV called .m4a, and a FLAC called .wav, are read."""
    for name, form in (("clip.m4a", "WAV"), ("clip.wav", "FLAC"), ("clip", "AIFF")):
        path = write_clip(tmp_path / name, tone(440.0), format=form)
        with open_audio(path, 16_000) as stream:
            assert stream.read(20_000).size == 16_000


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    """Reasons are those of the system, without its numbers."""
    assert _refused(tmp_path / "none.wav").reason == "no such file or directory"
    assert _refused(tmp_path).reason == "not a file but a folder"
    assert _refused(f"{tmp_path}/a\0b.wav").reason == "not a valid file name"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs, which this system lacks")
def test_fifos_sockets_and_devices_are_never_opened(tmp_path: Path) -> None:
    """Nothing waits for a writer that never comes."""
    os.mkfifo(tmp_path / "pipe.wav")
    assert _refused(tmp_path / "pipe.wav").reason == "not a file but a FIFO"
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(tmp_path)  # socket names are short
        try:
            server.bind("socket.wav")
        finally:
            os.chdir(here)
        assert _refused(tmp_path / "socket.wav").reason == "not a file but a socket"
    assert _refused("/dev/zero").reason == "not a file but a character device"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs, which this system lacks")
def test_a_fifo_that_takes_a_files_place_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the opening someone may exchange the file: it is looked at again."""
    clip = os.stat(write_clip(tmp_path / "clip.wav", tone(440.0)))  # noqa: PTH116
    os.mkfifo(tmp_path / "pipe.wav")
    monkeypatch.setattr("emotool.audio.formats.os.stat", lambda path: clip)
    with pytest.raises(AudioError, match="FIFO"), open_regular(str(tmp_path / "pipe.wav")):
        pass


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links, which Windows may forbid")
def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    """A link to a clip is that clip; a link to itself says so."""
    clip = write_clip(tmp_path / "clip.wav", tone(440.0))
    (tmp_path / "link.wav").symlink_to(clip)
    (tmp_path / "round.wav").symlink_to("round.wav")
    with open_regular(str(tmp_path / "link.wav")) as descriptor:
        assert os.read(descriptor, 4) == b"RIFF"
    assert "circle" in _refused(tmp_path / "round.wav").reason


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions bind"
)
def test_an_unreadable_file_says_so(tmp_path: Path) -> None:
    """Permissions are the system's to explain."""
    clip = write_clip(tmp_path / "clip.wav", tone(440.0))
    clip.chmod(0)
    assert _refused(clip).reason == "permission denied"


@pytest.mark.skipif(os.name == "nt", reason="file names are text on Windows")
@pytest.mark.parametrize(
    "name", [b"caf\xe9.wav", b"a\nb.wav", b"-rf.wav", b"[red]x.wav", b"\x1b[31m.wav", b"a" * 251]
)
def test_any_file_name_can_be_read(tmp_path: Path, name: bytes) -> None:
    """Undecodable bytes, line breaks and escape sequences are only names."""
    name = name if name.endswith(b".wav") else name + b".wav"
    clip = write_clip(tmp_path / "clip.wav", tone(440.0))
    path = os.fsdecode(os.fsencode(tmp_path) + b"/" + name)
    try:
        os.link(clip, path)
    except OSError as error:
        pytest.skip(f"this file system refuses the name: {error.strerror}")
    with open_audio(path, 16_000) as stream:
        assert stream.read(20_000).size == 16_000


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    """Neither good nor refused files keep a descriptor: a run may meet millions."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("needs /proc to count descriptors")
    good = write_clip(tmp_path / "good.flac", tone(440.0))
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF" + struct.pack("<I", 99) + b"WAVE")
    before = len(list(folder.iterdir()))
    for _ in range(20):
        with open_audio(good, 16_000) as stream:
            stream.read(100)
        _refused(bad)
    assert len(list(folder.iterdir())) == before
