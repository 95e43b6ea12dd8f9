"""The most probable labels in columns of their own, the same in every format."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given

from emotool.results.columns import TopLabels
from emotool.results.row import ClipResult, columns
from emotool.writers.base import Dialect, WriterOptions
from emotool.writers.registry import open_writer
from tests.emotool.hostile import results

LABELS = ("calm", "happy", "p_,x")
ROWS = [
    ClipResult(0, "a.wav", "ok", "cnn", "p_,x", 0.7, (0.1, 0.2, 0.7), 2.5),
    ClipResult(1, "b.wav", "silent", "cnn"),
]


def write(path: Path, options: WriterOptions) -> Path:
    """Write the rows and return the file's path."""
    with open_writer(str(path), LABELS, options=options) as writer:
        for row in ROWS:
            writer.write(row)
    return path


@given(result=results(n_labels=3, labels=("a", "b", "c")))
def test_labels_are_ranked(result: ClipResult) -> None:
    """The first is the row's label with its confidence, and none is more likely than the last."""
    for wanted in range(5):
        top = TopLabels(("a", "b", "c"), wanted)
        ranked = top.ranked(result)
        assert len(top.columns) == len(top.values(result)) == 2 * min(wanted, 3)
        assert len(ranked) == (min(wanted, 3) if result.status == "ok" else 0)
        if ranked:
            assert ranked[0] == (result.label, round(result.confidence or 0, 6))
            shares = [share for _, share in ranked]
            assert shares == sorted(shares, reverse=True)
            better = [p for p in result.probabilities if round(p, 6) > shares[-1]]
            assert len(better) < len(ranked)


def test_a_model_with_fewer_labels_gives_all_it_has() -> None:
    """No columns that could never be filled."""
    assert TopLabels(("a", "b"), 5).columns == ("top_1", "top_1_p", "top_2", "top_2_p")


def test_equally_probable_labels_keep_the_models_order() -> None:
    """As `label` takes the first of them."""
    row = ClipResult(0, "a.wav", "ok", "cnn", "a", 0.4, (0.4, 0.2, 0.4))
    assert TopLabels(("a", "b", "c"), 3).ranked(row) == [("a", 0.4), ("c", 0.4), ("b", 0.2)]


@pytest.mark.parametrize("decimal", [".", ","])
def test_csv_has_them_behind_its_other_columns(tmp_path: Path, decimal: str) -> None:
    """With the dialect's decimal mark; columns that were there keep their places."""
    options = WriterOptions(dialect=Dialect(decimal=decimal), top=2)
    text = write(tmp_path / "r.csv", options).read_text()
    header, first, second = csv.reader(text.splitlines(), delimiter=options.dialect.separator)
    assert header == [*columns(LABELS), "top_1", "top_1_p", "top_2", "top_2_p"]
    numbers = [cell.replace(".", decimal) for cell in ("0.700000", "0.200000")]
    assert first[-4:] == ["p_,x", numbers[0], "happy", numbers[1]]
    assert second[-4:] == [""] * 4


def test_a_formula_among_them_is_harmless(tmp_path: Path) -> None:
    """A stranger's model cannot have its labels run by a spreadsheet."""
    path = tmp_path / "r.csv"
    with open_writer(str(path), ("=1+1",), options=WriterOptions(top=1)) as writer:
        writer.write(ClipResult(0, "a.wav", "ok", "cnn", "=1+1", 1.0, (1.0,)))
    assert path.read_text().splitlines()[1].endswith(",'=1+1,1.000000")


def test_json_has_a_list(tmp_path: Path) -> None:
    """In both its formats; without the option there is no such key."""
    expected = [{"label": "p_,x", "probability": 0.7}, {"label": "happy", "probability": 0.2}]
    clips = json.loads(write(tmp_path / "r.json", WriterOptions(top=2)).read_text())["clips"]
    lines = write(tmp_path / "r.jsonl", WriterOptions(top=2)).read_text().splitlines()
    for found in (clips, [json.loads(line) for line in lines]):
        assert [clip["top"] for clip in found] == [expected, None]
    plain = json.loads(write(tmp_path / "r.json", WriterOptions()).read_text())["clips"]
    assert not any("top" in clip for clip in plain)


def test_parquet_has_typed_columns(tmp_path: Path) -> None:
    """Labels are strings, probabilities float64."""
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(write(tmp_path / "r.parquet", WriterOptions(top=2)))
    types = [(field.name, str(field.type)) for field in table.schema][-4:]
    assert types == [
        *(("top_1", "string"), ("top_1_p", "double"), ("top_2", "string"), ("top_2_p", "double"))
    ]
    assert [list(row.values())[-4:] for row in table.to_pylist()] == [
        ["p_,x", 0.7, "happy", 0.2],
        [None] * 4,
    ]


def test_a_spreadsheet_shows_shares(tmp_path: Path) -> None:
    """As percentages, with filters, as the other probabilities."""
    openpyxl = pytest.importorskip("openpyxl")
    sheet = openpyxl.load_workbook(write(tmp_path / "r.xlsx", WriterOptions(top=2)))["Labels"]
    assert [cell.value for cell in sheet[1]][-4:] == ["top_1", "top_1_p", "top_2", "top_2_p"]
    assert [cell.value for cell in sheet[2]][-4:] == ["p_,x", 0.7, "happy", 0.2]
    assert [cell.number_format for cell in sheet[2]][-4:] == ["General", "0.0%", "General", "0.0%"]
    assert sheet.auto_filter.ref == "A1:O3"
