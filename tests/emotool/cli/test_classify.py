"""``emotool classify`` as a user meets it: a real process, its streams, its exit code."""

import itertools
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.emotool.cli.classify_runs import Emotool, one_line, table
from tests.synthesis import vowel, write_clip


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


def test_doubts_reach_annotations(emotool: Emotool, place: Path) -> None:
    """A window that the table calls uncertain is no label in the track."""
    run = emotool("clips/a.wav", "-o", "-", "--min-confidence", "1", "--audacity", "lab")
    assert table(run.stdout)[0]["label"] == "uncertain"
    assert (place / "lab" / "clips" / "a.txt").read_text().endswith("\tuncertain\n")


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


def test_some_failed_is_exit_code_3(emotool: Emotool, place: Path) -> None:
    """A text file and a missing path among good clips are rows, and tables of failures."""
    (place / "clips" / "text.wav").write_text("no sound")
    run = emotool("clips", "gone.wav", "-o", "r.csv")
    assert run.returncode == 3
    rows = table((place / "r.csv").read_text())
    assert [row["status"] for row in rows] == ["ok", "ok", "ok", "failed", "failed"]
    failures = table((place / "r.failures.csv").read_text())
    assert [row["path"] for row in failures] == ["clips/text.wav", "gone.wav"]
    assert "r.failures.csv" in run.stderr


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


@pytest.mark.parametrize("option", ["--hop", "--timeout", "--min-confidence"])
@pytest.mark.parametrize("value", ["inf", "-inf", "1e999", "nan"])
def test_numbers_that_are_not_finite_are_wrong_options(
    emotool: Emotool, place: Path, option: str, value: str
) -> None:
    """The message names the option; no settings are saved."""
    run = emotool("clips", option, value, "--save-config", "my.toml")
    assert (run.returncode, run.stdout) == (2, "")
    assert one_line(run.stderr, option), run.stderr
    assert not (place / "my.toml").exists()


def test_help_names_every_exit_code(emotool: Emotool) -> None:
    """Scripts are written by what --help promises."""
    run = emotool("--help")
    for code in (0, 3, 1, 2, 130, 143):
        assert f" {code} " in run.stdout.replace("\n", " ")
    assert "--by-content" in run.stdout


def test_linear_algebra_beside_the_workers_has_one_thread(
    place: Path, python: str, python_path: dict[str, str]
) -> None:
    """A report's pictures are made in the main process; what the user has set stays."""
    code = (
        "import os, sys; from emotool.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "finally: print(os.environ['OPENBLAS_NUM_THREADS'], os.environ['OMP_NUM_THREADS'])"
    )
    command = [python, "-c", code, "classify", "clips", "-m", "tiny.onnx", "-o", "labels.csv"]
    environment = python_path | {"OMP_NUM_THREADS": "3"}
    environment.pop("OPENBLAS_NUM_THREADS", None)
    run = subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["1", "3"]
