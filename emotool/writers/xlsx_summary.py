"""The sheet *Summary* of a spreadsheet: how many clips have which label, as table and chart.

Where rows are about windows of clips, labels are counted by window, and all else by clip.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emotool.results.row import SCHEMA, STATUSES, UNCERTAIN, ClipResult
from emotool.text import printable

if TYPE_CHECKING:
    from xlsxwriter import Workbook

    from emotool.results.columns import Columns

__all__ = ["Counts", "write_summary"]

# What is the same for the same clips and model: times would make each run's bytes differ.
_FACTS = ("model", "model_sha256", "emotool", "onnxruntime")


class Counts:
    """Counts rows.

    Parameters
    ----------
    table : Columns
        The columns; with segments, rows are about windows, those of a clip one after the other.

    Attributes
    ----------
    rows : int
        How many rows there were.
    """

    def __init__(self, table: "Columns") -> None:
        self.labels = table.labels
        # As in the rows, so that the mean is that of the column.
        self._confidence = next(each for each in table.columns if each.name == "confidence")
        self.unit = "windows" if table.segments else "clips"
        self.rows = 0
        self.statuses: Counter[str] = Counter()
        self.flags: Counter[str] = Counter()
        self.labelled: Counter[str] = Counter()
        self._clip = -1  # of the last row
        self.confidence: defaultdict[str, float] = defaultdict(float)

    def add(self, result: ClipResult) -> None:
        """Count a row."""
        self.rows += 1
        if result.index != self._clip:
            self._clip = result.index
            self.statuses[result.status] += 1
            self.flags.update(result.flags)
        if result.status == "ok":
            self.labelled[result.label] += 1
            self.confidence[result.label] += self._confidence.rounded(result) or 0.0


def write_summary(book: "Workbook", counts: Counts, facts: Mapping[str, Any]) -> None:
    """Add the sheet *Summary* to a workbook.

    Parameters
    ----------
    book : xlsxwriter.Workbook
        The workbook, in which rows are written from top to bottom.
    counts : Counts
        What there was.
    facts : mapping
        Facts of the run.
    """
    sheet = book.add_worksheet("Summary")
    share = book.add_format({"num_format": "0.0%"})
    sheet.set_landscape()
    sheet.fit_to_pages(1, 1)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 3, 16)
    _write_heads(book, 0, ("label", counts.unit, "share", "mean confidence"))
    total = counts.labelled.total()
    labels = [*counts.labels, *({UNCERTAIN} & counts.labelled.keys() - {*counts.labels})]
    for row, label in enumerate(labels, start=1):
        number = counts.labelled[label]
        sheet.write_string(row, 0, printable(label))
        sheet.write_number(row, 1, number)
        if number:
            sheet.write_number(row, 2, number / total, share)
            sheet.write_number(row, 3, counts.confidence[label] / number, share)
    row = _write_counts(
        book, len(labels) + 2, "status", [(s, counts.statuses[s]) for s in STATUSES]
    )
    if counts.flags:
        row = _write_counts(book, row, "flag", sorted(counts.flags.items()))
    for name, value in {"schema": SCHEMA, **{n: facts[n] for n in _FACTS if n in facts}}.items():
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, printable(str(value)))
        row += 1
    _add_chart(book, len(labels), counts.unit)


def _write_counts(book: "Workbook", row: int, name: str, counts: Sequence[tuple[str, int]]) -> int:
    """Write how many clips there are of each kind; return the row for what comes next."""
    sheet = book.get_worksheet_by_name("Summary")
    _write_heads(book, row, (name, "clips"))
    for text, number in counts:
        row += 1
        sheet.write_string(row, 0, printable(text))
        sheet.write_number(row, 1, number)
    return row + 2


def _write_heads(book: "Workbook", row: int, titles: Sequence[str]) -> None:
    """Write a row of titles, those of numbers above their ends."""
    sheet = book.get_worksheet_by_name("Summary")
    for column, title in enumerate(titles):
        aligned = {"align": "right"} if column else {}
        sheet.write_string(
            row, column, title, book.add_format({"bold": True, "bottom": 1} | aligned)
        )


def _add_chart(book: "Workbook", n_labels: int, unit: str) -> None:
    chart = book.add_chart({"type": "bar"})
    chart.add_series(
        {
            "categories": ["Summary", 1, 0, n_labels, 0],
            "values": ["Summary", 1, 1, n_labels, 1],
            "data_labels": {"value": True},
            "gap": 60,
        }
    )
    chart.set_title({"name": f"{unit.capitalize()} by label"})
    chart.set_legend({"none": True})
    chart.set_y_axis({"reverse": True})  # the first label on top
    chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}, "min": 0})
    chart.set_size({"width": 520, "height": 120 + 40 * n_labels})
    book.get_worksheet_by_name("Summary").insert_chart("G2", chart)  # right of the longest fact
