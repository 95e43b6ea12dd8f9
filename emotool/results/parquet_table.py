"""Results as Parquet: typed columns for pandas, polars, DuckDB, R and Spark (extra ``parquet``).

The columns are CSV's, with numbers as float64, flags as a list of strings, and absent values as
null. Written in groups of rows, so that a million clips need no memory.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from emotool.results import Kept, WriterOptions
from emotool.results.arrow_columns import numbers, text_lists, texts
from emotool.results.parquet_output import ParquetOutput
from emotool.results.row import SCHEMA, ClipResult, columns
from emotool.results.row_values import values
from emotool.results.top import TopLabels

__all__ = ["ParquetWriter"]

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
