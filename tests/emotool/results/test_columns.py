"""How a row's values are written, in one place for all formats."""

import os

import pytest
from hypothesis import given

from emotool.results.columns import cells, record
from emotool.results.row import STATUSES, ClipResult, columns
from tests.emotool.hostile import results

OK = ClipResult(
    index=3,
    shown="a/b.wav",
    status="ok",
    model="cnn",
    label="sad",
    confidence=0.7499999,
    probabilities=(0.2500001, 0.7499999),
    duration_s=2.50049,
    flags=("clipped", "long"),
)
FAILED = ClipResult(4, "a/c.wav", "failed", "cnn", stage="decode", error="not audio")
SILENT = ClipResult(5, "a/d.wav", "silent", "cnn", duration_s=1.0)


def test_cells_follow_the_columns() -> None:
    """Six decimals for probabilities, three for seconds, flags joined by semicolons."""
    assert cells(OK, 2) == [
        "a/b.wav",
        "ok",
        "sad",
        "0.750000",
        "0.250000",
        "0.750000",
        "2.500",
        "clipped;long",
        "cnn",
        "",
    ]


def test_absent_values_are_empty_cells() -> None:
    """A clip without a label has no made-up numbers."""
    assert cells(FAILED, 2) == [
        *("a/c.wav", "failed", "", "", "", "", "", "", "cnn", "decode: not audio")
    ]
    assert cells(SILENT, 2) == ["a/d.wav", "silent", "", "", "", "", "1.000", "", "cnn", ""]


def test_record_is_the_same_row_typed() -> None:
    """JSON gets numbers, lists and null where CSV has text."""
    assert record(OK, ("happy", "sad")) == {
        "path": "a/b.wav",
        "status": "ok",
        "label": "sad",
        "confidence": 0.75,
        "probabilities": {"happy": 0.25, "sad": 0.75},
        "duration_s": 2.5,
        "flags": ["clipped", "long"],
        "model": "cnn",
        "stage": None,
        "error": None,
    }
    failed = record(FAILED, ("happy", "sad"))
    assert (failed["stage"], failed["error"]) == ("decode", "not audio")
    assert failed["label"] is failed["confidence"] is failed["probabilities"] is None


def test_wrong_number_of_probabilities_is_never_written() -> None:
    """A row cannot shift its cells under other columns."""
    with pytest.raises(ValueError, match="2 probabilities for 3 labels"):
        cells(OK, 3)
    with pytest.raises(ValueError, match=r"shorter|longer"):
        record(OK, ("happy", "sad", "angry"))


@given(result=results())
def test_every_row_has_a_cell_for_every_column(result: ClipResult) -> None:
    """Whatever became of the clip, its row is as wide as the header, and is UTF-8."""
    row = cells(result, 2)
    assert len(row) == len(columns(("a", "b")))
    assert row[1] in STATUSES
    assert all(cell.encode() is not None for cell in row)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no undecodable names")
def test_records_of_undecodable_names_have_their_bytes() -> None:
    """JSON says what the text of a path cannot, and nothing more where it can."""
    name = os.fsdecode(b"caf\xe9.wav")
    assert record(ClipResult(0, name, "silent"), ())["path_bytes"] == "Y2Fm6S53YXY="
    assert "path_bytes" not in record(OK, ("happy", "sad"))
