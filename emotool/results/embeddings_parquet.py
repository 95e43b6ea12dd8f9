"""Embeddings as Parquet (extra ``parquet``): a list of fixed length a row, null without a label."""

from typing import Any, Final, TypeAlias

import pyarrow as pa

from emotool.results.arrow_columns import flags, float32s, numbers, texts
from emotool.results.embeddings import EmbeddingOptions, numbers_of
from emotool.results.parquet_output import ParquetOutput
from emotool.results.path_text import path_text
from emotool.results.row import ClipResult

__all__ = ["EmbeddingsParquetWriter"]

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
