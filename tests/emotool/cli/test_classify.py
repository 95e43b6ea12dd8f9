"""``emotool classify`` as a user meets it: a real process, its streams, its exit code."""

import csv
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emotool.lock import beside
from tests.containers import KINDS, NEEDS_AV, encode
from tests.emotool.misbehaving import ROOT
from tests.emotool.tiny_models import write_tiny_model
from tests.synthesis import tone, vowel, write_clip

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
MANY = 1500
RUN = ["-m", "emotool", "classify", "crowd", "-m", "tiny.onnx", "-o", "r.csv"]

Emotool = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with three clips and a model, in which commands are run."""
    for index, name in enumerate(("a.wav", "b.flac", "sub/c.wav")):
        write_clip(tmp_path / "clips" / name, vowel(120, 0.6, amplitude=0.5 * 0.1**index))
    write_tiny_model(tmp_path / "tiny.onnx")
    return tmp_path


@pytest.fixture
def emotool(place: Path, python: str, python_path: dict[str, str]) -> Emotool:
    """Return a function that runs ``emotool classify`` with the tiny model."""

    def run(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        command = [python, "-m", "emotool", "classify", "--model", "tiny.onnx", *arguments]
        settings: dict[str, Any] = {"cwd": place, "env": python_path, "timeout": 60, "text": True}
        settings |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "check": False}
        return subprocess.run(command, **(settings | options))

    return run


def table(text: str) -> list[dict[str, str]]:
    """Read CSV."""
    return list(csv.DictReader(io.StringIO(text)))


def one_line(text: str, *words: str) -> bool:
    """Say whether a message is one error line, perhaps with a hint, and no traceback."""
    lines = text.splitlines()
    return (
        lines[0].startswith("error: ")
        and all(line.startswith("hint: ") for line in lines[1:])
        and all(word in text for word in words)
    )


def test_piped_output_is_data_only(emotool: Emotool) -> None:
    """Without -o, a pipe gets CSV on standard output, and people get theirs on standard error."""
    run = emotool("clips")
    assert run.returncode == 0
    rows = table(run.stdout)
    assert [row["path"] for row in rows] == ["clips/a.wav", "clips/b.flac", "clips/sub/c.wav"]
    assert {row["status"] for row in rows} == {"ok"}
    assert {row["model"] for row in rows} == {"tiny"}
    assert "3 clips" in run.stderr


def test_windows_are_rows_of_their_own(emotool: Emotool, place: Path) -> None:
    """In every table; overlapping with --hop, joined with --merge; a failed clip has its row."""
    write_clip(place / "long.wav", vowel(120, 5.0))
    (place / "bad.wav").write_bytes(b"RIFF")
    outputs = [
        part for name in ("r.csv", "r.jsonl", "r.parquet", "r.xlsx") for part in ("-o", name)
    ]
    run = emotool("long.wav", "bad.wav", *outputs, "--segments", "--hop", "0.25", "--quiet")
    assert run.returncode == 3
    bad, *rows = table((place / "r.csv").read_text())
    assert (bad["status"], bad["start_s"], bad["end_s"]) == ("failed", "", "")
    starts = [float(row["start_s"]) for row in rows]
    assert len(rows) > 5
    assert [b - a for a, b in itertools.pairwise(starts)] == pytest.approx([0.25] * (len(rows) - 1))
    lines = [json.loads(line) for line in (place / "r.jsonl").read_text().splitlines()]
    assert [line["start_s"] for line in lines[1:]] == starts
    read = pytest.importorskip("pyarrow.parquet").read_table(place / "r.parquet").to_pylist()
    assert [row["start_s"] for row in read[1:]] == starts
    emotool("long.wav", "-o", "m.csv", "--segments", "--merge", "--quiet", "--audacity", "tracks")
    (joined,) = table((place / "m.csv").read_text())
    track = (place / "tracks" / "long.txt").read_text().split("\t")
    assert track[:2] == [joined["start_s"], joined["end_s"]]


def test_embeddings_go_to_a_file_of_their_own(emotool: Emotool, place: Path) -> None:
    """Beside a table on standard output too; a suffix that is no format is a wrong option."""
    run = emotool("clips", "-o", "-", "--embeddings", "e.npz")
    assert run.returncode == 0, run.stderr
    with np.load(place / "e.npz", allow_pickle=False) as arrays:
        assert arrays["path"].tolist() == [row["path"] for row in table(run.stdout)]
        assert arrays["embedding"].shape == (3, 16)
    assert sorted(path.name for path in place.iterdir()) == ["clips", "e.npz", "tiny.onnx"]
    assert emotool("clips", "-o", "r.csv", "--embeddings", "e.parquet").returncode == 0
    assert emotool("clips", "-o", "r.csv", "--embeddings", "-").returncode == 2
    refused = emotool("clips", "-o", "r.csv", "--embeddings", "e.csv")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "cannot write embeddings to e.csv" in " ".join(refused.stderr.split())


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
    assert made == {Path("r.csv"), Path("r.html"), Path("failures.csv")}
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
        run = emotool("--manifest", "failures.csv", "-o", "again.csv")
        assert run.returncode == code
        assert (place / "failures.csv").read_text() == failures + clip


def test_doubts_reach_annotations(emotool: Emotool, place: Path) -> None:
    """A window that the table calls uncertain is no label in the track."""
    run = emotool("clips/a.wav", "-o", "-", "--min-confidence", "1", "--audacity", "lab")
    assert table(run.stdout)[0]["label"] == "uncertain"
    assert (place / "lab" / "clips" / "a.txt").read_text().endswith("\tuncertain\n")


def test_a_manifest_comes_instead_of_paths(emotool: Emotool, place: Path) -> None:
    """Both, or a column of none, are wrong options; a wrong column is told with those there are."""
    (place / "list.csv").write_text("file\nclips/a.wav\n")
    run = emotool("clips", "--manifest", "list.csv", "--column", "file", "-o", "-")
    assert (run.returncode, "instead of paths" in run.stderr) == (2, True)
    assert emotool("clips", "--column", "file", "-o", "-").returncode == 2
    run = emotool("--manifest", "list.csv", "-o", "-")
    assert run.returncode == 1
    assert "--column takes one of: file" in run.stderr


def test_clips_below_the_confidence_asked_for_are_uncertain(emotool: Emotool, place: Path) -> None:
    """In every format; their probabilities stay, and the summary counts them."""
    plain = table(emotool("clips", "-o", "-", "--quiet").stdout)
    bound = sorted(float(row["confidence"]) for row in plain)[1]
    outputs = [part for name in ("r.csv", "r.json", "r.xlsx") for part in ("-o", name)]
    run = emotool("clips", *outputs, "--min-confidence", str(bound + 1e-6))
    assert run.returncode == 0
    for row, before in zip(table((place / "r.csv").read_text()), plain, strict=True):
        sure = float(before["confidence"]) > bound + 1e-6
        assert row == before | {"label": before["label"] if sure else "uncertain"}
    clips = json.loads((place / "r.json").read_text())["clips"]
    assert sum(clip["label"] == "uncertain" for clip in clips) >= 1
    assert "uncertain" in run.stderr
    sheet = pytest.importorskip("openpyxl").load_workbook(place / "r.xlsx")["Summary"]
    counted = {row[0].value: row[1].value for row in sheet.iter_rows(max_row=4)}
    assert counted["uncertain"] == sum(clip["label"] == "uncertain" for clip in clips)


def test_the_most_probable_labels_have_columns(emotool: Emotool) -> None:
    """Behind the other columns; `uncertain` hides the label, not what was most probable."""
    plain = table(emotool("clips", "-o", "-", "--quiet").stdout)
    run = emotool("clips", "-o", "-", "--quiet", "--top", "2", "--min-confidence", "1")
    for row, before in zip(table(run.stdout), plain, strict=True):
        assert [*row][-4:] == ["top_1", "top_1_p", "top_2", "top_2_p"]
        assert (row["top_1"], row["top_1_p"]) == (before["label"], before["confidence"])
    assert emotool("clips", "--top", "-1").returncode == 2


def test_a_confidence_that_cannot_be_is_a_wrong_option(emotool: Emotool) -> None:
    """Probabilities are 0 to 1."""
    assert emotool("clips", "--min-confidence", "70").returncode == 2


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
    assert one_line(run.stderr, "cannot both part cells and stand in numbers")


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
    """Without -o nobody's terminal is flooded: the table goes to labels.csv, said so."""
    import pty

    ours, theirs = pty.openpty()
    command = [python, "-m", "emotool", "classify", "clips", "--model", "tiny.onnx"]
    run = subprocess.run(
        command, cwd=place, env=python_path, stdout=theirs, stderr=subprocess.PIPE, check=False
    )
    os.close(theirs)
    os.close(ours)
    assert run.returncode == 0
    assert b"the table goes to labels.csv" in run.stderr
    assert len(table((place / "labels.csv").read_text())) == 3


def test_some_failed_is_exit_code_3(emotool: Emotool, place: Path) -> None:
    """A text file and a missing path among good clips are rows, and tables of failures."""
    (place / "clips" / "text.wav").write_text("no sound")
    run = emotool("clips", "gone.wav", "-o", "r.csv")
    assert run.returncode == 3
    rows = table((place / "r.csv").read_text())
    assert [row["status"] for row in rows] == ["ok", "ok", "ok", "failed", "failed"]
    failures = table((place / "failures.csv").read_text())
    assert [row["path"] for row in failures] == ["clips/text.wav", "gone.wav"]
    assert "failures.csv" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gone"], ["gone"]),
        (["empty"], ["no audio files"]),
        (["clips", "--model", "nobody"], ["nobody"]),
        (["clips", "-o", "gone/r.csv"], ["gone/r.csv"]),
        (["clips", "-o", "clips"], ["clips"]),
        (["clips", "--device", "cuda"], ["cuda"]),
        (["clips", "clips/text.wav", "--fail-fast", "-o", "r.csv"], ["text.wav"]),
    ],
)
def test_unusable_is_exit_code_1_and_one_line(
    emotool: Emotool, place: Path, arguments: list[str], words: list[str]
) -> None:
    """What cannot be done is told in a line and leaves nothing half-written."""
    (place / "empty").mkdir()
    (place / "clips" / "text.wav").write_text("no sound")
    if arguments == ["clips", "-o", "clips"]:
        arguments = [*arguments, "--format", "csv"]
    run = emotool(*arguments)
    assert (run.returncode, run.stdout) == (1, "")
    assert one_line(run.stderr, *words), run.stderr
    assert not (place / "r.csv").exists()


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


def test_all_failed_is_exit_code_1(emotool: Emotool, place: Path) -> None:
    """The rows are there all the same."""
    (place / "text.wav").write_text("no sound")
    run = emotool("text.wav")
    assert run.returncode == 1
    assert [row["status"] for row in table(run.stdout)] == ["failed"]
    assert run.stderr.splitlines()[-1] == "error: text.wav: open: a text file, not audio"


@pytest.mark.parametrize(
    ("arguments", "code", "verdict"),
    [
        (["clips"], 0, ""),
        (["t[/b].wav"], 1, "error: t[/b].wav: open: a text file, not audio\n"),
        (["t[/b].wav", "gone"], 1, "error: all 2 clips failed, the first gone: open: "),
        (["clips", "gone"], 3, "error: 1 of 4 clips failed: gone: open: no such file"),
    ],
)
def test_quiet_runs_still_tell_of_failures(
    emotool: Emotool, place: Path, arguments: list[str], code: int, verdict: str
) -> None:
    """--quiet leaves out what went well, and nothing else: one line says what failed first."""
    (place / "t[").mkdir()
    (place / "t[/b].wav").write_text("no sound")
    run = emotool(*arguments, "-o", "r.csv", "-q")
    assert (run.returncode, run.stdout) == (code, "")
    assert run.stderr.startswith(verdict)
    assert len(run.stderr.splitlines()) == bool(verdict)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["clips", "--no-such-option"],
        ["clips", "--workers", "-1"],
        ["clips", "--batch-size", "0"],
        ["clips", "--timeout", "0"],
        ["clips", "--max-errors", "-1"],
        ["clips", "--device", "tpu"],
        ["clips", "--format", "doc"],
        ["clips", "-o", "labels.doc"],
        ["clips", "-o", "r.csv", "-o", "r.csv"],
        ["clips", "--fail-fast", "--max-errors", "3"],
    ],
)
def test_bad_options_are_exit_code_2(emotool: Emotool, arguments: list[str]) -> None:
    """Only what is wrong with the options themselves is a usage error."""
    run = emotool(*arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert one_line(run.stderr), run.stderr
    assert "Value error" not in run.stderr  # typer's way to begin what a user is to read


def test_help_names_every_exit_code(emotool: Emotool) -> None:
    """Scripts are written by what --help promises."""
    run = emotool("--help")
    for code in ("0:", "3:", "1:", "2:", "130:", "143:"):
        assert code in run.stdout
    assert "--by-content" in run.stdout


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


def fill(folder: Path, count: int) -> None:
    """Add many clips, hard links of a few."""
    sources = [
        write_clip(folder / "sources" / f"{index}.wav", tone(200 + 50 * index, 0.6))
        for index in range(7)
    ]
    (folder / "many").mkdir(parents=True)
    for index in range(count):
        (folder / "many" / f"{index:05}.wav").hardlink_to(sources[index % 7])


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of many clips."""
    folder = tmp_path_factory.mktemp("crowd")
    fill(folder, MANY)
    return folder


@pytest.fixture(scope="module")
def undisturbed(
    crowd: Path,
    tmp_path_factory: pytest.TempPathFactory,
    python: str,
    python_path: dict[str, str],
) -> bytes:
    """Return the bytes of a run over the crowd that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_tiny_model(folder / "tiny.onnx")
    (folder / "crowd").symlink_to(crowd)
    subprocess.run([python, *RUN, "-q"], cwd=folder, env=python_path, check=True)
    return (folder / "r.csv").read_bytes()


@pytest.fixture
def long_run(
    place: Path, crowd: Path, python: str, python_path: dict[str, str]
) -> Iterator["subprocess.Popen[str]"]:
    """Start a run over the crowd, wait until some are done, and see that all of it ends."""
    (place / "crowd").symlink_to(crowd)
    run = subprocess.Popen(
        [python, *RUN],
        cwd=place,
        env=python_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    journal = beside(place / "r.csv", "journal-wal")
    until(lambda: journal.exists() and journal.stat().st_size > 50_000)
    assert run.poll() is None, "the run was over too soon: make MANY larger"
    yield run
    run.communicate()
    until(lambda: not group_exists(run.pid))


def until(condition: Callable[[], bool]) -> None:
    """Wait for something, a minute at most."""
    limit = time.monotonic() + 60  # on a machine with other things to do
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)


def group_exists(number: int) -> bool:
    """Say whether any process of a group is alive."""
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return True


@posix
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)],
    ids=["Ctrl-C", "SIGTERM", "kill -9"],
)
@pytest.mark.parametrize("whole_group", [False, True], ids=["parent", "group"])
def test_run_ended_by_a_signal_goes_on_to_the_same_bytes(
    long_run: "subprocess.Popen[str]",
    emotool: Emotool,
    place: Path,
    undisturbed: bytes,
    number: signal.Signals,
    code: int,
    whole_group: bool,
) -> None:
    """Within two seconds it is over, with its code; what is done is kept; nothing is done twice."""
    began = time.monotonic()
    if whole_group:
        os.killpg(long_run.pid, number)
    else:
        long_run.send_signal(number)
    _, messages = long_run.communicate(timeout=10)
    assert time.monotonic() - began < 2
    assert long_run.returncode == code
    assert "Traceback" not in messages
    assert not (place / "r.csv").exists()
    until(lambda: not group_exists(long_run.pid))
    run = emotool("crowd", "-o", "r.csv")
    assert run.returncode == 0
    assert "taken from the interrupted run" in run.stderr
    assert (place / "r.csv").read_bytes() == undisturbed
    assert not [path.name for path in place.iterdir() if path.name.startswith(".")]


@posix
def test_second_run_on_the_same_output_is_refused(
    long_run: "subprocess.Popen[str]", emotool: Emotool
) -> None:
    """The one that came first is not disturbed; the other says who is in its way."""
    os.killpg(long_run.pid, signal.SIGSTOP)  # so that it is not done before the other comes
    second = emotool("crowd", "-o", "r.csv")
    os.killpg(long_run.pid, signal.SIGCONT)
    assert second.returncode == 1
    assert one_line(second.stderr, f"process {long_run.pid}", "r.csv")
    long_run.communicate()
    assert long_run.returncode == 0


@linux
def test_killed_workers_cost_nothing(
    long_run: "subprocess.Popen[str]", place: Path, undisturbed: bytes
) -> None:
    """``kill -9`` of every worker: others take over, and no row shows it."""
    children = Path(f"/proc/{long_run.pid}/task/{long_run.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    long_run.communicate(timeout=60)
    assert long_run.returncode == 0
    assert (place / "r.csv").read_bytes() == undisturbed


@linux
def test_frozen_worker_is_given_up_after_the_timeout(
    place: Path, crowd: Path, python: str, python_path: dict[str, str]
) -> None:
    """A worker that does nothing more at all costs one row after --timeout seconds."""
    (place / "crowd").symlink_to(crowd)
    run = subprocess.Popen(
        [python, *RUN, "--timeout", "0.5", "-q"],
        cwd=place,
        env=python_path,
    )
    until(beside(place / "r.csv", "journal-wal").exists)
    (child, *_) = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    os.kill(int(child), signal.SIGSTOP)
    assert run.wait(30) == 3
    rows = table((place / "r.csv").read_text())
    assert len(rows) == MANY + 7
    assert [row["error"] for row in rows if row["status"] != "ok"] == [
        "timeout: no result after 0.5 s"
    ]
