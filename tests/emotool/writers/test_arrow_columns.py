"""Arrow's columns, made without pandas, are those that pyarrow makes with it."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from emotool.writers.parquet_writers import flags, float32s, numbers, text_lists, texts

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
# Writes a table and embeddings in the way that a run does, and says whether pandas was loaded.
PROGRAM = """
import sys
from emotool.writers.registry import open_writer
from emotool.writers.embeddings import EmbeddingOptions, open_embeddings
from emotool.results.row import ClipResult

row = ClipResult(0, "a.wav", "ok", "m", "b", 0.75, (0.25, 0.75), 2.5, embedding=bytes(8))
with open_writer("r.parquet", ("a", "b")) as writer:
    writer.write(row)
with open_embeddings("e.parquet", EmbeddingOptions(2, "m", "0", spans=False)) as writer:
    writer.write(row)
print("pyarrow" in sys.modules, "pandas" in sys.modules)
"""


@given(st.lists(st.none() | TEXTS, max_size=40))
def test_texts_are_pyarrows(values: list[str | None]) -> None:
    """Absent ones and all of Unicode among them."""
    made = texts(values)
    made.validate(full=True)
    assert made.equals(pa.array(values, pa.string()))


@given(st.lists(st.lists(TEXTS, max_size=3), max_size=40))
def test_lists_are_pyarrows(values: list[list[str]]) -> None:
    """Empty ones among them."""
    made = text_lists(values)
    made.validate(full=True)
    assert made.equals(pa.array(values, pa.list_(pa.string())))


@given(st.lists(st.none() | st.floats(allow_nan=False), max_size=40))
def test_numbers_are_pyarrows(values: list[float | None]) -> None:
    """Absent ones among them."""
    made = numbers(values)
    made.validate(full=True)
    assert made.equals(pa.array(values, pa.float64()))


@given(st.lists(st.booleans(), max_size=40), st.binary(max_size=40))
def test_what_vectors_are_made_of(values: list[bool], content: bytes) -> None:
    """Truth values, and the bytes of float32."""
    assert flags(values).equals(pa.array(values, pa.bool_()))
    numbers32 = content[: len(content) // 4 * 4]
    assert float32s(numbers32).buffers()[1].to_pybytes() == numbers32


def test_parquet_needs_no_pandas(tmp_path: Path) -> None:
    """It takes a quarter of a second to load, and nothing here is of pandas."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout.split() == [b"True", b"False"]
