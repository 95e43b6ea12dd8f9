"""Parquet: typed, streamed in groups, and read by everything that reads Parquet."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from emotool.inputs.manifest import Manifest
from emotool.results.columns import Columns
from emotool.results.row import SCHEMA, ClipResult
from emotool.writers import parquet_writers
from emotool.writers.parquet_writers import booleans, float32s, float64s, string_lists, strings
from emotool.writers.registry import open_writer
from tests.emotool.hostile import results

LABELS = ("a", "b")
TABLE = Columns(LABELS)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
ROWS = [
    ClipResult(0, "a.wav", "ok", "cnn", "b", 0.75, (0.25, 0.75), 2.5, ("clipped", "long")),
    ClipResult(1, "=b.wav", "failed", "cnn", stage="open", error="no such file"),
]
# Writes a table and embeddings in the way that a run does, and says whether pandas was loaded.
PROGRAM = """
import sys
from emotool.writers.registry import open_embeddings, open_writer
from emotool.writers.embeddings import EmbeddingOptions
from emotool.results.columns import Columns
from emotool.results.row import ClipResult

table = Columns(("a", "b"))
row = ClipResult(0, "a.wav", "ok", "m", "b", 0.75, (0.25, 0.75), 2.5, embedding=bytes(8))
with open_writer("r.parquet", table) as writer:
    writer.write(row)
with open_embeddings("e.parquet", table, EmbeddingOptions(2, "m", "0")) as writer:
    writer.write(row)
print("pyarrow" in sys.modules, "pandas" in sys.modules)
"""


def write(path: Path, rows: list[ClipResult]) -> Path:
    """Write rows and return the file's path."""
    with open_writer(str(path), TABLE) as writer:
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
    assert read(write(tmp_path / "r.parquet", rows)) == [TABLE.values(row) for row in rows]


def test_groups_of_rows_stay_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows leave memory a group at a time, and none is lost between groups."""
    monkeypatch.setattr(parquet_writers, "_GROUP", 3)
    rows = [ClipResult(i, f"{i}.wav", "silent", "cnn") for i in range(8)]
    path = write(tmp_path / "r.parquet", rows)
    assert parquet.ParquetFile(path).num_row_groups == 3
    assert [row[0] for row in read(path)] == [row.shown for row in rows]


def test_a_label_may_be_called_like_a_column(tmp_path: Path) -> None:
    """The types of probabilities go by their place."""
    path = tmp_path / "r.parquet"
    with open_writer(str(path), Columns(("label", "x"))) as writer:
        writer.write(ClipResult(0, "a.wav", "ok", "cnn", "x", 0.75, (0.25, 0.75)))
    assert read(path)[0][2:6] == ["x", 0.75, 0.25, 0.75]


def test_pandas_polars_and_duckdb_read_it(tmp_path: Path) -> None:
    """The three libraries see the same columns and numbers."""
    path = write(tmp_path / "r.parquet", ROWS)
    frame = pandas.read_parquet(path)
    assert tuple(frame.columns) == TABLE.names
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


def test_ranked_labels_are_typed_columns(tmp_path: Path) -> None:
    """Labels are strings, probabilities float64."""
    with open_writer(str(tmp_path / "r.parquet"), Columns(LABELS, top=2)) as writer:
        for row in ROWS:
            writer.write(row)
    table = parquet.read_table(tmp_path / "r.parquet")
    types = [(field.name, str(field.type)) for field in table.schema][-4:]
    assert types == [
        *(("top_1", "string"), ("top_1_p", "double"), ("top_2", "string"), ("top_2_p", "double"))
    ]
    found = [row[-4:] for row in read(tmp_path / "r.parquet")]
    assert found == [["b", 0.75, "a", 0.25], [None] * 4]


def test_manifests_cells_are_text(tmp_path: Path) -> None:
    """Empty ones are null, as all absent values."""
    cells = [("x.wav", "joy", "-0.3"), ("=1+1", "", "-1+1")]
    manifest = Manifest("m.csv", ("file", "label", "valence"), cells, 0)
    with open_writer(str(tmp_path / "r.parquet"), Columns(LABELS, manifest=manifest)) as writer:
        for row in ROWS:
            writer.write(row)
    table = parquet.read_table(tmp_path / "r.parquet")
    assert table.column_names == [*TABLE.names, "file", "manifest_label", "valence"]
    assert table.column("manifest_label").to_pylist() == ["joy", None]
    assert table.column("valence").to_pylist() == ["-0.3", "-1+1"]


@given(st.lists(st.none() | TEXTS, max_size=40))
def test_texts_are_pyarrows(values: list[str | None]) -> None:
    """Absent ones and all of Unicode among them."""
    made = strings(values)
    made.validate(full=True)
    assert made.equals(pa.array(values, pa.string()))


@given(st.lists(st.lists(TEXTS, max_size=3), max_size=40))
def test_lists_are_pyarrows(values: list[list[str]]) -> None:
    """Empty ones among them."""
    made = string_lists(values)
    made.validate(full=True)
    assert made.equals(pa.array(values, pa.list_(pa.string())))


@given(st.lists(st.none() | st.floats(allow_nan=False), max_size=40))
def test_numbers_are_pyarrows(values: list[float | None]) -> None:
    """Absent ones among them."""
    made = float64s(values)
    made.validate(full=True)
    assert made.equals(pa.array(values, pa.float64()))


@given(st.lists(st.booleans(), max_size=40), st.binary(max_size=40))
def test_what_vectors_are_made_of(values: list[bool], content: bytes) -> None:
    """Truth values, and the bytes of float32."""
    assert booleans(values).equals(pa.array(values, pa.bool_()))
    numbers32 = content[: len(content) // 4 * 4]
    assert float32s(numbers32).buffers()[1].to_pybytes() == numbers32


def test_parquet_needs_no_pandas(tmp_path: Path) -> None:
    """It takes a quarter of a second to load, and nothing here is of pandas."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout.split() == [b"True", b"False"]
