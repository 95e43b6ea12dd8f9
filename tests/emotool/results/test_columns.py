"""One table of columns, the same in every format."""

import base64
import csv
import json
import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool.inputs.manifest import Manifest
from emotool.results import columns
from emotool.results.answer_columns import single
from emotool.results.column import Column
from emotool.results.columns import Columns
from emotool.results.row import STATUSES, ClipResult
from emotool.text import path_bytes, path_text
from emotool.writers.registry import WRITERS, open_writer
from tests.emotool.hostile import names, results

LABELS = ("happy", "sad")
TABLE = Columns(LABELS)
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


def test_columns_are_the_documented_ones() -> None:
    """The order and names of the columns are a promise to everyone who reads the files."""
    assert ",".join(TABLE.names) == (
        "path,status,label,confidence,p_happy,p_sad,duration_s,flags,model,error"
    )
    page = (Path(__file__).resolve().parents[3] / "docs" / "schema.md").read_text("utf-8")
    missing = [name for name in Columns(("LABEL",), segments=True, top=1).names if name not in page]
    assert missing == []


def test_columns_of_segments_have_times() -> None:
    """The two times stand after the duration, and nothing else moves."""
    windows = Columns(LABELS, segments=True).names
    at = TABLE.names.index("duration_s") + 1
    assert windows == (*TABLE.names[:at], "start_s", "end_s", *TABLE.names[at:])


def test_every_column_has_a_meaning() -> None:
    """The documentation of the schema is made of them."""
    table = Columns(LABELS, segments=True, top=1, manifest=manifest(["file"], []))
    assert all(entry.meaning for entry in table.entries if entry.columns)


def manifest(names: list[str], rows: list[tuple[str, ...]]) -> Manifest:
    """Return a manifest of these cells."""
    return Manifest("m.csv", tuple(names), rows, 0)


def test_cells_follow_the_columns() -> None:
    """Six decimals for probabilities, three for seconds, flags joined by semicolons."""
    assert TABLE.cells(OK) == [
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
    assert TABLE.cells(FAILED) == [
        *("a/c.wav", "failed", "", "", "", "", "", "", "cnn", "decode: not audio")
    ]
    assert TABLE.cells(SILENT) == ["a/d.wav", "silent", "", "", "", "", "1.000", "", "cnn", ""]


def test_record_is_the_same_row_typed() -> None:
    """JSON gets numbers, lists and null where CSV has text."""
    assert TABLE.record(OK) == {
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
    failed = TABLE.record(FAILED)
    assert (failed["stage"], failed["error"]) == ("decode", "not audio")
    assert failed["label"] is failed["confidence"] is failed["probabilities"] is None


@pytest.mark.parametrize("write", [Columns.cells, Columns.values, Columns.record])
def test_wrong_number_of_probabilities_is_never_written(
    write: Callable[[Columns, ClipResult], object],
) -> None:
    """A row cannot shift its cells under other columns."""
    for labels in (("happy",), ("happy", "sad", "angry")):
        with pytest.raises(ValueError, match=f"2 probabilities for {len(labels)} labels"):
            write(Columns(labels), OK)


@given(result=results())
def test_every_row_has_a_cell_for_every_column(result: ClipResult) -> None:
    """Whatever became of the clip, its row is as wide as the header, and is UTF-8."""
    table = Columns(("a", "b"))
    row = table.cells(result)
    assert len(row) == len(table.names)
    assert row[1] in STATUSES
    assert all(cell.encode() is not None for cell in row)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no undecodable names")
def test_records_of_undecodable_names_have_their_bytes() -> None:
    """JSON says what the text of a path cannot, and nothing more where it can."""
    name = os.fsdecode(b"caf\xe9.wav")
    assert TABLE.record(ClipResult(0, name, "silent"))["path_bytes"] == "Y2Fm6S53YXY="
    assert "path_bytes" not in TABLE.record(OK)


@given(result=results(n_labels=3, labels=("a", "b", "c")))
def test_labels_are_ranked(result: ClipResult) -> None:
    """The first is the row's label with its confidence, and none is more likely than the last."""
    for wanted in range(5):
        table = Columns(("a", "b", "c"), top=wanted)
        columns = len(table.names) - len(Columns(("a", "b", "c")).names)
        assert columns == 2 * min(wanted, 3)
        ranked = table.record(result)["top"] or [] if wanted else []
        assert len(ranked) == (min(wanted, 3) if result.status == "ok" else 0)
        if ranked:
            pairs = [value for pair in ranked for value in pair.values()]
            assert pairs == table.values(result)[-columns:]
            assert pairs[:2] == [result.label, round(result.confidence or 0, 6)]
            shares = pairs[1::2]
            assert shares == sorted(shares, reverse=True)
            better = [p for p in result.probabilities if round(p, 6) > shares[-1]]
            assert len(better) < len(ranked)


def test_a_model_with_fewer_labels_gives_all_it_has() -> None:
    """No columns that could never be filled."""
    assert Columns(("a", "b"), top=5).names[-4:] == ("top_1", "top_1_p", "top_2", "top_2_p")
    assert Columns((), top=5).names == Columns(()).names


def test_equally_probable_labels_keep_the_models_order() -> None:
    """As `label` takes the first of them."""
    row = ClipResult(0, "a.wav", "ok", "cnn", "a", 0.4, (0.4, 0.2, 0.4))
    values = Columns(("a", "b", "c"), top=3).values(row)
    assert values[-6:] == ["a", 0.4, "c", 0.4, "b", 0.2]


def test_rows_are_ranked_one_by_one() -> None:
    """What is remembered of one row is never given for another, also of equal content."""
    table = Columns(LABELS, top=1)
    rows = [ClipResult(i, "a", "ok", "m", "sad", p, (1 - p, p)) for i, p in enumerate((0.7, 0.8))]
    assert [table.values(row)[-1] for row in (*rows, *rows)] == [0.7, 0.8, 0.7, 0.8]
    assert table.values(FAILED)[-2:] == [None, None]


@given(names=st.lists(st.sampled_from([*TABLE.names, "x", "manifest_path"]), unique=True))
def test_names_of_a_manifests_columns_are_distinct(names: list[str]) -> None:
    """Whatever a manifest calls its columns, also what ours are called."""
    table = Columns(LABELS, manifest=manifest(names, []))
    assert table.names[: len(TABLE.names)] == TABLE.names
    assert len(set(table.names)) == len(TABLE.names) + len(names)


def test_manifests_columns_come_after_the_ranked_labels() -> None:
    """One that is called like one of those is renamed; JSON has the names as they are."""
    table = Columns(LABELS, top=1, manifest=manifest(["top_1", "x_p"], [("?", "")]))
    row = ClipResult(0, "x.wav", "ok", "cnn", "sad", 0.75, (0.25, 0.75), 2.5)
    assert table.names[-4:] == ("top_1", "top_1_p", "manifest_top_1", "x_p")
    assert table.values(row)[-4:] == ["sad", 0.75, "?", None]
    assert table.record(row)["manifest"] == {"top_1": "?", "x_p": ""}


@given(name=names)
def test_path_is_lossless(name: str) -> None:
    """Either the text is the name itself, or the bytes are there to tell."""
    raw = path_bytes(name)
    if raw is None:
        assert path_text(name) == name
    else:
        assert base64.b64decode(raw) == name.encode("utf-8", "surrogateescape")
        assert path_text(name).encode()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no undecodable names")
def test_undecodable_bytes_are_shown_by_their_value() -> None:
    """A Latin-1 name on a UTF-8 system is readable, and its bytes are kept."""
    name = os.fsdecode(b"caf\xe9.wav")
    assert path_text(name) == r"caf\xe9.wav"
    assert path_bytes(name) == "Y2Fm6S53YXY="


def test_lone_surrogates_of_windows_are_escaped() -> None:
    """A name that is no Unicode for another reason is text all the same."""
    assert path_text("a\ud800b") == r"a\ud800b"


def pages_rows(path: Path) -> list[list[Any]]:
    """Return the first row of a report as names and values that its details list."""
    text = path.read_text("utf-8")
    page, rows = (
        json.loads(re.findall(f'<script type="application/json" {which}>(.*?)</script>', text)[0])
        for which in ('id="page"', 'class="rows"')
    )
    return [page["kept"], rows[0][-1]]


def read_back(path: Path) -> tuple[Any, Any]:
    """Return the last column of a table: its name, and its value in the first row."""
    pandas = pytest.importorskip("pandas")
    readers: dict[str, Callable[[Path], Any]] = {
        ".csv": pandas.read_csv,
        ".tsv": lambda file: pandas.read_csv(file, sep="\t"),
        ".xlsx": pandas.read_excel,
        ".parquet": pandas.read_parquet,
        ".jsonl": lambda file: pandas.read_json(file, lines=True),
        ".json": lambda file: pandas.DataFrame(json.loads(file.read_text())["clips"]),
    }
    if path.suffix == ".html":
        (name,), (value,) = pages_rows(path)
        return name, float(value)
    frame = readers[path.suffix](path)
    return frame.columns[-1], frame.iloc[0, -1]


@pytest.mark.parametrize("suffix", sorted(WRITERS))
def test_a_column_that_is_added_is_in_every_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """One line in one file: every writer iterates the table, and none knows its columns."""
    entries = columns._entries

    def more(*arguments: Any, **options: Any) -> Any:
        yield from entries(*arguments, **options)
        loudness = Column("loudness", "number", lambda result: -20.0 - result.index / 3, 2)
        yield single(loudness, "mean level in dB")

    monkeypatch.setattr(columns, "_entries", more)
    path = tmp_path / f"r{suffix}"
    with open_writer(str(path), Columns(LABELS)) as writer:
        writer.write(OK)
    assert read_back(path) == ("loudness", -21.0)


def test_a_column_that_is_added_is_in_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of results have the columns of the tables."""
    pytest.importorskip("pandas")
    from emotool import Result, to_frame

    entries = columns._entries

    def more(*arguments: Any, **options: Any) -> Any:
        yield from entries(*arguments, **options)
        yield single(Column("name", "text", lambda result: result.shown.upper()), "")

    monkeypatch.setattr(columns, "_entries", more)
    frame = to_frame([Result("a.wav", "silent", None, None, {}, 1.0, (), "cnn", "no sound")])
    assert (frame.columns[-1], frame.iloc[0, -1]) == ("name", "A.WAV")


def test_order_of_columns_is_known_to_the_table_alone(tmp_path: Path) -> None:
    """In another order, every column of a CSV still has its own values."""
    table = Columns(LABELS, segments=True, top=2)
    shuffled = random.Random(0).sample(table.columns, len(table.columns))
    table.columns, table.names = tuple(shuffled), tuple(column.name for column in shuffled)
    with open_writer(str(tmp_path / "r.csv"), table) as writer:
        writer.write(OK)
    (row,) = csv.DictReader((tmp_path / "r.csv").read_text().splitlines())
    assert list(row) == list(table.names)
    assert (row["path"], row["p_sad"], row["top_2_p"]) == ("a/b.wav", "0.750000", "0.250000")
    assert (row["duration_s"], row["flags"]) == ("2.500", "clipped;long")
