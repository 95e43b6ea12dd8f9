"""Embeddings as Parquet (extra ``parquet``): a list of fixed length a row, null without a label."""

from typing import Any, Final

import pyarrow as pa
from pyarrow import parquet

from emotool.results.arrow_columns import flags, float32s, numbers, texts
from emotool.results.binary_output import BinaryOutput
from emotool.results.embeddings import EmbeddingOptions, numbers_of
from emotool.results.row import ClipResult, path_text

__all__ = ["EmbeddingsParquetWriter"]

_GROUP_BYTES: Final = 1 << 23  # of numbers held at once
_MOST_ROWS: Final = 8192


class EmbeddingsParquetWriter(BinaryOutput):
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
        self._group = max(1, min(_MOST_ROWS, _GROUP_BYTES // (4 * options.size)))
        self._rows: list[tuple[str, tuple[float, float] | None, bytes]] = []
        times = [(name, pa.float64()) for name in ("start_s", "end_s") if options.spans]
        vector = ("embedding", pa.list_(pa.float32(), options.size))
        self._schema = pa.schema([("path", pa.string()), *times, vector], metadata=options.about)
        super().__init__(target)
        self._parquet = parquet.ParquetWriter(
            self.sink, self._schema, compression="zstd", use_dictionary=["path"]
        )

    def write(self, result: ClipResult) -> None:
        """Add a row; null for a clip without a label."""
        numbers = numbers_of(result, self._options.size)
        self._rows.append((path_text(result.shown), result.span, numbers))
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
        paths, spans, vectors = zip(*self._rows, strict=True)
        columns: list[Any] = [texts(paths)]
        if self._options.spans:
            times = zip(*(span or (None, None) for span in spans), strict=True)
            columns += [numbers(column) for column in times]
        columns.append(self._vectors(vectors))
        self._parquet.write_table(pa.Table.from_arrays(columns, schema=self._schema))
        self._rows.clear()

    def _vectors(self, vectors: tuple[bytes, ...]) -> Any:
        size = self._options.size
        flat = b"".join(some or bytes(4 * size) for some in vectors)  # [rows * size]
        absent = flags([not some for some in vectors])
        kind = pa.list_(pa.float32(), size)
        return pa.FixedSizeListArray.from_arrays(float32s(flat), type=kind, mask=absent)
