"""Tables of corrections: which rows are used, and what becomes of the others."""

import os
from pathlib import Path

import pytest

from emotool.errors import InputError
from emotool.inputs import corrections
from emotool.inputs.corrections import is_corrections, read_corrections

HEAD = "path,label,correction,confidence,when\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with clips of two people, and one beside it."""
    for name in ("recs/ann/1.wav", "recs/ann/=2.wav", "recs/bob/1.wav", "secret.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"sound")
    return tmp_path / "recs"


def table(folder: Path, *rows: str, head: str = HEAD) -> str:
    """Write a table as the browser saves it, far from its clips."""
    path = folder / "downloads" / "corrections.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\ufeff" + head + "".join(f"{row}\r\n" for row in rows))
    return str(path)


def test_each_column_is_read(root: Path, tmp_path: Path) -> None:
    """A row is the file, both labels, the confidence, the time and the speaker."""
    rows = table(
        tmp_path,
        "ann/1.wav,sad,Calm ,0.5,2026-01-02T03:04:05Z,ann",
        "bob/1.wav,'=x,'=y,nan,,",
        head="path,label,correction,confidence,when,speaker\n",
    )
    first, second = read_corrections(rows, str(root)).usable
    assert (first.shown, first.path) == ("ann/1.wav", str(root / "ann" / "1.wav"))
    assert (first.label, first.correction, first.confidence) == ("sad", "Calm", 0.5)
    assert (first.when, first.speaker) == ("2026-01-02T03:04:05Z", "ann")
    assert (second.label, second.correction, second.confidence) == ("=x", "=y", None)


@pytest.mark.parametrize("typed", ["", "recs/", "../recs/", "/data/set/recs/", "./recs/"])
def test_paths_are_found_wherever_the_folder_lies_now(
    root: Path, tmp_path: Path, typed: str
) -> None:
    """The folders that all paths begin with may be others than the root's."""
    rows = table(tmp_path, f"{typed}ann/1.wav,,sad,,", f"{typed}bob/1.wav,,happy,,")
    found = read_corrections(rows, str(root))
    wanted = [str(root / "ann" / "1.wav"), str(root / "bob" / "1.wav")]
    assert [one.path for one in found.usable] == wanted
    assert not found.lost


def test_people_are_not_confused(root: Path, tmp_path: Path) -> None:
    """Only folders that are common to all paths are taken off: ann/1.wav is never bob/1.wav."""
    rows = table(tmp_path, "ann/1.wav,,sad,,", "bob/1.wav,,happy,,")
    found = read_corrections(rows, str(root / "ann"))
    assert not found.usable
    assert len(found.lost) == 2


def test_no_path_leads_out_of_the_folder(root: Path, tmp_path: Path) -> None:
    """Not by .., an absolute path, the home folder, nor a link's parent."""
    (root / "link").symlink_to(tmp_path / "recs" / "ann", target_is_directory=True)
    away = ["../secret.wav", str(tmp_path / "secret.wav"), "ann/../../secret.wav", "~/secret.wav"]
    rows = table(tmp_path, "ann/1.wav,,sad,,", *(f"{path},,sad,," for path in away))
    found = read_corrections(rows, str(root))
    assert [one.shown for one in found.usable] == ["ann/1.wav"]
    assert [path for path, _ in found.lost] == away
    assert {why for _, why in found.lost[:3]} == {"outside of the folder"}
    assert "4 not found or unusable: ../secret.wav: outside of the folder" in found.summary


def test_without_a_root_paths_are_of_the_current_folder(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they were typed for classify."""
    monkeypatch.chdir(tmp_path)
    rows = table(tmp_path, "recs/ann/1.wav,,sad,,", f"{root}/bob/1.wav,,sad,,")
    paths = [one.path for one in read_corrections(rows).usable]
    assert paths == [os.path.join("recs", "ann", "1.wav"), os.path.join("recs", "bob", "1.wav")]  # noqa: PTH118


def test_undecided_and_unusable_rows_are_counted(root: Path, tmp_path: Path) -> None:
    """A row is used, undecided, lost or replaced; a formula's apostrophe is no part of a name."""
    rows = table(
        tmp_path,
        "ann/1.wav,sad,calm,,",
        "ann/1.wav,sad,bored,,",
        "ann/=2.wav,sad,cannot tell,,",
        "bob/1.wav,sad,,,",
        "bob/gone.wav,sad,happy,,",
        f"bob/1.wav,sad,{'x' * 65},,",
        "bob/1.wav,sad,a\x1bb,,",
        ",sad,happy,,",
    )
    found = read_corrections(rows, str(root))
    assert [(one.shown, one.correction) for one in found.usable] == [("ann/1.wav", "bored")]
    assert found.undecided == ("ann/=2.wav", "bob/1.wav")
    assert len(found.lost) == 4
    assert found.repeated == 1
    assert found.summary.startswith(f"{found.name}: 1 correction, 2 skipped: cannot tell, ")
    escaped = table(tmp_path, "'=2.wav,,sad,,")
    assert read_corrections(escaped, str(root / "ann")).usable[0].path.endswith("=2.wav")


def test_bounds_and_columns_are_checked(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that is too large, no table, no file, or has a column twice is one clear error."""
    good = table(tmp_path, "ann/1.wav,,sad,,", "bob/1.wav,,sad,,")
    with pytest.raises(InputError, match="not a file but a folder"):
        read_corrections(str(root))
    with pytest.raises(InputError, match="is not a folder"):
        read_corrections(good, str(tmp_path / "nosuch"))
    with pytest.raises(InputError, match="no such file"):
        read_corrections(str(tmp_path / "nosuch.csv"))
    with pytest.raises(InputError, match="no column 'correction'"):
        read_corrections(table(tmp_path, head="path,emotion\n"))
    with pytest.raises(InputError, match="two columns called 'label'"):
        read_corrections(table(tmp_path, head="path,label,label,correction\n"))
    good = table(tmp_path, "ann/1.wav,,sad,,", "bob/1.wav,,sad,,")
    monkeypatch.setattr(corrections, "_MAX_ROWS", 1)
    with pytest.raises(InputError, match="more than 1 rows"):
        read_corrections(good, str(root))
    monkeypatch.setattr(corrections, "_MAX_BYTES", 10)
    with pytest.raises(InputError, match="larger than"):
        read_corrections(good, str(root))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_table_is_recognised_by_its_columns(tmp_path: Path, encoding: str) -> None:
    """Whatever the delimiter and the encoding; another table, folder or sound is none."""
    path = tmp_path / "a.csv"
    path.write_bytes("sep=;\r\nwhen;path;correction\r\n;a.wav;sad\r\n".encode(encoding))
    assert is_corrections(str(path))
    path.write_bytes("path,label\r\n".encode(encoding))
    assert not is_corrections(str(path))
    path.write_bytes(b"RIFF\0\0\xff\xfe\n\n")
    assert not is_corrections(str(path))
    assert not is_corrections(str(tmp_path))
    assert not is_corrections(str(tmp_path / "nosuch"))
