"""The sheet *Summary* of a spreadsheet: how many clips have which label, as table and chart.

Where rows are about windows of clips, labels are counted by window, and all else by clip.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emotool.results.row import SCHEMA, STATUSES, UNCERTAIN, ClipResult
from emotool.results.spread import Spread
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
        places = [each for each in table.columns if each.name == "confidence"]
        self._confidence = places[0].rounded if places else lambda result: None
        self.unit = "windows" if table.segments else "clips"
        self.rows = 0
        self.statuses: Counter[str] = Counter()
        self.flags: Counter[str] = Counter()
        self.labelled: Counter[str] = Counter()
        self._clip = -1  # of the last row
        self.confidence: defaultdict[str, float] = defaultdict(float)
        self.spreads = {name: Spread() for name in table.dimensions}

    def add(self, result: ClipResult) -> None:
        """Count a row."""
        self.rows += 1
        if result.index != self._clip:
            self._clip = result.index
            self.statuses[result.status] += 1
            self.flags.update(result.flags)
        if result.status == "ok":
            for spread, number in zip(self.spreads.values(), result.dimensions, strict=True):
                spread.add(number)
            if self.labels:
                self.labelled[result.label] += 1
                self.confidence[result.label] += self._confidence(result) or 0.0


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
    sheet.set_landscape()
    sheet.fit_to_pages(1, 1)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 5, 16)
    labels = [*counts.labels, *({UNCERTAIN} & counts.labelled.keys() - {*counts.labels})]
    row = 0
    if labels:
        row = _write_labels(book, labels, counts)
    if counts.spreads:
        row = _write_spreads(book, row, counts)
    row = _write_counts(book, row, "status", [(s, counts.statuses[s]) for s in STATUSES])
    if counts.flags:
        row = _write_counts(book, row, "flag", sorted(counts.flags.items()))
    for name, value in {"schema": SCHEMA, **{n: facts[n] for n in _FACTS if n in facts}}.items():
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, printable(str(value)))
        row += 1
    if labels:
        _add_chart(book, len(labels), counts.unit)


def _write_labels(book: "Workbook", labels: Sequence[str], counts: Counts) -> int:
    """Write how many rows have which label; return the row for what comes next."""
    sheet = book.get_worksheet_by_name("Summary")
    share = book.add_format({"num_format": "0.0%"})
    _write_heads(book, 0, ("label", counts.unit, "share", "mean confidence"))
    total = counts.labelled.total()
    for row, label in enumerate(labels, start=1):
        number = counts.labelled[label]
        sheet.write_string(row, 0, printable(label))
        sheet.write_number(row, 1, number)
        if number:
            sheet.write_number(row, 2, number / total, share)
            sheet.write_number(row, 3, counts.confidence[label] / number, share)
    return len(labels) + 2


def _write_spreads(book: "Workbook", row: int, counts: Counts) -> int:
    """Write how the numbers of each dimension are distributed; return the row for what comes."""
    sheet = book.get_worksheet_by_name("Summary")
    form = book.add_format({"num_format": "0.000"})
    _write_heads(book, row, ("dimension", counts.unit, "mean", "deviation", "least", "most"))
    for name, spread in counts.spreads.items():
        row += 1
        sheet.write_string(row, 0, name)
        sheet.write_number(row, 1, spread.count)
        if spread.count:
            numbers = (spread.mean, spread.deviation, spread.low, spread.high)
            for column, number in enumerate(numbers, start=2):
                sheet.write_number(row, column, number, form)
    return row + 2


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
