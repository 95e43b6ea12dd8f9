"""What both Parquet files share: rows gathered in groups, and a file that is whole or not there."""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import pyarrow as pa
from pyarrow import parquet

from emotool.results.binary_output import BinaryOutput

__all__ = ["ParquetOutput"]

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
