"""Results as TSV: CSV's rules with a tab between cells.

Cells that hold a tab, a quote or a line break are quoted as in CSV, which is what pandas, polars,
DuckDB, R and spreadsheets read under the name of TSV.
"""

from typing import ClassVar

from emotool.results.csv_table import CsvWriter

__all__ = ["TsvWriter"]


class TsvWriter(CsvWriter):
    """Writes results as tab-separated values, a line at a time."""

    separator: ClassVar[str | None] = "\t"
