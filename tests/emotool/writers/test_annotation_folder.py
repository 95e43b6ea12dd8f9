"""Annotations lie in a folder like their recordings, and replace nobody's work."""

from pathlib import Path

import pytest

from emotool.errors import OutputError
from emotool.results.row import ClipResult, Segment
from emotool.results.segments import segment_rows
from emotool.writers.annotation_folder import AnnotationFolder, Named
from emotool.writers.base import Output

LABELS = ("happy", "sad")


def clip(shown: str) -> ClipResult:
    """Return a clip of one window."""
    said = (Segment(0.0, 2.0, (0.9, 0.1)),)
    return ClipResult(0, shown, "ok", "m", "happy", 0.9, (0.9, 0.1), 2.0, segments=said)


def rows(result: ClipResult) -> list[ClipResult]:
    """Return the rows of a clip's windows."""
    return segment_rows(result, LABELS, merge=False)


def folder(path: Path, reserved: tuple[Path, ...] = ()) -> AnnotationFolder:
    """Open a folder of label tracks."""
    return AnnotationFolder(
        Output(str(path), content="audacity"), rows, Named(LABELS, (), 8000.0), reserved
    )


def test_files_mirror_the_inputs(tmp_path: Path) -> None:
    """Below the folder whatever the input's path; a clip without a label has none."""
    out = folder(tmp_path / "out")
    for name in ("in/a.wav", "in/a.mp3", "in/a.mp3", "/abs/b.wav", "../up/c.wav", "C:\\d\\e.wav"):
        out.write(clip(name))
    out.write(ClipResult(1, "d.wav", "failed", stage="open", error="no such file"))
    found = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.txt"))
    assert found == [
        "out/C_/d/e.txt", "out/abs/b.txt", "out/in/_a.mp3.txt", "out/in/a.mp3.txt", "out/in/a.txt",
        "out/up/c.txt",
    ]  # fmt: skip
    assert (tmp_path / "out/in/a.txt").read_text() == "0.000000\t2.000000\thappy\n"


def test_clips_of_an_archive_get_a_folder_beside_it(tmp_path: Path) -> None:
    """Where the archive lies there can be no folder of its name."""
    (tmp_path / "t.zip").write_bytes(b"PK")
    folder(tmp_path).write(clip("t.zip/in/a.wav"))
    assert (tmp_path / "t_zip" / "in" / "a.txt").is_file()
    assert (tmp_path / "t.zip").read_bytes() == b"PK"


def test_names_that_no_file_can_have_are_shortened(tmp_path: Path) -> None:
    """A recording's name may be as long as names get; its annotation's has some more."""
    out = folder(tmp_path)
    names = ["é" * 120 + f"{number}.wav" for number in range(2)]
    names += ["x" * 253 + ".a", "y" * 251 + ".wav", "\udce9" * 100 + ".wav"]
    for name in names:
        out.write(clip(name))
        out.write(clip(f"{'d' * 250}/{name}"))
    assert len(list(tmp_path.glob("*.txt"))) == len(list(tmp_path.glob("d*/*.txt"))) == 5


def test_folders_and_annotations_of_one_name_give_way(tmp_path: Path) -> None:
    """Beside a.wav may lie a folder a.txt with recordings, before or after it in order."""
    out = folder(tmp_path)
    for name in ("b/a.txt/x.wav", "b/a.wav", "c/a.flac", "c/a.txt/x.wav"):
        out.write(clip(name))
    found = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())
    assert found == ["b/_a.txt", "b/a.txt/x.txt", "c/_a.txt/x.txt", "c/a.txt"]


@pytest.mark.parametrize("content", ["Kids are talking.\n", "sound", "0.0\t1.0\tthe door\n"])
def test_what_others_made_is_never_written_over(tmp_path: Path, content: str) -> None:
    """Transcripts lie beside recordings, and someone may call sounds .txt."""
    (tmp_path / "a.txt").write_text(content)
    with pytest.raises(OutputError, match="already exists"):
        folder(tmp_path).write(clip("a.wav"))
    assert (tmp_path / "a.txt").read_text() == content


def test_own_annotations_are_replaced(tmp_path: Path) -> None:
    """So that a run can be given again, or resumed; uncertain ones as well."""

    def doubtful(result: ClipResult) -> list[ClipResult]:
        return [row.uncertain_below(0.95) for row in rows(result)]

    wanted = Output(str(tmp_path), content="audacity")
    AnnotationFolder(wanted, doubtful, Named(LABELS, (), 8000.0)).write(clip("a.wav"))
    assert (tmp_path / "a.txt").read_text() == "0.000000\t2.000000\tuncertain\n"
    folder(tmp_path).write(clip("a.wav"))
    assert (tmp_path / "a.txt").read_text() == "0.000000\t2.000000\thappy\n"


def test_what_the_run_makes_itself_is_spared(tmp_path: Path) -> None:
    """A table called like an annotation is not in its place yet."""
    with pytest.raises(OutputError, match="output of the same command"):
        folder(tmp_path, (tmp_path.resolve() / "a.txt",)).write(clip("a.wav"))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "f").write_text("")
    with pytest.raises(OutputError, match="cannot make the folder"):
        folder(tmp_path / "f")
