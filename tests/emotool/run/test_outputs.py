"""Rows reach every output that was asked for, and a run's outputs are there whole or not at all."""

import os
from pathlib import Path
from typing import Any

import pytest

from emotool.errors import OutputError
from emotool.inputs.clips import find_clips
from emotool.model.classifier import Classifier, load_classifier
from emotool.results.row import ClipResult, Segment
from emotool.run.options import Output, RunOptions
from emotool.run.outputs import Outputs, files_of
from tests.emotool.opened_outputs import FAILED, OK, opened
from tests.emotool.tiny_models import write_tiny_model
from tests.synthesis import vowel, write_clip

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


@pytest.fixture
def model(tmp_path: Path) -> Classifier:
    """Return a model, and leave a clip beside its file."""
    write_clip(tmp_path / "a.wav", vowel(120, 0.5))
    return load_classifier(str(write_tiny_model(tmp_path / "tiny.onnx")), "cpu")


def options(tmp_path: Path, **changes: Any) -> RunOptions:
    """Return options for a table, and what a test adds."""
    outputs = [Output(str(tmp_path / "r.csv"))]
    return RunOptions(**({"paths": [str(tmp_path)], "outputs": outputs} | changes))


def labelled() -> ClipResult:
    """Return a clip of two windows, of which only the second has a confident label."""
    parts = (Segment(0.0, 0.3, (0.55, 0.45)), Segment(0.3, 0.5, (0.05, 0.95)))
    return ClipResult(0, "a.wav", "ok", "tiny", "sad", 0.7, (0.3, 0.7), 0.5, segments=parts)


def test_every_output_gets_every_row(tmp_path: Path) -> None:
    """Several formats at once hold the same clips."""
    with opened(tmp_path, "r.csv", "r.json") as outputs:
        outputs.write(OK)
        outputs.close()
    assert "a.wav" in (tmp_path / "r.csv").read_text()
    assert "a.wav" in (tmp_path / "r.json").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv", "r.json"]


def test_error_leaves_what_was_there(tmp_path: Path) -> None:
    """A run that fails half-way changes nothing."""
    for name in ("r.csv", "r.json"):
        (tmp_path / name).write_text("before")
    with pytest.raises(LookupError), opened(tmp_path, "r.csv", "r.json") as outputs:
        outputs.write(FAILED)
        raise LookupError
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "r.csv": "before",
        "r.json": "before",
    }


def test_no_output_is_made_if_one_cannot_be(tmp_path: Path, model: Classifier) -> None:
    """When the second output cannot be opened, the first is not left half-written."""
    (tmp_path / "folder.csv").mkdir()
    outputs = [Output(str(tmp_path / "r.csv")), Output(str(tmp_path / "folder.csv"))]
    with pytest.raises(OutputError):
        Outputs(RunOptions([], outputs), model)
    assert not (tmp_path / "r.csv").exists()


def test_outputs_are_looked_at_before_the_work(tmp_path: Path) -> None:
    """A missing folder, a folder's name, an unknown format: all found before any clip is read."""
    for target in ("no/r.csv", ".", "r.doc"):
        with pytest.raises(OutputError):
            files_of([Output(str(tmp_path / target), "" if "." in target[1:] else ".csv")])


def test_one_file_is_not_written_twice_at_once(tmp_path: Path) -> None:
    """Two names of one file are noticed, through links as well."""
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    outputs = [Output(str(tmp_path / "r.csv")), Output(str(tmp_path / "link" / "r.csv"))]
    with pytest.raises(OutputError, match="named twice"):
        files_of(outputs)


@posix
def test_streams_are_no_files() -> None:
    """What is written straight through has no journal, no lock and no table of failures."""
    assert files_of([Output("-"), Output("/dev/null"), Output("/dev/stdout")]) == []


def test_windows_are_uncertain_by_their_own_confidence(tmp_path: Path, model: Classifier) -> None:
    """A clip is uncertain as a whole, and its windows one by one."""
    for segments, texts in ((False, ["uncertain"]), (True, ["uncertain", "sad"])):
        wanted = options(tmp_path, min_confidence=0.8, segments=segments)
        with Outputs(wanted, model, find_clips([str(tmp_path)]).clips, []) as outputs:
            assert outputs.write(labelled()).label == "uncertain"
            assert outputs.close({}) is None
        rows = (tmp_path / "r.csv").read_text().splitlines()[1:]
        assert len(rows) == len(texts)
        assert all(text in row for row, text in zip(rows, texts, strict=True))


def test_output_that_cannot_be_opened_leaves_the_others_unwritten(
    tmp_path: Path, model: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table was opened when the embeddings turned out to be impossible: it stays as it was."""
    (tmp_path / "r.csv").write_text("before")
    monkeypatch.setattr(Classifier, "embedding_size", lambda self: 1 / 0)
    discarded: list[Outputs] = []
    discard = Outputs.discard

    def note(outputs: Outputs) -> None:
        discarded.append(outputs)
        discard(outputs)

    monkeypatch.setattr(Outputs, "discard", note)
    embeddings = Output(str(tmp_path / "e.npz"), content="embeddings")
    wanted = options(tmp_path, outputs=[Output(str(tmp_path / "r.csv")), embeddings])
    with pytest.raises(ZeroDivisionError):
        Outputs(wanted, model)
    assert len(discarded) == 1  # without a name in the folder, nothing else would show it
    assert (tmp_path / "r.csv").read_text() == "before"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.wav", "r.csv", "tiny.onnx"]


def test_windows_are_lacking_only_where_no_output_has_them(
    tmp_path: Path, model: Classifier
) -> None:
    """A report alone has no rows about windows; a table beside it has."""
    report, table = Output(str(tmp_path / "r.html")), Output(str(tmp_path / "r.csv"))
    clips = find_clips([str(tmp_path)]).clips
    for outputs, segments, lacks in (
        ([report], True, True),
        ([report], False, False),
        ([report, table], True, False),
    ):
        wanted = options(tmp_path, outputs=outputs, segments=segments)
        with Outputs(wanted, model, clips, []) as opened:
            assert opened.lacks_windows is lacks
            opened.close({})
