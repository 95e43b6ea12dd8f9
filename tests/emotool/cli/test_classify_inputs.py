"""What ``emotool classify`` is given: files of phones, archives, lists, manifests."""

import zipfile
from pathlib import Path

import pytest

from tests.containers import KINDS, NEEDS_AV, encode
from tests.emotool.cli.classify_runs import Emotool, one_line, posix, table
from tests.synthesis import vowel

pytestmark = pytest.mark.slow


@NEEDS_AV
def test_what_phones_record_is_labelled_and_heard(emotool: Emotool, place: Path) -> None:
    """Found in a folder, decoded in a worker, and played in the report."""
    (place / "clips" / "memo.m4a").write_bytes(encode(KINDS["m4a"], vowel(120, 0.6)))
    (place / "clips" / "list.m4a").write_text("#EXTM3U\na.wav\n")
    done = emotool("clips", "-o", "r.csv", "-o", "r.html")
    assert done.returncode == 3
    rows = {row["path"]: row for row in table((place / "r.csv").read_text("utf-8"))}
    assert rows["clips/memo.m4a"]["status"] == "ok"
    assert rows["clips/list.m4a"]["error"] == "open: a text file, not audio"
    assert (place / "r.html").read_text("utf-8").count("data:audio/mpeg") == 4


def test_an_archive_is_labelled_without_being_unpacked(emotool: Emotool, place: Path) -> None:
    """The same labels as of the files, in every output; what cannot be read has its row."""
    with zipfile.ZipFile(place / "talks.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a.wav", "b.flac", "sub/c.wav"):
            archive.write(place / "clips" / name, name)
        archive.writestr("../d.wav", b"sound")
    before = sorted(path.relative_to(place) for path in place.rglob("*"))
    done = emotool("talks.zip", "-o", "r.csv", "-o", "r.html", "--by-content")
    assert done.returncode == 3
    rows = table((place / "r.csv").read_text("utf-8"))
    assert [row["path"] for row in rows] == [
        "talks.zip/../d.wav",
        "talks.zip/a.wav",
        "talks.zip/b.flac",
        "talks.zip/sub/c.wav",
    ]
    assert rows[0]["error"] == "open: its name leads out of the archive"
    files = table(emotool("clips", "-o", "-").stdout)
    assert [row["confidence"] for row in rows[1:]] == [row["confidence"] for row in files]
    assert (place / "r.html").read_text("utf-8").count("data:audio/mpeg") == 3
    made = {path.relative_to(place) for path in place.rglob("*")} - set(before)
    assert made == {Path("r.csv"), Path("r.html"), Path("r.failures.csv")}
    kept = emotool("talks.zip/a.wav", "-o", "talks.zip", "--format", "csv")
    assert kept.returncode == 1
    assert "is an input" in kept.stderr
    assert zipfile.is_zipfile(place / "talks.zip")


def test_joining_needs_something_to_join(emotool: Emotool) -> None:
    """--merge alone would do nothing."""
    assert emotool("clips", "--merge").returncode == 2


def test_paths_come_from_standard_input(emotool: Emotool, place: Path) -> None:
    """Between NUL bytes or as lines, beside those of the command line."""
    run = emotool("--from0", "-", "-o", "-", "--quiet", input="clips/a.wav\0clips/sub\0")
    assert [row["path"] for row in table(run.stdout)] == ["clips/a.wav", "clips/sub/c.wav"]
    run = emotool(
        "clips/b.flac", "--from", "-", "-o", "-", "--quiet", input="clips/a.wav\nno.wav\n"
    )
    assert run.returncode == 3
    statuses = {row["path"]: row["status"] for row in table(run.stdout)}
    assert statuses == {"clips/a.wav": "ok", "clips/b.flac": "ok", "no.wav": "failed"}


def test_nothing_to_classify_is_a_wrong_option(emotool: Emotool) -> None:
    """No path at all; an empty list is told as such."""
    run = emotool("-o", "-")
    assert run.returncode == 2
    assert "--from" in run.stderr
    run = emotool("--from0", "-", "-o", "-", input="")
    assert (run.returncode, one_line(run.stderr, "standard input lists no path")) == (1, True)


def test_a_manifest_keeps_its_rows_and_columns(emotool: Emotool, place: Path) -> None:
    """In its order, relative to its folder; missing files and files listed twice are rows."""
    rows = "b.flac,7\nsub/c.wav,1\ngone.wav,2\nb.flac,8\n"
    (place / "clips" / "list.csv").write_text("file,age\n" + rows)
    run = emotool("--manifest", "clips/list.csv", "--column", "file", "-o", "r.csv")
    assert run.returncode == 3
    found = table((place / "r.csv").read_text())
    assert [f"{row['file']},{row['age']}" for row in found] == rows.splitlines()
    assert [row["path"] for row in found] == [f"clips/{row['file']}" for row in found]
    assert [row["status"] for row in found] == ["ok", "ok", "failed", "ok"]
    assert found[0] | {"age": "8"} == found[3]


@posix
def test_a_manifest_is_never_overwritten(emotool: Emotool, place: Path) -> None:
    """Not even by another name."""
    (place / "list.csv").write_text("path\nclips/a.wav\n")
    (place / "r.csv").symlink_to("list.csv")
    for target in ("list.csv", "r.csv"):
        run = emotool("--manifest", "list.csv", "-o", target)
        assert (run.returncode, one_line(run.stderr, "list.csv is an input")) == (1, True)
    assert (place / "list.csv").read_text() == "path\nclips/a.wav\n"


def test_what_says_which_clips_there_are_is_never_written_over(
    emotool: Emotool, place: Path
) -> None:
    """Neither by a table, nor by what failed, nor because nothing did."""
    (place / "paths.csv").write_text("clips/a.wav\n")
    run = emotool("--from", "paths.csv", "-o", "paths.csv")
    assert (run.returncode, one_line(run.stderr, "paths.csv is an input")) == (1, True)
    failures = "path,stage,error\nclips/a.wav,open,gone\n"
    for clip, code in (("", 0), ("no.wav,open,gone\n", 3)):
        (place / "failures.csv").write_text(failures + clip)
        run = emotool("--manifest", "failures.csv", "-o", "labels.csv")
        assert run.returncode == code
        assert (place / "failures.csv").read_text() == failures + clip


def test_a_manifest_comes_instead_of_paths(emotool: Emotool, place: Path) -> None:
    """Both, or a column of none, are wrong options; a wrong column is told with those there are."""
    (place / "list.csv").write_text("file\nclips/a.wav\n")
    run = emotool("clips", "--manifest", "list.csv", "--column", "file", "-o", "-")
    assert (run.returncode, "replace paths" in run.stderr) == (2, True)
    assert emotool("clips", "--column", "file", "-o", "-").returncode == 2
    run = emotool("--manifest", "list.csv", "-o", "-")
    assert run.returncode == 1
    assert "--column takes one of: file" in run.stderr


@posix
@pytest.mark.parametrize("target", ["clips/a.wav", "./clips/a.wav", "link"])
def test_inputs_are_never_overwritten(emotool: Emotool, place: Path, target: str) -> None:
    """A slip of the hand after -o must not cost a recording, by whatever name it is called."""
    (place / "link").symlink_to("clips/a.wav")
    before = (place / "clips" / "a.wav").read_bytes()
    run = emotool("clips", "--format", "csv", "-o", target)
    assert (run.returncode, run.stdout) == (1, "")
    assert one_line(run.stderr, "clips/a.wav is an input"), run.stderr
    assert (place / "clips" / "a.wav").read_bytes() == before
    assert sorted(path.name for path in (place / "clips").iterdir()) == ["a.wav", "b.flac", "sub"]


@posix
@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "1"},
        {"LC_ALL": "C.UTF-8"},
    ],
    ids=["ASCII", "UTF-8 mode", "UTF-8"],
)
def test_members_of_archives_need_no_name_that_the_file_system_knows(
    emotool: Emotool, place: Path, python_path: dict[str, str], variables: dict[str, str]
) -> None:
    """A zip has its own encoding; files beside it are opened by the bytes of their names."""
    with zipfile.ZipFile(place / "odd.zip", "w") as archive:
        archive.write(place / "clips" / "a.wav", "日本.wav")
    (place / "clips" / "é.wav").write_bytes((place / "clips" / "a.wav").read_bytes())
    done = emotool("odd.zip", "clips", "-o", "r.csv", env=python_path | variables)
    assert done.returncode == 0, done.stderr
    rows = table((place / "r.csv").read_text("utf-8"))
    assert [row["status"] for row in rows] == ["ok"] * 5
    assert rows[-1]["path"] == "odd.zip/日本.wav"
