"""``emotool compare`` for people and for programs."""

import json
from pathlib import Path

import pytest

from emotool.cli import main


def run(*arguments: str) -> int:
    """Run the command in this process; return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["compare", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def tables(tmp_path: Path) -> tuple[str, str]:
    """Return a table of labels and one of truths."""
    ours, truth = tmp_path / "a.csv", tmp_path / "truth.csv"
    ours.write_text("path,label\n1,sad\n2,sad\n[red]3\x1b,happy\n4,\n5,sad\n")
    truth.write_text("path,emotion\n1,sad\n2,happy\n[red]3\x1b,sad\n4,sad\n6,sad\n")
    return str(ours), str(truth)


def test_people_get_figures_and_clips(
    tables: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Figures, confusion and differing clips are shown, names of files made harmless."""
    assert run(*tables, "--truth", "emotion", "--show", "1") == 0
    out = capfd.readouterr().out
    assert "3 clips compared · agreement 33.3 % · Cohen's kappa -0.500" in out
    assert "  2: sad / happy" in out
    assert "2 clips differ:" in out
    assert "1 clip lacks a label:" in out
    assert "… and 1 more" in out
    assert "1 clip only in" in out
    assert "\x1b" not in out
    assert run(*tables, "--truth", "emotion") == 0
    assert r"[red]3\x1b: happy / sad" in capfd.readouterr().out


def test_only_figures_are_shown_where_no_clips_are_asked_for(
    tables: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    """How many clips differ is a figure; which they are is not."""
    assert run(*tables, "--truth", "emotion", "--show", "0") == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[-4:-2] == ["2 clips differ", "1 clip lacks a label"]
    assert [line.partition(" only in ")[0] for line in lines[-2:]] == ["1 clip", "1 clip"]
    assert not any(line.endswith((":", ": 5", ": 6")) for line in lines)


def test_other_programs_get_whole_paths(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """No line is broken where the output is no terminal, however long a path is."""
    long = "study/" + "speaker 07/" * 30 + "1.wav"
    for name, label, other in (("a.csv", "sad", "x.wav"), ("b.csv", "happy", "y.wav")):
        rows = f"path,label\n{long},{label}\n{long}2,{label.replace('happy', '')}\n{long}{other},\n"
        (tmp_path / name).write_text(rows)
    assert run(str(tmp_path / "a.csv"), str(tmp_path / "b.csv")) == 0
    lines = capfd.readouterr().out.splitlines()
    assert f"  {long}: sad / happy" in lines
    assert f"  {long}2: sad / –" in lines
    assert f"1 clip only in {tmp_path / 'a.csv'}: {long}x.wav" in lines


def test_more_clips_of_one_table_than_are_named_are_hinted_at(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Three names at most, and dots if there are more."""
    for name, paths in (("a.csv", "12345"), ("b.csv", "1678")):
        rows = "".join(f"{path}.wav,sad\n" for path in paths)
        (tmp_path / name).write_text("path,label\n" + rows)
    assert run(str(tmp_path / "a.csv"), str(tmp_path / "b.csv")) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[-2].endswith(": 2.wav, 3.wav, 4.wav, …")
    assert lines[-1].endswith(": 6.wav, 7.wav, 8.wav")


def test_programs_get_json(tables: tuple[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    """JSON holds everything, the clips of one table only as well."""
    assert run(*tables, "--truth", "emotion", "--json") == 0
    document = json.loads(capfd.readouterr().out)
    assert document["labels"] == ["happy", "sad"]
    assert document["confusion"] == [[0, 1], [1, 1]]
    assert (document["only_a"], document["only_b"]) == (["5"], ["6"])
    assert document["unlabelled"] == [{"path": "4", "a": None, "b": "sad"}]


def test_other_tables_may_call_their_paths_otherwise(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Recalls and UAR are shown against the truth; what is counted apart is listed."""
    ours, truth = tmp_path / "a.csv", tmp_path / "truth.csv"
    ours.write_text(
        "path,status,label,confidence,p_happy,p_sad\n./a/1.wav,ok,sad,.9,.1,.9\n"
        "a/2.wav,ok,uncertain,.5,.5,.5\na/3.wav,ok,sad,.9,.1,.9\na/4.wav,ok,happy,.9,.9,.1\n"
        "a/5.wav,ok,sad,.9,.1,.9\n"
    )
    truth.write_text(
        "file;emotion\na\\1.wav;Sad\na\\2.wav;sad\n3.wav;calm\na/4.wav;happy\na/5.wav;HAPPY\n"
    )
    arguments = (str(ours), str(truth), "--truth", "emotion")
    assert run(*arguments) == 1
    assert "--column" in capfd.readouterr().err
    assert run(*arguments, "--column", "file") == 0
    out = capfd.readouterr().out
    assert "3 clips compared · agreement 66.7 %" in out
    assert "UAR 75.0 % · recall: happy 50.0 %, sad 100.0 %" in out
    assert "1 clip is uncertain:" in out
    assert "1 clip has a label unknown to a model:" in out
    assert "3 clips matched by paths written differently" in out
    assert run(*arguments, "--column", "file", "--json") == 0
    document = json.loads(capfd.readouterr().out)
    assert (document["uar"], document["recall"]) == (0.75, {"happy": 0.5, "sad": 1.0})
    assert document["unknown"] == [{"path": "a/3.wav", "a": "sad", "b": "calm"}]
    assert document["uncertain"] == [{"path": "a/2.wav", "a": "uncertain", "b": "sad"}]


def test_wrong_column_is_one_clear_error(
    tables: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    """A column that is not there is named, and so are those that are."""
    assert run(*tables) == 1
    assert capfd.readouterr().err.splitlines()[1] == "hint: its columns: path, emotion"


@pytest.fixture
def corrected(tmp_path: Path) -> tuple[str, str]:
    """Return a table of labels and one of corrections of its clips."""
    ours, theirs = tmp_path / "labels.csv", tmp_path / "corrections.csv"
    ours.write_text(
        "path,status,label,confidence,p_happy,p_sad\n"
        + "".join(f"recs/{name}.wav,ok,sad,.9,.1,.9\n" for name in "abcd")
    )
    theirs.write_text(
        "path,label,correction,confidence,when\n"
        "recs/a.wav,sad,sad,0.9,\nrecs/b.wav,sad,happy,0.9,\nrecs/c.wav,sad,cannot tell,0.9,\n"
        "recs/gone.wav,sad,happy,0.9,\n"
    )
    return str(ours), str(theirs)


def test_corrections_are_the_truth(
    corrected: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Not the labels that the model gave the same clips; undecided clips are in no figure."""
    assert run(*corrected) == 0
    out, err = capfd.readouterr()
    assert "2 clips compared · agreement 50.0 %" in out
    assert "UAR 50.0 % · recall: happy 0.0 %, sad 100.0 %" in out
    assert "1 clip lacks a label:" in out
    assert "3 corrections, 1 skipped: cannot tell" in err


def test_corrections_are_looked_for_below_a_root(
    corrected: tuple[str, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is not there is counted and named; a root is for corrections alone."""
    for name in "abc":
        (tmp_path / "moved").mkdir(exist_ok=True)
        (tmp_path / "moved" / f"{name}.wav").write_bytes(b"sound")
    assert run(*corrected, "--root", str(tmp_path / "moved")) == 0
    out, err = capfd.readouterr()
    assert "2 clips compared" in out
    assert "1 not found or unusable: recs/gone.wav: no such file" in err
    labels = Path(corrected[0])
    labels.write_text(labels.read_text().replace("recs", str(tmp_path / "moved")))
    assert run(*corrected, "--root", str(tmp_path / "moved")) == 0
    assert "2 clips compared" in capfd.readouterr().out
    assert run(corrected[0], corrected[0], "--root", str(tmp_path)) == 1
    assert "no table of corrections" in capfd.readouterr().err
