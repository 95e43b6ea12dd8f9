"""Tables that list clips, from whatever program."""

import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotool.errors import InputError
from emotool.inputs.manifest import MAX_COLUMNS, read_manifest
from emotool.results.columns import Columns
from emotool.results.row import ClipResult
from emotool.text import path_text
from emotool.writers.registry import open_writer
from tests.emotool.hostile import NAMES


def write(folder: Path, content: bytes | str) -> str:
    """Write a manifest and return its path."""
    raw = content if isinstance(content, bytes) else content.encode()
    (folder / "list.csv").write_bytes(raw)
    return str(folder / "list.csv")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-8"])
def test_the_encodings_of_spreadsheets_are_read(tmp_path: Path, encoding: str) -> None:
    """UTF-16 with and without a mark; "Unicode text" has tabs."""
    table = "path\tspeaker\r\na.wav\tZo\u00eb\r\n".encode(encoding)
    manifest = read_manifest(write(tmp_path, table), "path")
    assert (manifest.columns, manifest.rows) == (("path", "speaker"), [("a.wav", "Zo\u00eb")])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_recognised_by_its_header(tmp_path: Path, encoding: str) -> None:
    """Whatever the script of the rows."""
    said = "\u043f\u0440\u0438\u0432\u0435\u0442 \u4f60\u597d " * 40
    table = f"path,said\na.wav,{said}\n".encode(encoding)
    assert read_manifest(write(tmp_path, table), "path").rows == [("a.wav", said)]


def test_rows_between_stray_quotes_are_clips_and_the_reading_is_noted(tmp_path: Path) -> None:
    """As in Common Voice, where quotes are ordinary characters."""
    table = 'path\tsaid\na.wav\t"Hello\nb.wav\tHe said: bye"\nc.wav\tWell\n'
    for name in "abc":
        (tmp_path / f"{name}.wav").write_bytes(b"sound")
    manifest = read_manifest(write(tmp_path, table), "path")
    assert [Path(clip.path).name for clip in manifest.found().clips] == ["a.wav", "b.wav", "c.wav"]
    assert "quotes from line 2 on are read as ordinary characters" in manifest.notice
    assert "3 rows" in manifest.notice


@pytest.mark.skipif(os.name != "posix", reason="other systems allow no such names")
def test_names_that_mean_a_file_find_it(tmp_path: Path) -> None:
    """Backslashes, another form of letters, quotes and blanks; others show what is there."""
    (tmp_path / "talks").mkdir()
    (tmp_path / "talks" / "Zoe\u0308.wav").write_bytes(b"sound")
    named = ["talks\\Zo\u00eb.wav", '"""talks/Zoe\u0308.wav"""', "talks/Zo\u00eb.wav "]
    named.append("talks/zoe.wav")
    table = "path,n\n" + "".join(f"{name},1\n" for name in named)
    clips = read_manifest(write(tmp_path, table), "path").found().clips
    assert [clip.problem for clip in clips[:3]] == [None] * 3
    assert {clip.path for clip in clips[:3]} == {str(tmp_path / "talks" / "Zoe\u0308.wav")}
    assert clips[3].problem == "no such file or directory; there is 'Zoe\u0308.wav'"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_columns_and_rows_are_kept(tmp_path: Path, delimiter: str, mark: str, end: str) -> None:
    """Whatever parts cells and ends lines; blank lines are no rows."""
    table = f'file{delimiter}who{end}a.wav{delimiter}"Ann{delimiter} A."{end}{end}b.wav{delimiter}'
    manifest = read_manifest(write(tmp_path, mark + table), "file")
    assert manifest.columns == ("file", "who")
    assert manifest.rows == [("a.wav", f"Ann{delimiter} A."), ("b.wav", "")]


def test_every_row_is_a_clip_in_its_order(tmp_path: Path) -> None:
    """Relative to the manifest; also what is missing, no file, not named, or named twice."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.wav").write_bytes(b"b")
    (tmp_path / "a.wav").write_bytes(b"a")
    names = ["sub/b.wav", "gone.wav", "a.wav", "sub", "", "a.wav", str(tmp_path / "a.wav"), "x\0y"]
    found = read_manifest(
        write(tmp_path, "n,path\n" + "".join(f"1,{name}\n" for name in names)), "path"
    ).found()
    assert [clip.index for clip in found.clips] == list(range(len(names)))
    assert [clip.problem for clip in found.clips] == [
        None,
        "no such file or directory",
        None,
        "not a file but a folder",
        "the manifest names no file in this row",
        None,
        None,
        "not a valid file name",
    ]
    for clip, name in zip(found.clips, names, strict=True):
        assert clip.path == (os.path.join(tmp_path, name) if name else "")  # noqa: PTH118
        assert clip.shown == clip.path.replace(os.sep, "/")


@pytest.mark.skipif(os.name != "posix", reason="other systems allow no such names")
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_a_table_of_ours_names_the_files_it_is_about(tmp_path: Path, suffix: str) -> None:
    """Whatever they are called, if that is text: formulas, line breaks, quotes."""
    paths = [name for name in NAMES if path_text(name) == name]
    table = tmp_path / f"labels.{suffix}"
    with open_writer(str(table), Columns(("sad",)), {}) as writer:
        for index, path in enumerate(paths):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(b"sound")
            writer.write(ClipResult(index, path, "silent", "m"))
    clips = read_manifest(str(table), "path").found().clips
    wanted = [(os.path.join(tmp_path, path), None) for path in paths]  # noqa: PTH118
    assert [(clip.path, clip.problem) for clip in clips] == wanted


@pytest.mark.skipif(os.name != "posix", reason="other systems allow no such names")
def test_an_apostrophe_of_a_names_own_is_tried_first(tmp_path: Path) -> None:
    """What is missing either way is called what the manifest calls it."""
    for name in ("'=1.wav", "=1.wav", "=2.wav"):
        (tmp_path / name).write_bytes(b"sound")
    table = write(tmp_path, "path\n'=1.wav\n'=2.wav\n'=3.wav\n")
    clips = read_manifest(table, "path").found().clips
    assert [Path(clip.path).name for clip in clips] == ["'=1.wav", "=2.wav", "'=3.wav"]
    assert [clip.problem is None for clip in clips] == [True, True, False]


def test_a_manifest_in_the_current_folder_shows_its_own_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they would be typed there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.wav").write_bytes(b"a")
    write(tmp_path, "path\na.wav\n")
    assert [clip.shown for clip in read_manifest("list.csv", "path").found().clips] == ["a.wav"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no column 'path'"),
        ("\n\n", "no column 'path'"),
        ("path\n", "lists no clip"),
        ("file,who\na.wav,x\n", "no column 'path'"),
        ("path,path\na,b\n", "two columns called 'path'"),
        ("path,who\na.wav\n", "line 2 has 1 cells, the header 2"),
        ("path,who\na.wav,b,c\n", "line 2 has 3 cells, the header 2"),
        ("path\n" + "x" * (1 << 21), "line 2: a cell is longer"),
        ("path," + ",".join(map(str, range(MAX_COLUMNS))) + "\n", "columns, more than"),
        (b"path\ncaf\xe9.wav\n", "not UTF-8 text"),
        (b"\xff\xfea", "not UTF-8 text"),
        ("path\ngone.wav\nlost.wav\n", "none of its 2 rows names a file"),
    ],
)
def test_what_is_no_manifest_is_told(tmp_path: Path, content: bytes | str, message: str) -> None:
    """In one sentence that names the file."""
    with pytest.raises(InputError, match=message) as caught:
        read_manifest(write(tmp_path, content), "path").found()
    assert "list.csv" in caught.value.message


def test_the_columns_there_are_told(tmp_path: Path) -> None:
    """To someone who has named another; control characters are not sent to the terminal."""
    with pytest.raises(InputError) as caught:
        read_manifest(write(tmp_path, "file,\x1bwho\n"), "path")
    assert caught.value.hint == r"--column takes one of: file, \x1bwho"


def test_a_manifest_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(InputError, match="nowhere: No such file"):
        read_manifest(str(tmp_path / "nowhere"), "path")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.text(st.sampled_from(',;\t|"\n\r\0 ap\ufeff')) | st.binary())
def test_any_bytes_are_a_manifest_or_an_error(tmp_path: Path, content: bytes | str) -> None:
    """Never another exception, and every row has a cell for each column."""
    try:
        manifest = read_manifest(write(tmp_path, content), "a")
    except InputError:
        return
    assert {len(row) for row in manifest.rows} == {len(manifest.columns)}


def test_a_manifest_may_name_clips_of_archives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative to its folder, as files; one that is not there says so."""
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("talks.zip", "w") as archive:
        archive.writestr("in/a.wav", b"sound")
    Path("list.csv").write_text("file\ntalks.zip/in/a.wav\ntalks.zip/b.wav\n")
    clips = read_manifest("list.csv", "file").found().clips
    assert [clip.problem for clip in clips] == [None, "the archive holds no file of that name"]


def test_an_archive_itself_is_no_clip(tmp_path: Path) -> None:
    """The message says how its clips are named."""
    with zipfile.ZipFile(tmp_path / "talks.zip", "w") as archive:
        archive.writestr("a.wav", b"sound")
    (tmp_path / "b.wav").write_bytes(b"sound")
    clips = read_manifest(write(tmp_path, "file\ntalks.zip\nb.wav\n"), "file").found().clips
    assert clips[0].problem == "a zip archive: name its clips, as in talks.zip/a.wav"
    assert clips[1].problem is None
