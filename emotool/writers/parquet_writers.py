"""Results and embeddings as Parquet, for pandas, polars, DuckDB, R and Spark (extra ``parquet``).

A table has the columns of CSV, with numbers as float64, flags as a list of strings, and absent
values as null; embeddings are lists of float32 of fixed length. Rows are written in groups, so
that a million clips need no memory, and pandas is not loaded.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from emotool.results.row import SCHEMA, ClipResult
from emotool.writers.base import WriterOptions
from emotool.writers.embeddings import EmbeddingOptions, embedding_bytes, key_columns
from emotool.writers.file_output import BinaryOutput

if TYPE_CHECKING:
    from emotool.results.column import Column
    from emotool.results.columns import Columns

__all__ = [
    "EmbeddingsParquetWriter",
    "ParquetWriter",
    "booleans",
    "float32s",
    "float64s",
    "string_lists",
    "strings",
]

_GROUP: Final = 8192  # most rows held at once
_GROUP_BYTES: Final = 1 << 23  # most bytes of embeddings held at once

Row = TypeVar("Row")


class _GroupedOutput(BinaryOutput, ABC, Generic[Row]):
    """A Parquet file, written a group of rows at a time.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.
    schema : pyarrow.Schema
    group : int
        Rows held at once.
    **options
        Of `pyarrow.parquet.ParquetWriter`.
    """

    def __init__(self, target: str, schema: pa.Schema, group: int, **options: Any) -> None:
        self._schema, self._group = schema, group
        self._rows: list[Row] = []
        super().__init__(target)
        self._parquet = parquet.ParquetWriter(self.sink, schema, compression="zstd", **options)

    @abstractmethod
    def arrays(self, rows: list[Row]) -> list[Any]:
        """Make an array of each column of the schema."""

    def add(self, row: Row) -> None:
        """Add a row."""
        self._rows.append(row)
        if len(self._rows) == self._group:
            self._put_group()

    def close(self) -> None:
        """Add the remaining rows and the file's end, and put it in its place."""
        try:
            if self._rows:
                self._put_group()
            self._parquet.close()
        except BaseException:
            self.discard()
            raise
        super().close()

    def discard(self) -> None:
        """Discard the file; what was there before stays."""
        super().discard()
        self._parquet.close()  # into nowhere: it would else do so when it is collected

    def _put_group(self) -> None:
        table = pa.Table.from_arrays(self.arrays(self._rows), schema=self._schema)
        self._parquet.write_table(table)
        self._rows.clear()


class ParquetWriter(_GroupedOutput[list[Any]]):
    """Writes results as Parquet.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.
    table : Columns
        The columns.
    facts : mapping
        Facts of the run; they would make each run's bytes differ and are left out.
    options : WriterOptions
        None concerns Parquet: it has no formulas.
    """

    def __init__(
        self, target: str, table: "Columns", facts: Mapping[str, Any], options: WriterOptions
    ) -> None:
        self._table = table
        super().__init__(target, _schema(table.columns, {"schema": SCHEMA}), _GROUP)

    def write(self, result: ClipResult) -> None:
        """Add a clip's row."""
        self.add(self._table.values(result))

    def arrays(self, rows: list[list[Any]]) -> list[Any]:
        """Make an array of each column."""
        columns = zip(zip(*rows, strict=True), self._schema, strict=True)
        return [_ARRAYS[field.type](column) for column, field in columns]


class EmbeddingsParquetWriter(_GroupedOutput[tuple[list[Any], bytes]]):
    """Writes ``path``, for windows ``start_s`` and ``end_s``, and ``embedding``.

    Parameters
    ----------
    target : str
        A path.
    table : Columns
        The columns of the tables.
    options : EmbeddingOptions
        Its ``metadata`` is the file's key-value metadata.
    """

    def __init__(self, target: str, table: "Columns", options: EmbeddingOptions) -> None:
        self._keys = key_columns(table)
        self._size = options.size
        self._kind = pa.list_(pa.float32(), options.size)
        schema = _schema(self._keys, options.metadata).append(pa.field("embedding", self._kind))
        group = max(1, min(_GROUP, _GROUP_BYTES // (4 * options.size)))
        super().__init__(target, schema, group, use_dictionary=["path"])

    def write(self, result: ClipResult) -> None:
        """Add a row; null for a clip without a label."""
        keys = [column.value(result) for column in self._keys]
        self.add((keys, embedding_bytes(result, self._size)))

    def arrays(self, rows: list[tuple[list[Any], bytes]]) -> list[Any]:
        """Make an array of each column."""
        keys, embeddings = zip(*rows, strict=True)
        columns = zip(zip(*keys, strict=True), self._schema, strict=False)
        arrays = [_ARRAYS[field.type](column) for column, field in columns]
        flat = b"".join(some or bytes(4 * self._size) for some in embeddings)  # [rows * size]
        absent = booleans([not some for some in embeddings])
        vectors = pa.FixedSizeListArray.from_arrays(float32s(flat), type=self._kind, mask=absent)
        return [*arrays, vectors]


def _schema(columns: "Sequence[Column]", metadata: Mapping[str, str]) -> pa.Schema:
    """Return the names and types of columns."""
    text = pa.string()
    fields = [
        (
            column.name,
            pa.float64()
            if column.decimals is not None
            else pa.list_(text)
            if column.kind == "texts"
            else text,
        )
        for column in columns
    ]
    return pa.schema(fields, metadata=dict(metadata))


def strings(values: Sequence[str | None]) -> Any:
    """Make an array of strings.

    Examples
    --------
    >>> strings(["a", None]).to_pylist()
    ['a', None]
    """
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()


def string_lists(values: Sequence[Sequence[str]]) -> Any:
    """Make an array of lists of strings.

    Examples
    --------
    >>> string_lists([["a", "b"], []]).to_pylist()
    [['a', 'b'], []]
    """
    ends = np.cumsum([0, *map(len, values)]).astype("<i4")  # [rows + 1]
    offsets = pa.Array.from_buffers(pa.int32(), len(ends), [None, pa.py_buffer(ends)])
    return pa.ListArray.from_arrays(offsets, strings([text for row in values for text in row]))


def float64s(values: Sequence[float | None]) -> Any:
    """Make an array of numbers of 64 bits.

    Examples
    --------
    >>> float64s([0.5, None]).to_pylist()
    [0.5, None]
    """
    present = _bits([value is not None for value in values])
    content = np.array([0.0 if value is None else value for value in values], "<f8")  # [rows]
    return pa.Array.from_buffers(pa.float64(), len(values), [present, pa.py_buffer(content)])


def float32s(content: bytes) -> Any:
    """Make an array of numbers of 32 bits, little-endian, without a copy.

    Examples
    --------
    >>> float32s(bytes([0, 0, 128, 63])).to_pylist()
    [1.0]
    """
    return pa.Array.from_buffers(pa.float32(), len(content) // 4, [None, pa.py_buffer(content)])


def booleans(values: Sequence[bool]) -> Any:
    """Make an array of truth values.

    Examples
    --------
    >>> booleans([True, False]).to_pylist()
    [True, False]
    """
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, _bits(values)])


def _bits(values: Sequence[bool]) -> Any:
    return pa.py_buffer(np.packbits(np.array(values, bool), bitorder="little"))


_ARRAYS: Final[dict[Any, Callable[[Any], Any]]] = {
    pa.float64(): float64s,
    pa.string(): strings,
    pa.list_(pa.string()): string_lists,
}
