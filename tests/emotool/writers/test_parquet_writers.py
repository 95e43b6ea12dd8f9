"""Parquet: typed, streamed in groups, and read by everything that reads Parquet."""

from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from emotool.results.columns import values
from emotool.results.row import SCHEMA, ClipResult, columns
from emotool.writers import parquet_writers as parquet_table
from emotool.writers.registry import open_writer
from tests.emotool.hostile import results

LABELS = ("a", "b")
ROWS = [
    ClipResult(0, "a.wav", "ok", "cnn", "b", 0.75, (0.25, 0.75), 2.5, ("clipped", "long")),
    ClipResult(1, "=b.wav", "failed", "cnn", stage="open", error="no such file"),
]


def write(path: Path, rows: list[ClipResult]) -> Path:
    """Write rows and return the file's path."""
    with open_writer(str(path), LABELS) as writer:
        for row in rows:
            writer.write(row)
    return path


def read(path: Path) -> list[list[Any]]:
    """Return a file's rows."""
    return [list(row.values()) for row in parquet.read_table(path).to_pylist()]


def test_content_is_as_documented(tmp_path: Path) -> None:
    """Names, types, values and the schema's version of a small file."""
    table = parquet.read_table(write(tmp_path / "r.parquet", ROWS))
    assert [(field.name, str(field.type)) for field in table.schema] == [
        ("path", "string"),
        ("status", "string"),
        ("label", "string"),
        ("confidence", "double"),
        ("p_a", "double"),
        ("p_b", "double"),
        ("duration_s", "double"),
        ("flags", "list<element: string>"),
        ("model", "string"),
        ("error", "string"),
    ]
    assert table.schema.metadata == {b"schema": SCHEMA.encode()}
    assert read(tmp_path / "r.parquet") == [
        ["a.wav", "ok", "b", 0.75, 0.25, 0.75, 2.5, ["clipped", "long"], "cnn", None],
        ["=b.wav", "failed", None, None, None, None, None, [], "cnn", "open: no such file"],
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(results(), max_size=5))
def test_rows_are_read_back_as_written(tmp_path: Path, rows: list[ClipResult]) -> None:
    """Any row survives the way through a file."""
    assert read(write(tmp_path / "r.parquet", rows)) == [values(row, 2) for row in rows]


def test_groups_of_rows_stay_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows leave memory a group at a time, and none is lost between groups."""
    monkeypatch.setattr(parquet_table, "_GROUP", 3)
    rows = [ClipResult(i, f"{i}.wav", "silent", "cnn") for i in range(8)]
    path = write(tmp_path / "r.parquet", rows)
    assert parquet.ParquetFile(path).num_row_groups == 3
    assert [row[0] for row in read(path)] == [row.shown for row in rows]


def test_a_label_may_be_called_like_a_column(tmp_path: Path) -> None:
    """The types of probabilities go by their place."""
    path = tmp_path / "r.parquet"
    with open_writer(str(path), ("label", "x")) as writer:
        writer.write(ClipResult(0, "a.wav", "ok", "cnn", "x", 0.75, (0.25, 0.75)))
    assert read(path)[0][2:6] == ["x", 0.75, 0.25, 0.75]


def test_pandas_polars_and_duckdb_read_it(tmp_path: Path) -> None:
    """The three libraries see the same columns and numbers."""
    path = write(tmp_path / "r.parquet", ROWS)
    frame = pandas.read_parquet(path)
    assert tuple(frame.columns) == columns(LABELS)
    assert frame["confidence"].isna().tolist() == [False, True]
    assert polars.read_parquet(path)["p_b"].to_list() == [0.75, None]
    found = duckdb.sql(f"select path, confidence, flags from '{path.as_posix()}'").fetchall()
    assert found == [("a.wav", 0.75, ["clipped", "long"]), ("=b.wav", None, [])]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_text_tables_are_read_by_the_same_libraries(tmp_path: Path, suffix: str) -> None:
    """CSV, TSV and JSON Lines come back with the same labels and numbers."""
    path = write(tmp_path / f"r{suffix}", ROWS)
    name = path.as_posix()
    if suffix == ".jsonl":
        frame = pandas.read_json(path, lines=True)
        other = polars.read_ndjson(path)
        found = duckdb.sql(f"select label, confidence from read_json('{name}')").fetchall()
    else:
        separator = "," if suffix == ".csv" else "\t"
        frame = pandas.read_csv(path, sep=separator)
        other = polars.read_csv(path, separator=separator)
        found = duckdb.sql(f"select label, confidence from read_csv('{name}')").fetchall()
    assert frame["confidence"][0] == 0.75
    assert other["label"].to_list() == ["b", None]
    assert found == [("b", 0.75), (None, None)]
