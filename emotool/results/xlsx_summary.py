"""The sheet *Summary* of a spreadsheet: how many clips have which label, as table and chart."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emotool.results.row import SCHEMA, STATUSES, UNCERTAIN, ClipResult
from emotool.text import printable

if TYPE_CHECKING:
    from xlsxwriter import Workbook

__all__ = ["Counts", "write_summary"]

# What is the same for the same clips and model: times would make each run's bytes differ.
_FACTS = ("model", "model_sha256", "emotool", "onnxruntime")


class Counts:
    """Counts rows as they pass.

    Parameters
    ----------
    labels : sequence of str
        The model's labels.

    Attributes
    ----------
    rows : int
        How many rows there were.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.rows = 0
        self.statuses: Counter[str] = Counter()
        self.clips: Counter[str] = Counter()
        self.confidence: defaultdict[str, float] = defaultdict(float)

    def add(self, result: ClipResult) -> None:
        """Count a row."""
        self.rows += 1
        self.statuses[result.status] += 1
        if result.status == "ok":
            self.clips[result.label] += 1
            self.confidence[result.label] += result.confidence or 0.0


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
    bold = book.add_format({"bold": True, "bottom": 1})
    share = book.add_format({"num_format": "0.0%"})
    sheet.set_landscape()
    sheet.fit_to_pages(1, 1)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 3, 16)
    for column, title in enumerate(("label", "clips", "share", "mean confidence")):
        sheet.write_string(0, column, title, bold)
    labelled = counts.clips.total()
    labels = [*counts.labels, *({UNCERTAIN} & counts.clips.keys() - {*counts.labels})]
    for row, label in enumerate(labels, start=1):
        clips = counts.clips[label]
        sheet.write_string(row, 0, printable(label))
        sheet.write_number(row, 1, clips)
        if clips:
            sheet.write_number(row, 2, clips / labelled, share)
            sheet.write_number(row, 3, counts.confidence[label] / clips, share)
    row = len(labels) + 2
    sheet.write_string(row, 0, "status", bold)
    sheet.write_string(row, 1, "clips", bold)
    for status in STATUSES:
        row += 1
        sheet.write_string(row, 0, status)
        sheet.write_number(row, 1, counts.statuses[status])
    row += 2
    for name, value in {"schema": SCHEMA, **{n: facts[n] for n in _FACTS if n in facts}}.items():
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, printable(str(value)))
        row += 1
    _add_chart(book, len(labels))


def _add_chart(book: "Workbook", n_labels: int) -> None:
    chart = book.add_chart({"type": "bar"})
    chart.add_series(
        {
            "categories": ["Summary", 1, 0, n_labels, 0],
            "values": ["Summary", 1, 1, n_labels, 1],
            "data_labels": {"value": True},
            "gap": 60,
        }
    )
    chart.set_title({"name": "Clips by label"})
    chart.set_legend({"none": True})
    chart.set_y_axis({"reverse": True})  # the first label on top
    chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}, "min": 0})
    chart.set_size({"width": 520, "height": 120 + 40 * n_labels})
    book.get_worksheet_by_name("Summary").insert_chart("F2", chart)
