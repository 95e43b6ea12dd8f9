"""Files that annotation programs read."""

import re
from pathlib import Path

import pytest

from emotool.annotations import AnnotationFolder, Annotations, audacity, praat, raven
from emotool.errors import OutputError
from emotool.results.row import ClipResult, Segment

LABELS = ("happy", "sad")


def rows() -> list[ClipResult]:
    """Two rows with a gap before each and one behind."""
    return [
        ClipResult(0, "a.wav", "ok", "m", "happy", 0.9, (0.9, 0.1), 9.0, span=(0.5, 3.5)),
        ClipResult(0, "a.wav", "ok", "m", 'sa"d\t', 0.8, (0.2, 0.8), 9.0, span=(4.0, 7.25)),
    ]


def clip(shown: str) -> ClipResult:
    """Return a clip of one window."""
    said = (Segment(0.0, 2.0, (0.9, 0.1)),)
    return ClipResult(0, shown, "ok", "m", "happy", 0.9, (0.9, 0.1), 2.0, segments=said)


def folder(path: Path, inputs: tuple[str, ...] = ()) -> AnnotationFolder:
    """Open a folder of label tracks."""
    wanted = Annotations("audacity", str(path))
    return AnnotationFolder(wanted, LABELS, inputs, merge=False, top_hertz=8000.0)


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


def test_files_mirror_the_inputs(tmp_path: Path) -> None:
    """Below the folder whatever the input's path; a clip without a label has none."""
    out = folder(tmp_path / "out")
    for name in ("in/a.wav", "in/a.mp3", "/abs/b.wav", "../up/c.wav"):
        out.write(clip(name))
    out.write(ClipResult(1, "d.wav", "failed", stage="open", error="no such file"))
    found = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.txt"))
    assert found == ["out/abs/b.txt", "out/in/a.mp3.txt", "out/in/a.txt", "out/up/c.txt"]
    assert (tmp_path / "out/in/a.txt").read_text() == "0.000000\t2.000000\thappy\n"


def test_an_input_is_never_written_over(tmp_path: Path) -> None:
    """Not even where someone calls sounds .txt."""
    sound = tmp_path / "a.txt"
    sound.write_bytes(b"sound")
    out = folder(tmp_path, (str(sound),))
    with pytest.raises(OutputError, match="is an input"):
        out.write(clip("a.txt"))
    assert sound.read_bytes() == b"sound"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "f").write_text("")
    with pytest.raises(OutputError, match="cannot make the folder"):
        folder(tmp_path / "f")
