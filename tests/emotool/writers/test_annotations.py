"""Files that annotation programs read."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from emotool.features.extraction import extract
from emotool.features.spec import SpectrogramSpec
from emotool.results.row import ClipResult
from emotool.writers.annotations import PROGRAMS, audacity, praat, raven
from tests.synthesis import tone, write_clip


def rows() -> list[ClipResult]:
    """Two rows with a gap before each and one behind."""
    return [
        ClipResult(0, "a.wav", "ok", "m", "happy", 0.9, (0.9, 0.1), 9.0, span=(0.5, 3.5)),
        ClipResult(0, "a.wav", "ok", "m", 'sa"d\t', 0.8, (0.2, 0.8), 9.0, span=(4.0, 7.25)),
    ]


def test_a_label_track_has_start_end_and_label() -> None:
    """Separated by tabs, of which none is left in a label."""
    lines = [line.split("\t") for line in audacity(rows(), 8000.0).splitlines()]
    assert [line[:2] for line in lines] == [["0.500000", "3.500000"], ["4.000000", "7.250000"]]
    assert all(len(line) == 3 for line in lines)


def test_a_selection_table_has_ravens_columns() -> None:
    """As many cells in each line, numbered from 1, over the model's frequencies."""
    head, *lines = [line.split("\t") for line in raven(rows(), 8000.0).splitlines()]
    assert head[:8] == [
        "Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)",
        "High Freq (Hz)", "Begin File",
    ]  # fmt: skip
    assert [line[0] for line in lines] == ["1", "2"]
    assert {len(line) for line in lines} == {len(head)}
    assert lines[0][5:8] == ["0.0", "8000.0", "a.wav"]


def test_selections_reach_to_the_files_own_nyquist_frequency() -> None:
    """The model's highest frequency is not the recording's; files are named without folders."""
    told = [replace(row, source_rate=44_100, shown="talks/b\t1.wav") for row in rows()]
    head, *lines = [line.split("\t") for line in raven(told, 8000.0).splitlines()]
    place = head.index("High Freq (Hz)")
    assert {line[place] for line in lines} == {"22050.0"}
    assert {line[head.index("Begin File")] for line in lines} == {r"b\x091.wav"}


def test_a_textgrid_fills_its_tier_without_a_gap() -> None:
    """From 0 to the recording's end, quotes doubled, overlaps cut."""
    text = praat([*rows(), ClipResult(0, "a", "ok", label="sad", span=(6.0, 8.0))], 8000.0)
    pattern = r"xmin = ([\d.]+)\n\s+xmax = ([\d.]+)\n\s+text = \"(.*)\""
    found = [(float(a), float(b), label) for a, b, label in re.findall(pattern, text)]
    assert [(a, b) for a, b, _ in found] == [
        (0.0, 0.5), (0.5, 3.5), (3.5, 4.0), (4.0, 7.25), (7.25, 8.0), (8.0, 9.0),
    ]  # fmt: skip
    assert [label for *_, label in found][1::2] == ["happy", 'sa""d\\x09', ""]
    assert "intervals: size = 6" in text


@pytest.mark.parametrize("length", [2.267_625, 2.267_596_4 + 1e-9, 2.267_5, None])
def test_a_textgrid_has_no_slivers(length: float | None) -> None:
    """Ends and lengths come of two clocks: a fraction of a sample is no interval of its own."""
    spans = [(0.0, 0.8), (0.8 + 1e-9, 1.6), (1.6 - 1e-9, 2.267_596_4), (2.0, 2.267_596_5)]
    told = [ClipResult(0, "a.wav", "ok", label="sad", duration_s=length, span=s) for s in spans]
    text = praat(told, 8000.0)
    found = re.findall(r"xmin = ([\d.]+)\n\s+xmax = ([\d.]+)\n\s+text", text)
    assert found == [("0.000000", "0.800000"), ("0.800000", "1.600000"), ("1.600000", "2.267596")]
    assert text.count("xmax = 2.267596") == 3  # the file's, the tier's, the last interval's


def test_a_textgrid_of_44_kilohertz_ends_with_its_last_window(tmp_path: Path) -> None:
    """The model's rate makes such a tone 29 microseconds longer than the file has it."""
    path = write_clip(tmp_path / "a.wav", tone(440, 100_001 / 44_100, 44_100), 44_100)
    heard = extract(path, SpectrogramSpec(trim_db=None))
    span = (heard.starts_s[-1], heard.ends_s[-1])
    assert heard.duration_s > span[1]
    told = ClipResult(0, "a.wav", "ok", label="sad", duration_s=heard.duration_s, span=span)
    assert "intervals: size = 1\n" in praat([told], 8000.0)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_own_files_are_known_again(name: str) -> None:
    """By their rows, whose labels are the model's."""
    program = PROGRAMS[name]
    told = [replace(row, label="sad") for row in rows()]
    assert program.wrote(program.write(told, 8000.0), ("happy", "sad"))
    assert not program.wrote(program.write(told, 8000.0), ("happy", "angry"))


@pytest.mark.parametrize("name", sorted(PROGRAMS))
@pytest.mark.parametrize(
    "content",
    [
        "",
        "happy\n",
        "Kids are talking by the door.\n",
        "0.000000\t2.500000\tthe door\n",
        "0.000000\t2.500000\tsad\nand a remark\n",
        "0.000000\t2.500000\t\n",
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\n    text = ""\n',
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\n    text = "hm"\n',
    ],
)
def test_what_people_wrote_is_not_taken_for_ours(name: str, content: str) -> None:
    """Transcripts, others' tracks, and ours with something added."""
    assert not PROGRAMS[name].wrote(content, ("happy", "sad"))
