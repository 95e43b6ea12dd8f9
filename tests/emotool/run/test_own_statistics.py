"""Runs that adapt the model to the statistics of all clips before they label them."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from emotool.errors import EmotoolError
from emotool.inputs.clips import find_clips
from emotool.model.classifier import load_classifier, with_statistics
from emotool.model.linear_head import Moments
from emotool.run.batch import run
from emotool.run.options import Details, Output, RunOptions, Silence
from emotool.run.pipeline import classify_clips
from tests.synthesis import vowel, write_clip


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of clips, one of several windows and one that cannot be read."""
    folder = tmp_path_factory.mktemp("own") / "clips"
    for number in range(24):
        write_clip(folder / f"{number:02}.wav", vowel(90 + 9 * number, 0.4 + 0.3 * number))
    (folder / "broken.wav").write_bytes(b"RIFF")
    return folder


def options(clips: Path, *targets: Path | str, **changes: object) -> RunOptions:
    """Return a run with whisper6."""
    outputs = [Output(os.fspath(target)) for target in targets]
    return RunOptions([os.fspath(clips)], outputs, "whisper6", adapt=True, **changes)  # type: ignore[arg-type]


def test_labels_are_those_of_the_adapted_model(clips: Path, tmp_path: Path) -> None:
    """Statistics of all labelled clips, half-way; also for clips of several windows."""
    base = load_classifier("whisper6")
    found = find_clips([os.fspath(clips)]).clips
    moments = Moments(base.embedding_size())
    for result in classify_clips(found, base, details=Details(segments=True, embeddings=True)):
        if result.status == "ok":
            moments.add(np.stack([np.frombuffer(s.embedding, "<f4") for s in result.segments]))
    adapted = with_statistics(base, moments.statistics())
    wanted = [one.probabilities for one in classify_clips(found, adapted) if one.status == "ok"]
    summary = run(options(clips, tmp_path / "labels.json"))
    document = json.loads((tmp_path / "labels.json").read_text())
    rows = [list(row["probabilities"].values()) for row in document["clips"] if row["label"]]
    assert np.abs(np.array(rows) - np.array(wanted)).max() < 1e-4
    assert (summary.own_statistics_of, document["run"]["own_statistics_of"]) == (24, 24)
    plain = [one.probabilities for one in classify_clips(found, base) if one.status == "ok"]
    assert np.abs(np.array(rows) - np.array(plain)).max() > 0.01


class Interrupts(Silence):
    """Interrupts a run when some clips are embedded."""

    def embedded(self, done: int) -> None:
        """Interrupt."""
        if done == 12:
            raise KeyboardInterrupt


def test_an_interrupted_run_resumes_to_the_same_bytes(clips: Path, tmp_path: Path) -> None:
    """The journal keeps the embeddings; the sums are of all clips in order, as without a stop."""
    run(options(clips, tmp_path / "whole.csv"))
    with pytest.raises(KeyboardInterrupt):
        run(options(clips, tmp_path / "stopped.csv"), Interrupts())
    assert not (tmp_path / "stopped.csv").exists()
    summary = run(options(clips, tmp_path / "stopped.csv"))
    assert summary.resumed >= 11
    assert (tmp_path / "stopped.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"whole.csv", "whole.failures.csv", "stopped.csv", "stopped.failures.csv"}


def test_standard_output_needs_no_journal_beside_it(
    clips: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is embedded is kept in a temporary folder."""
    run(options(clips, tmp_path / "whole.csv"))
    run(options(clips, "-"))
    assert capfd.readouterr().out == (tmp_path / "whole.csv").read_text()


def test_what_cannot_be_adapted_is_an_error(clips: Path, tmp_path: Path) -> None:
    """A model without statistics, and too few clips, before or after they are read."""
    with pytest.raises(EmotoolError, match="cnn stores no statistics"):
        run(RunOptions([os.fspath(clips)], [Output(str(tmp_path / "a.csv"))], "cnn", adapt=True))
    with pytest.raises(EmotoolError, match="needs 20 clips or more, and there are 1"):
        run(options(clips / "00.wav", tmp_path / "a.csv"))
    few = tmp_path / "few"
    few.mkdir()
    for number in range(20):
        target = few / f"{number}.wav"
        target.write_bytes((clips / "00.wav").read_bytes() if number else b"RIFF")
    with pytest.raises(EmotoolError, match="20 usable clips or more, and there are 19"):
        run(options(few, tmp_path / "a.csv"))
    assert not (tmp_path / "a.csv").exists()
