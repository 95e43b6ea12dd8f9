"""Clips in zip archives are read, and an archive made to do harm costs its rows only."""

import io
import os
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotool.audio.reader import read_audio
from emotool.errors import AudioError, InputError
from emotool.files.zip_members import (
    MAX_BYTES,
    MAX_RATIO,
    file_of,
    list_members,
    member_problem,
    read_member,
    split_member,
)
from emotool.inputs.clips import Found, find_clips
from emotool.inputs.identity import file_identity
from tests.containers import KINDS, NEEDS_AV, encode
from tests.synthesis import tone, write_clip

_FIXTURES = [HealthCheck.function_scoped_fixture]


def _zip(
    path: Path, members: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def _clip(tmp_path: Path, suffix: str = "wav") -> bytes:
    return write_clip(tmp_path / f"source.{suffix}", tone(440.0)).read_bytes()


def _problems(found: Found) -> dict[str, str | None]:
    return {clip.shown: clip.problem for clip in found.clips}


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "aiff"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_sounds_like_the_file(tmp_path: Path, suffix: str, method: int) -> None:
    """To the sample, whether it was compressed or not; nothing new lies on the disk."""
    content = _clip(tmp_path, suffix)
    archive = _zip(tmp_path / "talks.zip", [(f"inner/a.{suffix}", content)], method)
    before = sorted(tmp_path.rglob("*"))
    inside = read_audio(archive / f"inner/a.{suffix}", 8_000)
    assert np.array_equal(inside.samples, read_audio(tmp_path / f"source.{suffix}", 8_000).samples)
    assert sorted(tmp_path.rglob("*")) == before


@NEEDS_AV
def test_a_phones_recording_in_an_archive_is_read(tmp_path: Path) -> None:
    """Also what libsndfile does not read."""
    archive = _zip(tmp_path / "talks.zip", [("a.m4a", encode(KINDS["m4a"], tone(440.0)))])
    assert read_audio(archive / "a.m4a", 16_000).samples.size > 16_000


def test_an_archive_is_like_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clips in the order of their names; what is no audio is counted."""
    monkeypatch.chdir(tmp_path)
    names = ("b.wav", "in/c.FLAC", "a.m4a", "notes.txt", ".x.wav", "__MACOSX/._b.wav", "in/")
    _zip(Path("talks.zip"), [(name, b"sound") for name in names])
    found = find_clips(["talks.zip"])
    assert [clip.path for clip in found.clips] == [
        "talks.zip/a.m4a",
        "talks.zip/b.wav",
        "talks.zip/in/c.FLAC",
    ]
    assert [clip.shown for clip in found.clips] == [clip.path for clip in found.clips]
    assert (found.skipped, found.hidden, found.archives) == (1, 2, 0)


def test_archives_are_read_if_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In folders they are counted: beside them lies, mostly, what they were unpacked to."""
    monkeypatch.chdir(tmp_path)
    _zip(Path("in/talks.zip"), [("a.wav", b"sound")])
    Path("in/b.wav").touch()
    found = find_clips(["in"])
    assert ([clip.shown for clip in found.clips], found.archives) == (["in/b.wav"], 1)
    found = find_clips(["in/*.zip", "in"])
    assert [clip.shown for clip in found.clips] == ["in/b.wav", "in/talks.zip/a.wav"]
    Path("in/b.wav").unlink()
    with pytest.raises(InputError, match="1 zip archives"):
        find_clips(["in"])


def test_a_clip_of_an_archive_is_taken_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named itself and with its archive, in either order; a named member is always taken."""
    monkeypatch.chdir(tmp_path)
    _zip(Path("talks.zip"), [("a.wav", b"sound"), ("b.wav", b"sound"), ("notes.txt", b"text")])
    for arguments in (
        ["talks.zip", "talks.zip/a.wav", "./talks.zip"],
        ["talks.zip/a.wav", "talks.zip", "talks.zip/a.wav"],
    ):
        assert list(_problems(find_clips(arguments))) == ["talks.zip/a.wav", "talks.zip/b.wav"]
    assert list(_problems(find_clips(["talks.zip", "talks.zip/notes.txt"]))) == [
        "talks.zip/a.wav",
        "talks.zip/b.wav",
        "talks.zip/notes.txt",
    ]
    found = find_clips(["talks.zip/none.wav", "talks.zip"])
    assert _problems(found)["talks.zip/none.wav"] == "the archive holds no file of that name"


def test_a_folder_may_be_called_zip(tmp_path: Path) -> None:
    """Then it is a folder, and what is in it are files."""
    clip = write_clip(tmp_path / "talks.zip" / "a.zip" / "a.wav", tone(440.0))
    assert split_member(str(clip)) is None
    assert file_of(str(clip)) == str(clip)
    assert len(find_clips([str(tmp_path)]).clips) == 1
    archive = _zip(tmp_path / "talks.zip" / "b.zip", [("c.zip/d.wav", b"sound")])
    assert split_member(f"{archive}/c.zip/d.wav") == (str(archive), "c.zip/d.wav")
    assert file_of(f"{archive}/c.zip/d.wav") == str(archive)


@pytest.mark.parametrize(
    "name", ["../a.wav", "in/../../a.wav", "/a.wav", "..\\a.wav", "C:/a.wav", "C:\\a.wav"]
)
def test_names_that_lead_out_are_failed_rows(tmp_path: Path, name: str) -> None:
    """They would lead nowhere, since nothing is unpacked, but the row would say another place."""
    good = _clip(tmp_path)
    archive = str(_zip(tmp_path / "talks.zip", [(name, good), ("b.wav", good)]))
    assert _problems(find_clips([archive])) == {
        f"{archive}/{name}": "its name leads out of the archive",
        f"{archive}/b.wav": None,
    }
    with pytest.raises(AudioError, match="leads out"):
        read_member(archive, name)


def test_each_of_two_of_a_name_is_a_failed_row(tmp_path: Path) -> None:
    """Which one is meant cannot be told, and none is silently left out."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = _zip(tmp_path / "talks.zip", [("a.wav", b"1"), ("b.wav", b"2"), ("a.wav", b"3")])
    found = find_clips([str(archive)])
    assert [clip.problem for clip in found.clips] == [
        "the archive holds 2 files of that name",
        "the archive holds 2 files of that name",
        None,
    ]


def test_an_archive_in_an_archive_is_a_failed_row(tmp_path: Path) -> None:
    """It may hold clips, which must not be lost in silence."""
    inner = _zip(tmp_path / "inner.zip", [("a.wav", b"sound")]).read_bytes()
    archive = _zip(tmp_path / "talks.zip", [("inner.zip", inner), ("b.wav", b"sound")])
    assert "unpack it" in str(_problems(find_clips([str(archive)]))[f"{archive}/inner.zip"])
    renamed = _zip(tmp_path / "renamed.zip", [("inner.wav", inner)])
    with pytest.raises(AudioError, match="a zip archive"):
        read_audio(renamed / "inner.wav", 16_000)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_are_failed_rows(tmp_path: Path, method: int) -> None:
    """They unpack in steps of any size."""
    archive = str(_zip(tmp_path / "talks.zip", [("a.wav", b"sound")], method))
    assert "another method" in str(member_problem(archive, "a.wav"))


def test_links_and_empty_files_are_failed_rows(tmp_path: Path) -> None:
    """A link's content is a path, which nobody follows."""
    link = zipfile.ZipInfo("link.wav")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = tmp_path / "talks.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr(link, "/etc/passwd")
        made.writestr("empty.wav", b"")
    assert "symbolic link" in str(member_problem(str(archive), "link.wav"))
    assert "empty" in str(member_problem(str(archive), "empty.wav"))


def _patched(archive: Path, field: int, form: str, value: int) -> None:
    """Overwrite a field of the first entry in the list of members."""
    content = bytearray(archive.read_bytes())
    struct.pack_into(form, content, content.index(b"PK\1\2") + field, value)
    archive.write_bytes(content)


def test_encrypted_members_are_failed_rows(tmp_path: Path) -> None:
    """There is no way to give a password."""
    archive = _zip(tmp_path / "talks.zip", [("a.wav", b"sound")])
    _patched(archive, 8, "<H", 1)
    problem = "encrypted: unpack it with its password"
    assert member_problem(str(archive), "a.wav") == problem
    with pytest.raises(AudioError, match="encrypted"):
        read_member(str(archive), "a.wav")


def test_bombs_are_failed_rows_before_they_are_touched(tmp_path: Path) -> None:
    """By their ratio, or by the size that they say."""
    bomb = str(_zip(tmp_path / "bomb.zip", [("a.wav", bytes(20 << 20))]))
    assert f"more than {MAX_RATIO} times" in str(member_problem(bomb, "a.wav"))
    large = _zip(tmp_path / "large.zip", [("a.wav", b"sound")])
    _patched(large, 24, "<I", MAX_BYTES + 1)
    assert "more than the 256 MiB" in str(member_problem(str(large), "a.wav"))
    silence = str(_zip(tmp_path / "silence.zip", [("a.wav", bytes(3 << 20))]))
    assert read_member(silence, "a.wav") == bytes(3 << 20)


def test_a_bomb_that_lies_about_its_size_is_stopped(tmp_path: Path) -> None:
    """No more is unpacked than the list of members has promised."""
    archive = _zip(tmp_path / "bomb.zip", [("a.wav", bytes(200 << 20))])
    _patched(archive, 24, "<I", 1 << 20)
    tracemalloc.start()
    with pytest.raises(AudioError, match="damaged in the archive"):
        read_member(str(archive), "a.wav")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20


def test_a_list_of_members_without_measure_is_refused(tmp_path: Path) -> None:
    """Before it is read: a sparse file costs its author nothing."""
    archive = tmp_path / "list.zip"
    size = 64 << 20
    with archive.open("wb") as file:
        file.truncate(size)
        file.seek(size)
        file.write(b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 9, 9, size, 0, 0))
    tracemalloc.start()
    with pytest.raises(AudioError, match="its list of members takes more than 32 mib"):
        list_members(str(archive))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\3\4" + bytes(40), b"PK\5\6"])
def test_what_is_no_archive_is_one_row(tmp_path: Path, content: bytes) -> None:
    """Its name promised clips: it is told why there are none."""
    archive = tmp_path / "talks.zip"
    archive.write_bytes(content)
    good = write_clip(tmp_path / "a.wav", tone(440.0))
    found = find_clips([str(archive), str(good)])
    problem = _problems(found)[str(archive)]
    assert problem and ("zip archive" in problem or "empty" in problem)


def test_names_are_as_they_were_written(tmp_path: Path) -> None:
    """UTF-8 with and without the mark that says so, and old code pages."""
    archive = tmp_path / "talks.zip"
    content = _zip(archive, [("xx.wav", b"1"), ("yy.wav", b"2"), ("ü.wav", b"3")]).read_bytes()
    content = content.replace(b"xx.wav", "ä.wav".encode()).replace(b"yy.wav", b"y\x81.wav")
    archive.write_bytes(content)
    assert [member.name for member in list_members(str(archive))] == ["ä.wav", "yü.wav", "ü.wav"]
    assert [read_member(str(archive), name) for name in ("ä.wav", "yü.wav", "ü.wav")] == [
        b"1",
        b"2",
        b"3",
    ]


def test_an_archive_that_changes_is_opened_again(tmp_path: Path) -> None:
    """What is remembered of it holds for the very file only."""
    archive = _zip(tmp_path / "talks.zip", [("a.wav", b"before")])
    assert read_member(str(archive), "a.wav") == b"before"
    _zip(archive, [("a.wav", b"after, longer")])
    assert read_member(str(archive), "a.wav") == b"after, longer"
    archive.unlink()
    with pytest.raises(AudioError):
        read_member(str(archive), "a.wav")


def test_a_clips_identity_is_its_own(tmp_path: Path) -> None:
    """By place and time of the archive, or by its own bytes: those of the file unpacked."""
    archive = _zip(tmp_path / "talks.zip", [("a.wav", b"one"), ("b.wav", b"two")])
    first, second = f"{archive}/a.wav", f"{archive}/b.wav"
    before = file_identity(first, by_content=False)
    assert file_identity(second, by_content=False) != before
    os.utime(archive, ns=(1, 1))
    assert file_identity(first, by_content=False) != before
    (tmp_path / "a.wav").write_bytes(b"one")
    unpacked = file_identity(str(tmp_path / "a.wav"), by_content=True)
    assert file_identity(first, by_content=True) == unpacked
    assert file_identity(second, by_content=True) != unpacked
    with pytest.raises(OSError, match="no file of that name"):
        file_identity(f"{archive}/c.wav", by_content=True)


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    """But those of the last two archives."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("needs /proc to count descriptors")
    before = len(list(folder.iterdir()))
    for number in range(10):
        archive = _zip(tmp_path / f"{number}.zip", [("a.wav", b"sound")])
        assert read_member(str(archive), "a.wav") == b"sound"
        (tmp_path / "bad.zip").write_bytes(bytes(30 + number))
        with pytest.raises(AudioError):
            list_members(str(tmp_path / "bad.zip"))
    assert len(list(folder.iterdir())) <= before + 2


_NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1)


@settings(suppress_health_check=_FIXTURES, max_examples=60, deadline=None)
@given(members=st.dictionaries(_NAMES.map(lambda name: name + ".wav"), st.binary(max_size=50)))
def test_every_clip_of_any_archive_is_a_row(tmp_path: Path, members: dict[str, bytes]) -> None:
    """Whatever it is called: taken, hidden or a problem, in one order, and read as it was."""
    archive = _zip(tmp_path / "talks.zip", members.items())
    listed = list_members(str(archive))
    assert sorted(member.name for member in listed) == sorted(members)
    good = str(write_clip(tmp_path / "good.wav", tone(440.0)))
    found = find_clips([good, str(archive)])
    assert len(found.clips) - 1 + found.hidden == len(members)
    assert [clip.shown for clip in found.clips] == sorted(clip.shown for clip in found.clips)
    for name, problem in listed:
        if problem is None:
            assert split_member(f"{archive}/{name}") == (str(archive), name)
            assert read_member(str(archive), name) == members[name]
        else:
            assert not members[name] or "leads out" in problem


def test_a_member_whose_name_is_empty_is_listed_with_a_reason(tmp_path: Path) -> None:
    """A list that is damaged so keeps its row."""
    source = io.BytesIO()
    with zipfile.ZipFile(source, "w") as made:
        made.writestr("a.wav", b"sound")
    content = bytearray(source.getvalue())
    central = content.index(b"PK\1\2")
    content[central + 28 : central + 30] = bytes(2)  # length of the name
    content[central + 32 : central + 34] = b"\5\0"  # length of the comment behind it
    archive = tmp_path / "talks.zip"
    archive.write_bytes(content)
    (member,) = list_members(str(archive))
    assert member.name == ""
    assert "leads out" in (member.problem or "")


@settings(suppress_health_check=_FIXTURES, max_examples=200, deadline=None)
@given(data=st.data())
def test_any_damage_costs_an_error_at_most(tmp_path: Path, data: st.DataObject) -> None:
    """Cut, overwritten or lengthened anywhere: members, or a reason why there are none."""
    source = io.BytesIO()
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as made:
        for name in ("a.wav", "in/b.wav"):
            made.writestr(name, b"sound " * 20)
    content = bytearray(source.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.sampled_from((0, 1, 2, 4, len(content)))))
        content[start:end] = data.draw(st.binary(max_size=8))
    archive = tmp_path / "talks.zip"
    archive.write_bytes(content)
    members = _or_error(lambda: list_members(str(archive)))
    for member in members or []:
        read = _or_error(lambda name=member.name: read_member(str(archive), name))
        assert read is None or len(read) <= MAX_BYTES


def _or_error(action: Callable[[], Any]) -> Any:
    try:
        return action()
    except AudioError as error:
        assert error.stage == "open"
        assert error.reason
        return None


@pytest.mark.parametrize("folder", ["İndirilenler", "ẞ", "a.ZIP.b", "ﬀ"])
def test_letters_that_change_their_length_do_not_move_the_archive(
    tmp_path: Path, folder: str
) -> None:
    """İ, the first of a Turkish Downloads folder, is two characters in lower case."""
    (tmp_path / folder).mkdir()
    archive = tmp_path / folder / "Talks.Zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("a.wav", b"sound")
    assert split_member(f"{archive}/a.wav") == (str(archive), "a.wav")
