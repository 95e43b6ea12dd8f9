"""CSV and TSV that every reader takes and no spreadsheet runs."""

import csv
import io
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotool.inputs.manifest import Manifest
from emotool.results.columns import Columns
from emotool.results.row import ClipResult
from emotool.text import harmless
from emotool.writers.base import Dialect, WriterOptions
from emotool.writers.registry import open_writer
from tests.emotool.hostile import NAMES, results

LABELS = ("a", "b")
TABLE = Columns(LABELS)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(path: Path, rows: list[ClipResult], *, raw: bool = False) -> str:
    """Write rows and return the file's text."""
    with open_writer(str(path), TABLE, options=WriterOptions(raw=raw)) as writer:
        for row in rows:
            writer.write(row)
    return path.read_bytes().decode("utf-8")


def parsed(text: str) -> list[list[str]]:
    """Read CSV as Python does, refusing what is malformed."""
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_file_is_as_documented(tmp_path: Path) -> None:
    """The exact bytes of a small file."""
    rows = [
        ClipResult(0, "a.wav", "ok", "cnn", "b", 0.75, (0.25, 0.75), 2.5, ("long",)),
        ClipResult(1, 'a, "b".wav', "failed", "cnn", stage="open", error="no such file"),
    ]
    assert write(tmp_path / "r.csv", rows) == (
        "path,status,label,confidence,p_a,p_b,duration_s,flags,model,error\n"
        "a.wav,ok,b,0.750000,0.250000,0.750000,2.500,long,cnn,\n"
        '"a, ""b"".wav",failed,,,,,,,cnn,open: no such file\n'
    )


def test_no_clips_are_a_header(tmp_path: Path) -> None:
    """A table without rows still says what its columns are."""
    assert parsed(write(tmp_path / "r.csv", [])) == [list(TABLE.names)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(results(), max_size=5))
def test_raw_rows_are_read_back_as_written(tmp_path: Path, rows: list[ClipResult]) -> None:
    """Any name survives the way through a file: separators, quotes, line breaks, anything."""
    text = write(tmp_path / "r.csv", rows, raw=True)
    assert parsed(text)[1:] == [TABLE.cells(row) for row in rows]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(results(), min_size=1, max_size=5))
def test_no_cell_begins_like_a_formula(tmp_path: Path, rows: list[ClipResult]) -> None:
    """A spreadsheet runs nothing, and taking the apostrophe away gives the name back."""
    for got, row in zip(parsed(write(tmp_path / "r.csv", rows))[1:], rows, strict=True):
        for cell, original in zip(got, TABLE.cells(row), strict=True):
            assert not cell.startswith(FORMULA)
            assert cell in (original, "'" + original)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=results())
def test_path_cannot_break_out_under_another_separator(tmp_path: Path, row: ClipResult) -> None:
    """Opened as semicolon- or tab-separated, the path is still one cell and no formula."""
    text = write(tmp_path / "r.csv", [row])
    for separator in ";\t":
        first = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))[1][0]
        assert first.startswith(harmless(TABLE.cells(row)[0]))


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_one_row_each(tmp_path: Path, name: str) -> None:
    """Names that have broken tables elsewhere are a row like any other here."""
    rows = [ClipResult(0, name, "silent", "cnn"), ClipResult(1, "next.wav", "silent", "cnn")]
    assert [row[1:3] for row in parsed(write(tmp_path / "r.csv", rows))[1:]] == [
        ["silent", ""],
        ["silent", ""],
    ]


def test_hostile_labels_are_harmless(tmp_path: Path) -> None:
    """A stranger's model can put a formula into its labels, but not into a table."""
    path = tmp_path / "r.csv"
    with open_writer(str(path), Columns(("=1+1", "a,b"))) as writer:
        writer.write(ClipResult(0, "a.wav", "ok", "cnn", "=1+1", 1.0, (1.0, 0.0)))
    header, row = parsed(path.read_text())
    assert header[4:6] == ["p_=1+1", "p_a,b"]
    assert row[2] == "'=1+1"


def test_rows_reach_a_pipe_at_once(python: str, python_path: dict[str, str]) -> None:
    """What is piped to another program can be worked on while the run goes on."""
    code = (
        "import os; from emotool.writers.registry import open_writer\n"
        "from emotool.results.columns import Columns\n"
        "from emotool.results.row import ClipResult\n"
        "writer = open_writer('-', Columns(('a', 'b')))\n"
        "writer.write(ClipResult(0, 'a.wav', 'silent')); os._exit(0)  # without any flushing\n"
    )
    done = subprocess.run([python, "-c", code], stdout=subprocess.PIPE, env=python_path, check=True)
    assert done.stdout.splitlines()[1] == b"a.wav,silent,,,,,,,,"


@pytest.mark.skipif(not Path("/dev/ptmx").exists(), reason="needs pseudo-terminals")
def test_terminal_gets_no_control_characters(python: str, python_path: dict[str, str]) -> None:
    """`-o -` on a terminal shows a name's escape sequences instead of sending them."""
    import os
    import pty

    code = (
        "from emotool.writers.registry import open_writer\n"
        "from emotool.results.columns import Columns\n"
        "from emotool.results.row import ClipResult\n"
        "with open_writer('-', Columns(('a', 'b'))) as writer:\n"
        "    writer.write(ClipResult(0, '\\x1b[31mred.wav', 'silent'))\n"
    )
    reader, terminal = pty.openpty()
    subprocess.run([python, "-c", code], stdout=terminal, env=python_path, check=True)
    os.close(terminal)
    shown = os.read(reader, 10_000)
    os.close(reader)
    assert b"\x1b" not in shown
    assert rb"\x1b[31mred.wav" in shown


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("decimal", [".", ","])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(rows=st.lists(results(), max_size=3))
def test_rows_are_read_back_in_every_dialect(
    tmp_path: Path, delimiter: str, decimal: str, rows: list[ClipResult]
) -> None:
    """Names with any sign in them, numbers with either mark."""
    if delimiter == decimal:
        return
    path = tmp_path / "r.csv"
    options = WriterOptions(raw=True, dialect=Dialect(delimiter, decimal))
    with open_writer(str(path), TABLE, options=options) as writer:
        for row in rows:
            writer.write(row)
    text = io.StringIO(path.read_bytes().decode(), newline="")
    found = list(csv.reader(text, delimiter=delimiter, strict=True))[1:]
    numbers = slice(3, 4 + len(LABELS) + 1)
    for line, row in zip(found, rows, strict=True):
        line[numbers] = [cell.replace(decimal, ".") for cell in line[numbers]]
        assert line == TABLE.cells(row)


def test_a_file_for_excel_is_as_documented(tmp_path: Path) -> None:
    """The exact bytes: mark, semicolons, numbers with a comma, which are not quoted."""
    row = ClipResult(0, "Bär.wav", "ok", "cnn", "b", 0.75, (0.25, 0.75), 2.5)
    options = WriterOptions(dialect=Dialect(decimal=",", byte_order_mark=True))
    for name, sign in (("r.csv", ";"), ("r.tsv", "\t")):
        with open_writer(str(tmp_path / name), TABLE, options=options) as writer:
            writer.write(row)
        header = "path,status,label,confidence,p_a,p_b,duration_s,flags,model,error"
        line = "Bär.wav;ok;b;0,750000;0,250000;0,750000;2,500;;cnn;"
        expected = header.replace(",", sign) + "\n" + line.replace(";", sign) + "\n"
        assert (tmp_path / name).read_bytes() == b"\xef\xbb\xbf" + expected.encode()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice (soffice)")
@pytest.mark.parametrize(("locale", "decimal"), [("de-DE", ","), ("en-US", ".")])
def test_libreoffice_reads_numbers_as_numbers(tmp_path: Path, locale: str, decimal: str) -> None:
    """In a German and an English locale, with the delimiter that goes with each."""
    row = ClipResult(0, "Bär.wav", "ok", "cnn", "b", 0.75, (0.25, 0.75), 2.5)
    dialect = Dialect(decimal=decimal, byte_order_mark=True)
    options = WriterOptions(dialect=dialect)
    with open_writer(str(tmp_path / "r.csv"), TABLE, options=options) as writer:
        writer.write(row)
    # Token 1: delimiter; 2: quote; 3: UTF-8; 4: first line; 6: language (LibreOffice's numbers).
    language = {"de-DE": 1031, "en-US": 1033}[locale]
    reading = f"CSV:{ord(dialect.separator)},34,76,1,,{language}"
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless"]
    command += [f"--infilter={reading}", "--convert-to", "xlsx", "r.csv"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=240)
    openpyxl = pytest.importorskip("openpyxl")
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx").active
    assert [cell.value for cell in sheet[2]][:7] == ["Bär.wav", "ok", "b", 0.75, 0.25, 0.75, 2.5]


def test_tsv_is_as_documented(tmp_path: Path) -> None:
    """The exact bytes of a small file."""
    rows = [
        ClipResult(0, "a.wav", "ok", "cnn", "b", 0.75, (0.25, 0.75), 2.5, ("long",)),
        ClipResult(1, "=a\tb.wav", "failed", "cnn", stage="open", error="no such file"),
    ]
    assert write(tmp_path / "r.tsv", rows) == (
        "path\tstatus\tlabel\tconfidence\tp_a\tp_b\tduration_s\tflags\tmodel\terror\n"
        "a.wav\tok\tb\t0.750000\t0.250000\t0.750000\t2.500\tlong\tcnn\t\n"
        '"\'=a\tb.wav"\tfailed\t\t\t\t\t\t\tcnn\topen: no such file\n'
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(results(), max_size=5))
def test_raw_rows_of_tsv_are_read_back_as_written(tmp_path: Path, rows: list[ClipResult]) -> None:
    """Any name survives the way through a file: tabs, quotes, line breaks, anything."""
    text = io.StringIO(write(tmp_path / "r.tsv", rows, raw=True), newline="")
    got = list(csv.reader(text, delimiter="\t", strict=True))
    assert got[1:] == [TABLE.cells(row) for row in rows]


@pytest.mark.parametrize("decimal", [".", ","])
def test_ranked_labels_come_after_the_other_columns(tmp_path: Path, decimal: str) -> None:
    """With the dialect's decimal mark."""
    labels = ("calm", "happy", "p_,x")
    table, dialect = Columns(labels, top=2), Dialect(decimal=decimal)
    path = tmp_path / "r.csv"
    with open_writer(str(path), table, options=WriterOptions(dialect=dialect)) as writer:
        writer.write(ClipResult(0, "a.wav", "ok", "cnn", "p_,x", 0.7, (0.1, 0.2, 0.7), 2.5))
        writer.write(ClipResult(1, "b.wav", "silent", "cnn"))
    lines = csv.reader(path.read_text().splitlines(), delimiter=dialect.separator)
    header, first, second = lines
    assert header == list(table.names)
    numbers = [cell.replace(".", decimal) for cell in ("0.700000", "0.200000")]
    assert first[-4:] == ["p_,x", numbers[0], "happy", numbers[1]]
    assert second[-4:] == [""] * 4


def test_a_formula_among_ranked_labels_is_harmless(tmp_path: Path) -> None:
    """An untrusted model cannot have its labels run by a spreadsheet."""
    path = tmp_path / "r.csv"
    with open_writer(str(path), Columns(("=1+1",), top=1)) as writer:
        writer.write(ClipResult(0, "a.wav", "ok", "cnn", "=1+1", 1.0, (1.0,)))
    assert path.read_text().splitlines()[1].endswith(",'=1+1,1.000000")


@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".tsv", "\t")])
def test_manifests_cells_are_escaped_but_for_numbers(
    tmp_path: Path, suffix: str, delimiter: str
) -> None:
    """What a spreadsheet would run gets an apostrophe, which a negative number does not."""
    rows = [("x.wav", "joy", "-0.3"), ("=1+1", "", "-1+1")]
    table = Columns(LABELS, manifest=Manifest("m.csv", ("file", "label", "valence"), rows, 0))
    for raw, last in ((False, ["'=1+1", "", "'-1+1"]), (True, ["=1+1", "", "-1+1"])):
        path = tmp_path / f"r{suffix}"
        with open_writer(str(path), table, options=WriterOptions(raw)) as writer:
            for index in range(2):
                writer.write(ClipResult(index, "x.wav", "silent", "cnn"))
        header, *found = csv.reader(path.read_text().splitlines(), delimiter=delimiter)
        assert header == [*TABLE.names, "file", "manifest_label", "valence"]
        assert [row[-3:] for row in found] == [["x.wav", "joy", "-0.3"], last]
