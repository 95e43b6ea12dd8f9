"""Evaluation of exported models on labelled clips."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emotool.errors import TrainingError
from emotool.model.classifier import Classifier, load_classifier
from emotool.workers.pool import PoolOptions
from emotool_training.corpora import load_corpora
from emotool_training.evaluation.evaluate import evaluate
from emotool_training.evaluation.files import free_folder, write_evaluation
from tests.emotool.tiny_models import tiny_metadata, write_tiny_model
from tests.synthesis import tone, write_clip

pytestmark = pytest.mark.training

ONE = PoolOptions(workers=1)


@pytest.fixture
def classifier(tmp_path: Path) -> Classifier:
    """Load a tiny model that has heard RAVDESS's first actor."""
    split = {"kind": "speakers", "hash": "0", "speakers": {"train": ["ravdess-01"]}}
    return load_classifier(
        write_tiny_model(tmp_path / "tiny.onnx", tiny_metadata(split=split)), device="cpu"
    )


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Write happy and sad tones under the names of two actors of RAVDESS."""
    folder = tmp_path / "ravdess"
    for actor in (1, 2):
        for number, emotion in enumerate(("03", "04")):
            for take in (1, 2):
                name = f"03-01-{emotion}-01-0{take}-01-{actor:02}.wav"
                sound = tone(300 * actor + 100 * number, amplitude=0.1 + 0.2 * take)
                write_clip(folder / name, sound)
    return folder


def test_speakers_that_were_heard_are_scored_apart(classifier: Classifier, clips: Path) -> None:
    """Only the second actor is new; the headline is about that one."""
    evaluation = evaluate(classifier, load_corpora([clips]).utterances, ONE)
    assert len(evaluation.predictions) == 8
    assert evaluation.headline == "new"
    assert {name: one["clips"] for name, one in evaluation.figures.items()} == {
        "new": 4,
        "heard": 4,
    }
    new = evaluation.predictions.subset("new")
    assert set(new.facts["speaker"]) == {"ravdess-02"}


def test_people_of_folders_may_be_known_by_another_name(tmp_path: Path, clips: Path) -> None:
    """A model that has learnt from someone's own folder may meet its people in a renamed one.

    A model that has learnt from known corpora alone has met nobody elsewhere.
    """
    rows = "".join(f"{path.name},happy,anna\n" for path in clips.glob("*.wav"))
    (clips / "list.csv").write_text(f"path,emotion,speaker\n{rows}")
    own = load_corpora([clips / "list.csv"]).utterances
    known = load_corpora([clips]).utterances
    for speaker, corpus, of_own in (("emodb-03", "emodb", "new"), ("voices-anna", "v", "unknown")):
        split = {"speakers": {"train": [speaker]}}
        metadata = tiny_metadata(split=split, corpora=(corpus,))
        path = write_tiny_model(tmp_path / f"{corpus}.onnx", metadata)
        model = load_classifier(path, device="cpu")
        assert list(evaluate(model, own, ONE).figures) == [of_own]
        assert list(evaluate(model, known, ONE).figures) == ["new"]


@pytest.mark.parametrize("said", [{}, {"speakers": "all"}, {"speakers": {"train": 3}}])
def test_a_model_that_does_not_say_whom_it_heard_is_not_believed(
    tmp_path: Path, clips: Path, said: dict[str, Any]
) -> None:
    """Without a proper list of speakers no clip counts as new."""
    path = write_tiny_model(tmp_path / "tiny.onnx", tiny_metadata(split=said))
    classifier = load_classifier(path, device="cpu")
    evaluation = evaluate(classifier, load_corpora([clips]).utterances, ONE)
    assert list(evaluation.figures) == ["unknown"]


def test_clips_without_a_label_are_counted_not_forgotten(
    classifier: Classifier, clips: Path
) -> None:
    """A broken file and silence are in no figure, and listed by key."""
    (clips / "03-01-03-01-01-01-02.wav").write_text("no sound")
    write_clip(clips / "03-01-03-01-02-01-02.wav", tone(300, amplitude=0.0))
    told: list[tuple[int, int]] = []
    evaluation = evaluate(
        classifier,
        load_corpora([clips]).utterances,
        ONE,
        progress=lambda done, total: told.append((done, total)),
    )
    assert {one.shown: one.status for one in evaluation.unanswered} == {
        "ravdess/03-01-03-01-01-01-02": "failed",
        "ravdess/03-01-03-01-02-01-02": "silent",
    }
    assert len(evaluation.predictions) == 6
    assert told[-1] == (8, 8)


def test_probabilities_are_those_of_classify(classifier: Classifier, clips: Path) -> None:
    """Each clip's answer is what the pipeline says of it, whatever the batch."""
    utterances = load_corpora([clips]).utterances
    one = evaluate(classifier, utterances, ONE, batch_size=1).predictions
    many = evaluate(classifier, utterances, ONE).predictions
    assert one.facts["key"].tolist() == sorted(u.key for u in utterances)
    assert abs(one.probabilities - many.probabilities).max() < 1e-6


def test_nothing_labelled_is_an_error(classifier: Classifier, clips: Path) -> None:
    """If every clip fails there is nothing to score."""
    for path in clips.iterdir():
        path.write_text("no sound")
    with pytest.raises(TrainingError, match="none of 8 clips"):
        evaluate(classifier, load_corpora([clips]).utterances, ONE)


def test_the_report_is_complete(classifier: Classifier, clips: Path, tmp_path: Path) -> None:
    """Figures, every clip's answer and three pictures; the JSON names the exact model."""
    evaluation = evaluate(classifier, load_corpora([clips]).utterances, ONE)
    folder = tmp_path / "report" / "tiny"
    write_evaluation(evaluation, classifier, folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "confusion_matrix.png",
        "evaluation.json",
        "min_confidence.png",
        "predictions.csv",
        "reliability.png",
    ]
    report = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert report["sha256"] == classifier.sha256
    assert report["groups"]["new"]["uar"] == evaluation.figures["new"]["uar"]
    assert len((folder / "predictions.csv").read_text(encoding="utf-8").splitlines()) == 9


def test_an_evaluation_on_other_clips_is_kept(
    classifier: Classifier, clips: Path, tmp_path: Path
) -> None:
    """Where no folder was named, the next free one is taken; the same clips take theirs again."""
    evaluation = evaluate(classifier, load_corpora([clips]).utterances, ONE)
    folder = tmp_path / "tiny"
    everything = evaluation.predictions
    fewer = everything.select(np.arange(len(everything)) > 0)
    assert free_folder(folder, everything) == folder
    write_evaluation(evaluation, classifier, folder)
    assert free_folder(folder, everything) == folder
    assert free_folder(folder, fewer) == tmp_path / "tiny_2"
