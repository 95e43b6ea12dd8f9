"""Results as Parquet: typed columns for pandas, polars, DuckDB, R and Spark (extra ``parquet``).

The columns are CSV's, with numbers as float64, flags as a list of strings, and absent values as
null. Written in groups of rows, so that a million clips need no memory.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeAlias, TypeVar

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from emotool.results.columns import Kept, TopLabels, path_text, values
from emotool.results.row import SCHEMA, ClipResult, columns
from emotool.writers.base import BinaryOutput, WriterOptions
from emotool.writers.embeddings import EmbeddingOptions, numbers_of

__all__ = [
    "EmbeddingsParquetWriter",
    "ParquetOutput",
    "ParquetWriter",
    "flags",
    "float32s",
    "numbers",
    "text_lists",
    "texts",
]


def texts(values: Sequence[str | None]) -> Any:
    """Make a column of strings.

    Examples
    --------
    >>> texts(["a", None]).to_pylist()
    ['a', None]
    """
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()


def text_lists(values: Sequence[Sequence[str]]) -> Any:
    """Make a column of lists of strings.

    Examples
    --------
    >>> text_lists([["a", "b"], []]).to_pylist()
    [['a', 'b'], []]
    """
    ends = np.cumsum([0, *map(len, values)]).astype("<i4")  # [rows + 1]
    offsets = pa.Array.from_buffers(pa.int32(), len(ends), [None, pa.py_buffer(ends)])
    return pa.ListArray.from_arrays(offsets, texts([text for row in values for text in row]))


def numbers(values: Sequence[float | None]) -> Any:
    """Make a column of numbers of 64 bits.

    Examples
    --------
    >>> numbers([0.5, None]).to_pylist()
    [0.5, None]
    """
    there = _bits([value is not None for value in values])
    content = np.array([0.0 if value is None else value for value in values], "<f8")  # [rows]
    return pa.Array.from_buffers(pa.float64(), len(values), [there, pa.py_buffer(content)])


def float32s(content: bytes) -> Any:
    """Make an array of numbers of 32 bits, little-endian, without a copy.

    Examples
    --------
    >>> float32s(bytes([0, 0, 128, 63])).to_pylist()
    [1.0]
    """
    return pa.Array.from_buffers(pa.float32(), len(content) // 4, [None, pa.py_buffer(content)])


def flags(values: Sequence[bool]) -> Any:
    """Make an array of truth values.

    Examples
    --------
    >>> flags([True, False]).to_pylist()
    [True, False]
    """
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, _bits(values)])


def _bits(values: Sequence[bool]) -> Any:
    return pa.py_buffer(np.packbits(np.array(values, bool), bitorder="little"))


Row = TypeVar("Row")


class ParquetOutput(BinaryOutput, ABC, Generic[Row]):
    """Writes rows as Parquet, a group at a time, so that a million of them need no memory.

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
        """Take a row."""
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
        """Give the file up; what was there before stays."""
        super().discard()
        self._parquet.close()  # into nowhere: it would else do so when it is collected

    def _put_group(self) -> None:
        table = pa.Table.from_arrays(self.arrays(self._rows), schema=self._schema)
        self._parquet.write_table(table)
        self._rows.clear()


_GROUP: Final = 8192  # rows held at once


_MAKERS: Final[dict[Any, Callable[[Any], Any]]] = {
    pa.float64(): numbers,
    pa.string(): texts,
    pa.list_(pa.string()): text_lists,
}


class ParquetWriter(ParquetOutput[list[Any]]):
    """Writes results as Parquet, a group of rows at a time.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.
    labels : sequence of str
        The model's labels.
    facts : mapping
        Facts of the run; they would make each run's bytes differ and are left out.
    options : WriterOptions
        ``top`` and ``kept`` add columns at the end. There are no formulas to be kept from running.
    """

    def __init__(
        self,
        target: str,
        labels: Sequence[str],
        facts: Mapping[str, Any],
        options: WriterOptions,
    ) -> None:
        self._n_labels = len(labels)
        self._top = TopLabels(labels, options.top)
        self._kept = options.kept
        self._spans = options.spans
        schema = _schema(labels, self._top, self._kept, spans=options.spans)
        super().__init__(target, schema, _GROUP)

    def write(self, result: ClipResult) -> None:
        """Add a clip's row."""
        row = values(result, self._n_labels, spans=self._spans)
        kept = [cell or None for cell in self._kept.cells(result)]
        self.add([*row, *self._top.values(result), *kept])

    def arrays(self, rows: list[list[Any]]) -> list[Any]:
        """Make an array of each column."""
        columns_of = zip(zip(*rows, strict=True), self._schema, strict=True)
        return [_MAKERS[field.type](column) for column, field in columns_of]


def _schema(labels: Sequence[str], top: TopLabels, kept: Kept, *, spans: bool) -> pa.Schema:
    number, text = pa.float64(), pa.string()
    numbers = dict.fromkeys(("confidence", "duration_s", "start_s", "end_s"), number)
    types = {**numbers, "flags": pa.list_(text)}
    names = columns(labels, spans=spans)
    chances = set(range(4, 4 + len(labels)))  # by place: a label may be called like a column
    fields = [
        (name, number if i in chances else types.get(name, text)) for i, name in enumerate(names)
    ]
    fields += [(name, number if name.endswith("_p") else text) for name in top.columns]
    fields += [(name, text) for name in kept.columns((*names, *top.columns))]
    return pa.schema(fields, metadata={"schema": SCHEMA})


_GROUP_BYTES: Final = 1 << 23  # of numbers held at once


_MOST_ROWS: Final = 8192


_Row: TypeAlias = tuple[str, tuple[float, float] | None, bytes]


class EmbeddingsParquetWriter(ParquetOutput[_Row]):
    """Writes ``path``, for parts of clips ``start_s`` and ``end_s``, and ``embedding``.

    Parameters
    ----------
    target : str
        A path.
    options : EmbeddingOptions
        What the file says of itself is in its key-value metadata.
    """

    def __init__(self, target: str, options: EmbeddingOptions) -> None:
        self._options = options
        group = max(1, min(_MOST_ROWS, _GROUP_BYTES // (4 * options.size)))
        times = [(name, pa.float64()) for name in ("start_s", "end_s") if options.spans]
        vector = ("embedding", pa.list_(pa.float32(), options.size))
        schema = pa.schema([("path", pa.string()), *times, vector], metadata=options.about)
        super().__init__(target, schema, group, use_dictionary=["path"])

    def write(self, result: ClipResult) -> None:
        """Add a row; null for a clip without a label."""
        numbers = numbers_of(result, self._options.size)
        self.add((path_text(result.shown), result.span, numbers))

    def arrays(self, rows: list[_Row]) -> list[Any]:
        """Make an array of each column."""
        paths, spans, vectors = zip(*rows, strict=True)
        columns: list[Any] = [texts(paths)]
        if self._options.spans:
            times = zip(*(span or (None, None) for span in spans), strict=True)
            columns += [numbers(column) for column in times]
        return [*columns, self._vectors(vectors)]

    def _vectors(self, vectors: tuple[bytes, ...]) -> Any:
        size = self._options.size
        flat = b"".join(some or bytes(4 * size) for some in vectors)  # [rows * size]
        absent = flags([not some for some in vectors])
        kind = pa.list_(pa.float32(), size)
        return pa.FixedSizeListArray.from_arrays(float32s(flat), type=kind, mask=absent)
