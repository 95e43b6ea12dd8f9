"""A manifest's own columns are in every format, and are never taken for the results'."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool.results.columns import Kept
from emotool.results.row import ClipResult, columns
from emotool.writers.base import WriterOptions
from emotool.writers.registry import open_writer

LABELS = ("a", "b")
KEPT = Kept(("file", "label", "valence"), [("x.wav", "joy", "-0.3"), ("=1+1", "", "-1+1")])
ROWS = [ClipResult(0, "d/x.wav", "silent", "cnn"), ClipResult(1, "d/y.wav", "silent", "cnn")]
NAMES = ["file", "manifest_label", "valence"]


def write(path: Path, **options: bool) -> Path:
    """Write rows with a manifest's columns and return the file's path."""
    with open_writer(str(path), LABELS, options=WriterOptions(kept=KEPT, **options)) as writer:
        for row in ROWS:
            writer.write(row)
    return path


@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".tsv", "\t")])
def test_text_tables_have_them_at_the_end(tmp_path: Path, suffix: str, delimiter: str) -> None:
    """What a spreadsheet would run is neutralised, which a negative number is not."""
    text = write(tmp_path / f"r{suffix}").read_text()
    header, *rows = csv.reader(text.splitlines(), delimiter=delimiter)
    assert header == [*columns(LABELS), *NAMES]
    assert [row[-3:] for row in rows] == [["x.wav", "joy", "-0.3"], ["'=1+1", "", "'-1+1"]]
    text = write(tmp_path / f"raw{suffix}", raw=True).read_text()
    assert list(csv.reader(text.splitlines(), delimiter=delimiter))[2][-3:] == [*KEPT.rows[1]]


def test_json_has_them_in_an_object_of_their_own(tmp_path: Path) -> None:
    """Under their own names, since nothing can collide there."""
    wanted = [{"file": "x.wav", "label": "joy", "valence": "-0.3"}]
    wanted += [{"file": "=1+1", "label": "", "valence": "-1+1"}]
    document = json.loads(write(tmp_path / "r.json").read_text())
    assert [clip["manifest"] for clip in document["clips"]] == wanted
    lines = write(tmp_path / "r.jsonl").read_text().splitlines()
    assert [json.loads(line)["manifest"] for line in lines] == wanted


def test_parquet_has_them_as_text(tmp_path: Path) -> None:
    """Empty cells are absent values there, as all others."""
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(write(tmp_path / "r.parquet"))
    assert table.column_names == [*columns(LABELS), *NAMES]
    assert table.column("manifest_label").to_pylist() == ["joy", None]
    assert table.column("valence").to_pylist() == ["-0.3", "-1+1"]


def test_spreadsheet_has_them_as_text(tmp_path: Path) -> None:
    """No cell is a formula."""
    openpyxl = pytest.importorskip("openpyxl")
    rows = list(openpyxl.load_workbook(write(tmp_path / "r.xlsx"))["Labels"].iter_rows())
    assert [cell.value for cell in rows[0]] == [*columns(LABELS), *NAMES]
    assert [cell.value for cell in rows[2]][-3:] == ["=1+1", None, "-1+1"]
    assert {cell.data_type for cell in rows[2]} <= {"s", "n"}


def test_report_has_them_in_its_data(tmp_path: Path) -> None:
    """Names once, cells per row, markup escaped as everywhere."""
    page = write(tmp_path / "r.html").read_text()
    assert '"kept":["file","label","valence"]' in page
    assert '["x.wav","joy","-0.3"]' in page


@given(names=st.lists(st.sampled_from([*columns(LABELS), "x", "manifest_path"]), unique=True))
def test_column_names_are_distinct(names: list[str]) -> None:
    """Whatever a manifest calls its columns, also what we would call them."""
    found = Kept(names).columns(columns(LABELS))
    assert len({*columns(LABELS), *found}) == len(columns(LABELS)) + len(names)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".xlsx"])
def test_they_come_after_the_ranked_labels(tmp_path: Path, suffix: str) -> None:
    """And a column that is called like one of those gives way to it."""
    kept = Kept(("top_1", "x_p"), [("?", "1")])
    row = ClipResult(0, "x.wav", "ok", "cnn", "b", 0.75, (0.25, 0.75), 2.5)
    path = tmp_path / f"r{suffix}"
    with open_writer(str(path), LABELS, options=WriterOptions(top=1, kept=kept)) as writer:
        writer.write(row)
    pandas = pytest.importorskip("pandas")
    readers = {".tsv": lambda file: pandas.read_csv(file, sep="\t"), ".xlsx": pandas.read_excel}
    readers |= {".csv": pandas.read_csv, ".parquet": pandas.read_parquet}
    found = readers[suffix](path).iloc[0, -4:]
    assert list(found.index) == ["top_1", "top_1_p", "manifest_top_1", "x_p"]
    assert [str(value) for value in found] == ["b", "0.75", "?", "1"]
