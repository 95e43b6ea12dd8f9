"""Where ``emotool classify`` writes: terminals, pipes, full disks, folders that are not its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.emotool.cli.classify_runs import Emotool, fill, linux, one_line, posix, table
from tests.emotool.misbehaving import ROOT
from tests.emotool.tiny_models import tiny_metadata, write_tiny_model

Terminal = Callable[..., str]
pytestmark = pytest.mark.slow


def test_a_table_is_punctuated_as_asked(emotool: Emotool, place: Path) -> None:
    """By a delimiter's name or sign, with either decimal mark, and a mark for Excel."""
    run = emotool("clips", "-o", "r.csv", "--quiet", "--delimiter", "tab", "--excel")
    assert run.returncode == 0
    text = (place / "r.csv").read_bytes().decode("utf-8")
    assert text.startswith("\ufeffpath\tstatus\tlabel\t")
    run = emotool("clips", "-o", "-", "--quiet", "--decimal", ",", "--delimiter", "|")
    assert run.stdout.splitlines()[1].split("|")[3].startswith("0,")


def test_punctuation_that_cannot_be_read_back_is_a_wrong_option(emotool: Emotool) -> None:
    """Exit code 2, and what is wrong with it."""
    run = emotool("clips", "--delimiter", "comma", "--decimal", ",")
    assert run.returncode == 2
    assert one_line(run.stderr, "cannot be both the delimiter and the decimal mark")


def test_outputs_may_be_repeated(emotool: Emotool, place: Path) -> None:
    """Each -o gets the same rows in the format of its suffix; '-' is standard output."""
    run = emotool("clips", "-o", "r.csv", "-o", "r.json", "-o", "-", "--quiet")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == (place / "r.csv").read_text()
    document = json.loads((place / "r.json").read_text())
    assert [clip["path"] for clip in document["clips"]] == [r["path"] for r in table(run.stdout)]


def test_format_overrules_the_suffix(emotool: Emotool) -> None:
    """Standard output has no suffix to choose JSON by."""
    run = emotool("clips", "-o", "-", "--format", "json", "-q")
    assert len(json.loads(run.stdout)["clips"]) == 3


@posix
def test_terminal_gets_a_file_and_is_told_so(
    place: Path, python: str, python_path: dict[str, str]
) -> None:
    """Without -o nobody's terminal is flooded: writing labels.csv, said so."""
    import pty

    ours, theirs = pty.openpty()
    command = [python, "-m", "emotool", "classify", "clips", "--model", "tiny.onnx"]
    run = subprocess.run(
        command, cwd=place, env=python_path, stdout=theirs, stderr=subprocess.PIPE, check=False
    )
    os.close(theirs)
    os.close(ours)
    assert run.returncode == 0
    assert b"writing labels.csv" in run.stderr
    assert len(table((place / "labels.csv").read_text())) == 3


@pytest.fixture
def at_terminal(place: Path, python: str, python_path: dict[str, str]) -> Terminal:
    """Return a function that runs the command without -o, its standard output a terminal."""
    pty = pytest.importorskip("pty", reason="needs a POSIX system")

    def run(*arguments: str, model: str = "tiny.onnx") -> str:
        ours, theirs = pty.openpty()
        command = [python, "-m", "emotool", "classify", *arguments, "--model", model]
        done = subprocess.run(
            command, cwd=place, env=python_path, stdout=theirs, stderr=subprocess.PIPE, check=False
        )
        os.close(theirs)
        os.close(ours)
        assert done.returncode == 0, done.stderr
        return done.stderr.decode()

    return run


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl"])
def test_labels_of_other_clips_are_kept(at_terminal: Terminal, place: Path, suffix: str) -> None:
    """Without -o the next free name is taken and said; the same clips replace their own table."""
    (place / "more").mkdir()
    (place / "more" / "=x.wav").hardlink_to(place / "clips" / "a.wav")
    first, second = place / f"labels.{suffix}", place / f"labels_2.{suffix}"
    at_terminal("clips", "--format", suffix)
    before = first.read_text()
    assert f"writing {second.name}" in at_terminal("more", "--format", suffix)
    assert first.read_text() == before
    assert "=x.wav" in second.read_text()
    second.write_text(second.read_text().replace("happy", "sad"))
    assert f"writing {second.name}" in at_terminal("more", "--format", suffix)
    at_terminal("clips", "--format", suffix, "--top", "1")
    assert first.read_text() != before  # replaced: it was about the same clips
    assert sorted(path.name for path in place.glob("labels*")) == [first.name, second.name]


def test_a_folder_that_has_grown_replaces_its_table(at_terminal: Terminal, place: Path) -> None:
    """No label is lost then; where a clip is gone, its label is kept."""
    at_terminal("clips")
    (place / "clips" / "d.wav").hardlink_to(place / "clips" / "a.wav")
    at_terminal("clips")
    assert len(table((place / "labels.csv").read_text())) == 4
    (place / "clips" / "d.wav").unlink()
    assert "labels_2.csv" in at_terminal("clips")
    assert len(table((place / "labels.csv").read_text())) == 4


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl"])
def test_other_columns_windows_and_models_are_kept(
    at_terminal: Terminal, place: Path, suffix: str
) -> None:
    """What the new table does not have would be lost, although its clips are the same."""
    at_terminal("clips", "--format", suffix, "--top", "1")
    first = (place / f"labels.{suffix}").read_text()
    assert f"writing labels_2.{suffix}" in at_terminal("clips", "--format", suffix)
    write_tiny_model(place / "other.onnx", tiny_metadata(name="other"))
    for number, arguments in ((3, ["--segments"]), (4, ["--top", "1"])):
        model = "other.onnx" if number == 4 else "tiny.onnx"
        said = at_terminal("clips", "--format", suffix, *arguments, model=model)
        assert f"writing labels_{number}.{suffix}" in said
    assert (place / f"labels.{suffix}").read_text() == first


def test_a_column_that_people_added_is_kept(at_terminal: Terminal, place: Path) -> None:
    """A table of the same clips may have notes by now; --quiet names the other file, too."""
    at_terminal("clips")
    lines = (place / "labels.csv").read_text().splitlines()
    noted = "".join(f"{line},{'note' if not i else 'x'}\n" for i, line in enumerate(lines))
    (place / "labels.csv").write_text(noted)
    assert at_terminal("clips", "-q") == "note: labels.csv is kept; the table is labels_2.csv\n"
    assert (place / "labels.csv").read_text() == noted


def test_labels_that_people_gave_are_kept(at_terminal: Terminal, place: Path) -> None:
    """A file called labels.csv that emotool has not written is not its to replace."""
    people = "path,label\nclips/a.wav,happy\n"
    (place / "labels.csv").write_text(people)
    assert "writing labels_2.csv" in at_terminal("clips")
    assert (place / "labels.csv").read_text() == people


@posix
def test_odd_names_reach_the_table_and_no_terminal(emotool: Emotool, place: Path) -> None:
    """Markup, escapes and formulas in names are text; undecodable bytes are escaped."""
    sound = (place / "clips" / "a.wav").read_bytes()
    names = [b"a[/b].wav", b"\x1b[31mred.wav", b"=1+1.wav", b"caf\xe9.wav", b"line\nbreak.wav"]
    for name in names:
        for path, content in ((name, sound), (b"bad" + name, b"no sound")):
            odd = place / "clips" / os.fsdecode(path)
            odd.parent.mkdir(exist_ok=True)
            odd.write_bytes(content)
    run = emotool("clips")
    assert run.returncode == 3
    assert len(table(run.stdout)) == 3 + 2 * len(names)
    assert "\x1b" not in run.stderr
    assert "Traceback" not in run.stderr


@posix
def test_reader_that_leaves_ends_the_run_quietly(
    place: Path, python: str, python_path: dict[str, str]
) -> None:
    """``emotool classify … | head -1`` says nothing about the pipe."""
    fill(place / "clips" / "more", 300)
    command = [python, "-m", "emotool", "classify", "clips", "--model", "tiny.onnx", "-q"]
    run = subprocess.Popen(
        command, cwd=place, env=python_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert run.stdout is not None and run.stderr is not None
    assert run.stdout.readline().startswith(b"path,")
    run.stdout.close()
    assert run.stderr.read() == b""
    assert run.wait(10) == 141
    run.stderr.close()


@linux
@pytest.mark.parametrize("target", ["/dev/full", "-"])
def test_full_device_is_an_error(emotool: Emotool, target: str) -> None:
    """What cannot be written is not taken for written."""
    with Path("/dev/full").open("wb") as full:
        run = emotool("clips", "-o", target, "--format", "csv", "-q", stdout=full)
    assert run.returncode == 1
    assert one_line(run.stderr, "No space left"), run.stderr


@linux
def test_folder_that_cannot_be_written_is_an_error(emotool: Emotool) -> None:
    """Not even root writes into /sys; it is known before any clip is read."""
    run = emotool("clips", "-o", "/sys/labels.csv")
    assert run.returncode == 1
    assert one_line(run.stderr, "cannot write /sys/labels.csv"), run.stderr


@posix
def test_removed_current_folder_is_no_trouble(emotool: Emotool, place: Path) -> None:
    """Absolute paths do not need the folder that a shell is still in."""
    (place / "left").mkdir()
    code = (
        "import os, sys; os.chdir('left'); os.rmdir(os.getcwd()); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    arguments = [str(place / "clips"), "-m", str(place / "tiny.onnx"), "-o", str(place / "r.csv")]
    run = subprocess.run(
        [sys.executable, "-c", code, sys.executable, "-m", "emotool", "classify", *arguments],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert len(table((place / "r.csv").read_text())) == 3


@linux
def test_disk_that_fills_up_leaves_the_old_table(
    place: Path, python: str, python_path: dict[str, str]
) -> None:
    """When there is no room for the table, the last one stays; with room, the run goes on."""
    fill(place / "clips" / "more", 600)
    (place / "r.csv").write_text("before")
    command = f"ulimit -f 60; exec {python} -m emotool classify clips -m tiny.onnx -o r.csv -q"
    full = subprocess.run(
        ["bash", "-c", command],
        cwd=place,
        env=python_path | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert full.returncode == 1
    assert one_line(full.stderr), full.stderr
    assert (place / "r.csv").read_text() == "before"
    again = command.replace("ulimit -f 60; ", "")
    subprocess.run(["bash", "-c", again], cwd=place, env=python_path, check=True)
    assert len(table((place / "r.csv").read_text())) == 610
    assert not [path for path in place.iterdir() if path.name.startswith(".")]
