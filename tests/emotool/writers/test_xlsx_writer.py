"""A spreadsheet that opens ready to use, and runs nothing."""

import csv
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotool.errors import OutputError
from emotool.inputs.manifest import Manifest
from emotool.results.columns import Columns
from emotool.results.row import ClipResult
from emotool.writers import xlsx_writer as xlsx_table
from emotool.writers.base import WriterOptions
from emotool.writers.registry import open_writer
from tests.emotool.hostile import NAMES, results

LABELS = ("a", "b")
TABLE = Columns(LABELS)
ROWS = [
    ClipResult(0, "a.wav", "ok", "cnn", "b", 0.75, (0.25, 0.75), 2.5, ("clipped", "long")),
    ClipResult(1, "=1+1", "failed", "cnn", stage="open", error="no such file"),
]


def write(path: Path, rows: list[ClipResult], *, raw: bool = False) -> Any:
    """Write rows and return the workbook as openpyxl reads it."""
    with open_writer(str(path), TABLE, {"model": "cnn"}, WriterOptions(raw=raw)) as writer:
        for row in rows:
            writer.write(row)
    return openpyxl.load_workbook(path)


def test_content_is_as_documented(tmp_path: Path) -> None:
    """The cells of both sheets."""
    book = write(tmp_path / "r.xlsx", ROWS)
    assert book.sheetnames == ["Labels", "Summary"]
    assert list(book["Labels"].values) == [
        TABLE.names,
        ("a.wav", "ok", "b", 0.75, 0.25, 0.75, 2.5, "clipped;long", "cnn", None),
        ("=1+1", "failed", None, None, None, None, None, None, "cnn", "open: no such file"),
    ]
    assert [row[:4] for row in book["Summary"].values] == [
        ("label", "clips", "share", "mean confidence"),
        ("a", 0, None, None),
        ("b", 1, 1, 0.75),
        (None, None, None, None),
        ("status", "clips", None, None),
        ("ok", 1, None, None),
        ("silent", 0, None, None),
        ("too_short", 0, None, None),
        ("failed", 1, None, None),
        (None, None, None, None),
        ("flag", "clips", None, None),
        ("clipped", 1, None, None),
        ("long", 1, None, None),
        (None, None, None, None),
        ("schema", "emotool.results/1", None, None),
        ("model", "cnn", None, None),
    ]


def test_summary_counts_windows_by_label_and_clips_by_status(tmp_path: Path) -> None:
    """A long clip is one clip, however many rows its windows have."""
    rows = [replace(ROWS[0], span=(start, start + 3.0)) for start in (0.0, 3.0, 6.0)]
    with open_writer(str(tmp_path / "r.xlsx"), Columns(LABELS, segments=True)) as writer:
        for row in (*rows, ROWS[1]):
            writer.write(row)
    summary = openpyxl.load_workbook(tmp_path / "r.xlsx")["Summary"]
    counts = {row[0]: row[1] for row in summary.values}
    assert (counts["label"], counts["b"]) == ("windows", 3)
    assert (counts["status"], counts["ok"], counts["failed"]) == ("clips", 1, 1)
    assert (counts["clipped"], counts["long"]) == (1, 1)


def test_sheet_is_ready_to_use(tmp_path: Path) -> None:
    """The header stays, every column filters, shares are percentages, confidence has colours."""
    book = write(tmp_path / "r.xlsx", ROWS)
    sheet = book["Labels"]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == "A1:J3"
    assert sheet["D2"].number_format == sheet["E2"].number_format == "0.0%"
    assert sheet["G2"].number_format == "0.00"
    (rules,) = sheet.conditional_formatting
    assert (str(rules.sqref), rules.rules[0].type) == ("D2:D3", "colorScale")
    assert len(book["Summary"]._charts) == 1


@pytest.mark.parametrize("raw", [False, True])
def test_names_are_text_and_no_formulas(tmp_path: Path, raw: bool) -> None:
    """Every hostile name is a string cell, with --raw as well: nothing is run or linked."""
    rows = [ClipResult(i, name, "silent", "cnn") for i, name in enumerate(NAMES)]
    sheet = write(tmp_path / "r.xlsx", rows, raw=raw)["Labels"]
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert len(cells) == len(NAMES)
    assert all(cell.hyperlink is None and cell.data_type in "si" for cell in cells)
    assert all("\x1b" not in str(cell.value) for cell in cells)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(rows=st.lists(results(), max_size=5))
def test_any_row_can_be_written(tmp_path: Path, rows: list[ClipResult]) -> None:
    """Whatever a file is called, the workbook opens and has a row for it."""
    sheet = write(tmp_path / "r.xlsx", rows)["Labels"]
    assert [cell.value for cell in sheet["B"]][1:] == [row.status for row in rows]


def test_same_rows_are_the_same_bytes_at_another_time(tmp_path: Path) -> None:
    """Creation dates are fixed, and what differs between runs is left out."""
    contents = set()
    for name, seconds in (("r", 1.0), ("s", 2.0)):
        facts = {"model": "cnn", "seconds": seconds, "started": f"{seconds}"}
        with open_writer(str(tmp_path / f"{name}.xlsx"), TABLE, facts) as writer:
            for row in ROWS:
                writer.write(row)
        contents.add((tmp_path / f"{name}.xlsx").read_bytes())
    assert len(contents) == 1


def test_too_many_clips_are_told_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row is lost without a word to the limit of a sheet."""
    monkeypatch.setattr(xlsx_table, "MAX_CLIPS", 2)
    sources: Any = SimpleNamespace(clips=[None] * 3)
    with pytest.raises(OutputError, match="no more than 2 rows"):
        open_writer(str(tmp_path / "r.xlsx"), TABLE, options=WriterOptions(sources=sources))
    with pytest.raises(OutputError, match="no more than 2 rows"):
        write(tmp_path / "r.xlsx", [*ROWS, ROWS[0]])
    assert list(tmp_path.iterdir()) == []


def test_temporary_files_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a finished nor a given-up workbook leaves anything behind."""
    (tmp_path / "t").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    write(tmp_path / "r.xlsx", ROWS)
    open_writer(str(tmp_path / "s.xlsx"), TABLE).discard()
    assert list((tmp_path / "t").iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice (soffice)")
def test_libreoffice_opens_it(tmp_path: Path) -> None:
    """LibreOffice reads the rows, and shows the name of a formula instead of its result."""
    write(tmp_path / "r.xlsx", ROWS)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    shown = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true"  # cells as they are shown
    command = ["soffice", profile, "--headless", "--convert-to", shown, "r.xlsx"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=180)
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.reader(handle))
    assert rows[1][:5] == ["a.wav", "ok", "b", "75.0%", "25.0%"]
    assert rows[2][0] == "=1+1"


def test_ranked_labels_are_shown_as_shares(tmp_path: Path) -> None:
    """As percentages, with filters, as the other probabilities."""
    with open_writer(str(tmp_path / "r.xlsx"), Columns(LABELS, top=2)) as writer:
        for row in ROWS:
            writer.write(row)
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx")["Labels"]
    assert [cell.value for cell in sheet[1]][-4:] == ["top_1", "top_1_p", "top_2", "top_2_p"]
    assert [cell.value for cell in sheet[2]][-4:] == ["b", 0.75, "a", 0.25]
    assert [cell.number_format for cell in sheet[2]][-4:] == ["General", "0.0%", "General", "0.0%"]
    assert sheet.auto_filter.ref == "A1:N3"


def test_manifests_cells_are_text(tmp_path: Path) -> None:
    """No cell is a formula."""
    cells = [("x.wav", "joy", "-0.3"), ("=1+1", "", "-1+1")]
    manifest = Manifest("m.csv", ("file", "label", "valence"), cells, 0)
    with open_writer(str(tmp_path / "r.xlsx"), Columns(LABELS, manifest=manifest)) as writer:
        for row in ROWS:
            writer.write(row)
    rows = list(openpyxl.load_workbook(tmp_path / "r.xlsx")["Labels"].iter_rows())
    assert [cell.value for cell in rows[0]] == [*TABLE.names, "file", "manifest_label", "valence"]
    assert [cell.value for cell in rows[2]][-3:] == ["=1+1", None, "-1+1"]
    assert {cell.data_type for cell in rows[2]} <= {"s", "n"}
