"""Each output of a run gets rows as it wants them, and one that fails leaves the others alone."""

from pathlib import Path
from typing import Any

import pytest

from emotool.inputs.clips import find_clips
from emotool.model.classifier import Classifier, load_classifier
from emotool.results.row import ClipResult, Segment
from emotool.run.options import Output, RunOptions
from emotool.run.outputs import Outputs, beside, open_outputs
from emotool.writers.annotation_folder import Annotations
from tests.emotool.tiny_models import write_tiny_model
from tests.synthesis import vowel, write_clip


@pytest.fixture
def model(tmp_path: Path) -> Classifier:
    """Return a model, and leave a clip beside its file."""
    write_clip(tmp_path / "a.wav", vowel(120, 0.5))
    return load_classifier(str(write_tiny_model(tmp_path / "tiny.onnx")), "cpu")


def options(tmp_path: Path, **changes: Any) -> RunOptions:
    """Say what was asked for: a table, and what a test adds."""
    outputs = [Output(str(tmp_path / "r.csv"))]
    return RunOptions(**({"paths": [str(tmp_path)], "outputs": outputs} | changes))


def labelled() -> ClipResult:
    """Return what a model said of two windows, of which it was sure of the second only."""
    parts = (Segment(0.0, 0.3, (0.55, 0.45)), Segment(0.3, 0.5, (0.05, 0.95)))
    return ClipResult(0, "a.wav", "ok", "tiny", "sad", 0.7, (0.3, 0.7), 0.5, segments=parts)


def test_doubt_is_for_rows_not_for_what_was_said(tmp_path: Path, model: Classifier) -> None:
    """A clip is doubted as a whole, and its windows one by one by what was said of each."""
    for segments, texts in ((False, ["uncertain"]), (True, ["uncertain", "sad"])):
        wanted = options(tmp_path, min_confidence=0.8, segments=segments)
        with open_outputs(wanted, model, find_clips([str(tmp_path)]).clips, []) as outputs:
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
    given_up: list[Outputs] = []
    discard = Outputs.discard

    def give_up(outputs: Outputs) -> None:
        given_up.append(outputs)
        discard(outputs)

    monkeypatch.setattr(Outputs, "discard", give_up)
    wanted = options(tmp_path, embeddings=str(tmp_path / "e.npz"))
    with pytest.raises(ZeroDivisionError), open_outputs(wanted, model, [], []):
        pytest.fail("it was opened")
    assert len(given_up) == 1  # without a name in the folder, nothing else would show it
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
        with open_outputs(wanted, model, clips, []) as opened:
            assert opened.lacks_windows is lacks
            opened.close({})


def test_what_lies_beside_the_tables_is_named(tmp_path: Path) -> None:
    """Folders of annotations and a file of embeddings are told in the order they were asked for."""
    wanted = options(tmp_path, annotations=[Annotations("audacity", "tracks")], embeddings="e.npz")
    assert beside(wanted) == (("files for audacity", "tracks"), ("embeddings", "e.npz"))
    assert beside(options(tmp_path)) == ()
