"""Files that annotation programs read."""

import re
from dataclasses import replace

import pytest

from emotool.annotations import PROGRAMS, audacity, praat, raven
from emotool.results.row import ClipResult


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
    assert head[:7] == [
        "Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)",
        "High Freq (Hz)",
    ]  # fmt: skip
    assert [line[0] for line in lines] == ["1", "2"]
    assert {len(line) for line in lines} == {len(head)}
    assert lines[0][5:7] == ["0.0", "8000.0"]


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
