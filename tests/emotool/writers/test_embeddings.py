"""Embeddings: a row for each row of the tables, in files that NumPy and data frames read."""

import time
import zipfile
from pathlib import Path

import duckdb
import numpy as np
import polars
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from emotool.errors import EmotoolError, OutputError
from emotool.results.columns import Columns
from emotool.results.row import ClipResult
from emotool.text import path_text
from emotool.writers import parquet_writers
from emotool.writers.embeddings import SCHEMA, EmbeddingOptions
from emotool.writers.registry import EMBEDDING_WRITERS, check_embeddings, open_embeddings
from tests.emotool.hostile import names

TABLE = Columns(())
ABOUT = EmbeddingOptions(3, "tiny", "0" * 64)
BOTH = pytest.mark.parametrize("suffix", list(EMBEDDING_WRITERS))


def labelled(shown: str, *numbers: float, span: tuple[float, float] | None = None) -> ClipResult:
    """Return a row with an embedding."""
    embedding = np.array(numbers, "<f4").tobytes()
    return ClipResult(0, shown, "ok", "tiny", "sad", 0.75, span=span, embedding=embedding)


def unlabelled(shown: str) -> ClipResult:
    """Return a row without."""
    return ClipResult(0, shown, "failed", "tiny", stage="open", error="no such file")


ROWS = [labelled("a.wav", 1, -0.1, 1e30), unlabelled("b.wav"), labelled("ü.wav", 0, 2, 3)]


def write(path: Path, rows: list[ClipResult], table: Columns = TABLE) -> Path:
    """Write rows and return the file's path."""
    with open_embeddings(str(path), table, ABOUT) as writer:
        for row in rows:
            writer.write(row)
    return path


def test_numpy_reads_names_and_numbers(tmp_path: Path) -> None:
    """A clip without a label has a row of NaN; nothing has to be unpickled."""
    path = write(tmp_path / "e.npz", ROWS)
    with np.load(path, allow_pickle=False) as arrays:
        assert sorted(arrays) == ["embedding", "model", "model_sha256", "path", "schema"]
        assert arrays["path"].tolist() == ["a.wav", "b.wav", "ü.wav"]
        assert arrays["embedding"].dtype == np.float32
        expected = np.array([[1, -0.1, 1e30], [np.nan] * 3, [0, 2, 3]], np.float32)
        np.testing.assert_array_equal(arrays["embedding"], expected)
        said = [arrays[name].item() for name in ("schema", "model", "model_sha256")]
        assert said == [SCHEMA, "tiny", "0" * 64]


def test_data_frames_read_names_and_numbers(tmp_path: Path) -> None:
    """Vectors of fixed length, null for a clip without a label."""
    path = write(tmp_path / "e.parquet", ROWS)
    table = parquet.read_table(path)
    assert [(field.name, str(field.type)) for field in table.schema] == [
        ("path", "string"),
        ("embedding", "fixed_size_list<element: float>[3]"),
    ]
    assert table.schema.metadata[b"schema"] == SCHEMA.encode()
    assert table.schema.metadata[b"model_sha256"] == b"0" * 64
    vectors = polars.read_parquet(path)["embedding"].to_list()
    assert vectors[1:] == [None, [0, 2, 3]]
    assert vectors[0] == pytest.approx([1, -0.1, 1e30])
    found = duckdb.sql(f"select path, embedding[2] from '{path.as_posix()}'").fetchall()
    assert found == [("a.wav", pytest.approx(-0.1)), ("b.wav", None), ("ü.wav", 2)]


@BOTH
def test_rows_about_parts_say_which(tmp_path: Path, suffix: str) -> None:
    """With times where there are any."""
    rows = [labelled("a.wav", 1, 2, 3, span=(0.5, 3.5)), unlabelled("b.wav")]
    path = write(tmp_path / f"e{suffix}", rows, Columns((), segments=True))
    if suffix == ".npz":
        with np.load(path) as arrays:
            times = [arrays["start_s"].tolist(), arrays["end_s"].tolist()]
        assert [times[0][0], times[1][0]] == [0.5, 3.5]
        assert np.isnan([times[0][1], times[1][1]]).all()
    else:
        table = parquet.read_table(path)
        assert table.column_names == ["path", "start_s", "end_s", "embedding"]
        assert table["start_s"].to_pylist() == [0.5, None]
        assert table["end_s"].to_pylist() == [3.5, None]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(
        st.builds(unlabelled, names)
        | st.builds(labelled, names, *[st.floats(width=32, allow_nan=False)] * 3),
        min_size=1,
        max_size=6,
    ),
    suffix=st.sampled_from(list(EMBEDDING_WRITERS)),
)
def test_rows_are_read_back_as_written(tmp_path: Path, rows: list[ClipResult], suffix: str) -> None:
    """Any name and any number survive the way through a file, in order."""
    path = write(tmp_path / f"e{suffix}", rows)
    if suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            paths, vectors = arrays["path"].tolist(), arrays["embedding"]
        found = [b"" if np.isnan(vector).all() else vector.tobytes() for vector in vectors]
    else:
        table = parquet.read_table(path)
        paths = table["path"].to_pylist()
        vectors = table["embedding"].to_pylist()
        found = [b"" if vector is None else np.array(vector, "<f4").tobytes() for vector in vectors]
    assert paths == [path_text(row.shown) for row in rows]
    assert found == [row.embedding for row in rows]


@BOTH
def test_the_same_rows_give_the_same_bytes(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever they are written: archives bear no times."""
    first = write(tmp_path / f"a{suffix}", ROWS).read_bytes()
    later = time.time() + 1e6
    monkeypatch.setattr(time, "time", lambda: later)
    assert write(tmp_path / f"b{suffix}", ROWS).read_bytes() == first
    assert first != write(tmp_path / f"c{suffix}", ROWS[:2]).read_bytes()


def test_groups_of_rows_stay_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows leave memory a group at a time, and none is lost between groups."""
    monkeypatch.setattr(parquet_writers, "_GROUP_BYTES", 3 * 12)
    path = write(tmp_path / "e.parquet", [labelled(f"{i}.wav", i, i, i) for i in range(8)])
    assert parquet.ParquetFile(path).num_row_groups == 3
    rows = parquet.read_table(path).to_pylist()
    assert rows == [{"path": f"{i}.wav", "embedding": [i, i, i]} for i in range(8)]


@BOTH
def test_the_old_file_stays_when_the_run_ends_early(tmp_path: Path, suffix: str) -> None:
    """Nothing half-written, and nothing beside it."""
    target = tmp_path / f"e{suffix}"
    target.write_bytes(b"old")

    def interrupted() -> None:
        with open_embeddings(str(target), TABLE, ABOUT) as writer:
            writer.write(ROWS[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@BOTH
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error(tmp_path: Path, suffix: str) -> None:
    """It names the file."""
    place = tmp_path / f"full{suffix}"
    place.symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space left"):
        write(place, ROWS * 10_000)


def test_a_full_disk_is_noticed_while_numbers_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the file that keeps them meanwhile cannot grow."""
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with Path("/dev/full").open("r+b") as full:
        monkeypatch.setattr("emotool.writers.npz_writer._spool", lambda target: full)
        with pytest.raises(OutputError, match=r"e\.npz: No space left"):
            write(tmp_path / "e.npz", ROWS * 1000)
    assert list(tmp_path.iterdir()) == []


@BOTH
def test_a_row_of_another_length_is_refused(tmp_path: Path, suffix: str) -> None:
    """A mistake of ours may cost a run, but never shifts a row."""
    for row in (labelled("a.wav", 1, 2), labelled("a.wav")):
        with pytest.raises(EmotoolError, match="bug in emotool"):
            write(tmp_path / f"e{suffix}", [row])
    assert list(tmp_path.iterdir()) == []


def test_numbers_are_stored_as_they_are(tmp_path: Path) -> None:
    """They would not shrink; padded names do."""
    rows = [labelled("x" * 200, 1, 2, 3), *(labelled(f"{i}.wav", 1, 2, 3) for i in range(99))]
    with zipfile.ZipFile(write(tmp_path / "e.npz", rows)) as archive:
        sizes = {info.filename: info for info in archive.infolist()}
    assert sizes["embedding.npy"].compress_size == sizes["embedding.npy"].file_size
    assert sizes["path.npy"].compress_size < sizes["path.npy"].file_size / 20


def test_other_formats_are_refused() -> None:
    """The message names those that there are."""
    with pytest.raises(OutputError) as raised:
        check_embeddings("e.csv")
    assert raised.value.hint == "end the file's name in one of: .npz, .parquet"
