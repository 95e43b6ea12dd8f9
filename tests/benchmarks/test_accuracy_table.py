"""The results table."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy_figures import _fit, _of_others, figures_of, pictures
from benchmarks.accuracy_store import OWN_STATISTICS, Job, Outcome, load_all, save_job
from benchmarks.accuracy_table import markdown
from emotool.errors import TrainingError
from emotool_training.evaluation.calibration import apply_temperature, reliability
from emotool_training.evaluation.predictions import Predictions, concatenate, from_rows
from emotool_training.evaluation.scores import score

LABELS = ("happy", "sad")
OUTCOME = Outcome("recipe", "kind", "split", 2, 24, 5, 1800.0, "commit")


def predictions(fold: int, seed: int, sharpness: float = 1.0) -> Predictions:
    """Make 24 test and 24 validation clips of one fold, some wrong, `sharpness` times too sure."""
    generator = np.random.default_rng(100 * seed + fold)
    rows = []
    for subset, shift in (("test", 0), ("validation", 1)):
        for i in range(24):
            truth = i % 2
            corpus = ("nemo", "tess")[i // 2 % 2]
            person = f"{corpus}-{(fold + shift) % 2 if corpus == 'nemo' else 'OAF'}"
            logit = sharpness * generator.normal(2.0 * (1 - 2 * truth), 2.0)
            happy = 1 / (1 + np.exp(-logit))
            rows.append(
                {"key": f"{corpus}/{(fold + shift) % 2}{i:02}", "corpus": corpus}
                | {"speaker": person, "emotion": LABELS[truth], "subset": subset}
                | {"p_happy": str(happy), "p_sad": str(1 - happy)}
            )
    return from_rows(LABELS, rows)


HOME = ("new_speakers", "random_clips")
"""Protocols in which each corpus trains."""


def fill(
    results: Path,
    model: str = "cnn",
    seeds: int = 1,
    sharpness: float = 1.0,
    protocols: Sequence[str] = HOME,
) -> None:
    """Save both folds of some protocols."""
    for protocol in protocols:
        for seed in range(seeds):
            for fold in (0, 1):
                outcome = replace(OUTCOME, best_epoch=5 + fold)
                job = Job(model, protocol, seed, fold)
                save_job(results, job, predictions(fold, seed, sharpness), outcome)


def test_protocols_of_different_recipes_are_not_put_side_by_side(tmp_path: Path) -> None:
    """Also where they differ in nothing but how long they train."""
    fill(tmp_path)
    assert figures_of(tmp_path, "cnn")["epochs"] == [5, 6]
    for fold in (0, 1):
        job, later = Job("cnn", "random_clips", 0, fold), replace(OUTCOME, recipe="longer")
        save_job(tmp_path, job, predictions(fold, 0), later)
    with pytest.raises(TrainingError, match="cnn: its protocols' results"):
        figures_of(tmp_path, "cnn")


def test_each_clip_counts_once_per_seed(tmp_path: Path) -> None:
    """Folds are joined, seeds averaged; figures are those of the joined predictions."""
    fill(tmp_path, seeds=2)
    new = figures_of(tmp_path, "cnn")["protocols"]["new_speakers"]
    assert (new["clips"], new["seeds"], new["best_epoch"]) == (48, 2, 5)
    assert (new["hours"], new["minutes"]) == pytest.approx((2.0, 30.0))
    scores = []
    for seed in (0, 1):
        parts = [predictions(fold, seed).subset("test") for fold in (0, 1)]
        pooled = {
            corpus: [
                (p.truth[p.facts["corpus"] == corpus], p.predicted[p.facts["corpus"] == corpus])
                for p in parts
            ]
            for corpus in ("nemo", "tess")
        }
        recalls = [
            np.mean(
                [
                    np.mean(guess[true == label] == label)
                    for label in (0, 1)
                    for true, guess in [map(np.concatenate, zip(*pairs, strict=True))]
                ]
            )
            for pairs in pooled.values()
        ]
        scores.append(np.mean(recalls))
    assert new["per_seed_uar"] == pytest.approx(scores)
    assert new["uar"] == pytest.approx(np.mean(scores))


def test_a_temperature_mends_over_confidence(tmp_path: Path) -> None:
    """Predictions four times too sure get a temperature near four and a smaller error."""
    fill(tmp_path, seeds=9, sharpness=4.0)
    new = figures_of(tmp_path, "cnn")["protocols"]["new_speakers"]
    assert 2 < new["temperature"] < 8
    assert new["ece_after"] < new["ece_before"]
    assert new["ece_stored"] < new["ece_before"]


def test_the_stored_temperature_is_judged_by_people_it_does_not_know(tmp_path: Path) -> None:
    """All folds' validation clips set it, less those of speakers whom the fold tests."""
    fill(tmp_path)
    jobs = [job for job, _ in load_all(tmp_path, "cnn", "new_speakers")[0].values()]
    parts = [job.subset("validation") for job in jobs]
    people = {name for part in parts for name in part.facts["speaker"].tolist()}
    for job in jobs:
        kept = _of_others(parts, job, "speaker")
        tested = set(job.subset("test").facts["speaker"].tolist())
        assert tested & people
        assert {name for part in kept for name in part.facts["speaker"].tolist()} == people - tested


def test_of_random_clips_only_those_that_are_tested_are_left_out(tmp_path: Path) -> None:
    """Everyone speaks on both sides there: without all they say there would be nobody to ask."""
    fill(tmp_path, sharpness=4.0)
    protocols = figures_of(tmp_path, "cnn")["protocols"]
    new, other = (protocols[name] for name in ("new_speakers", "random_clips"))
    assert new["ece_before"] == other["ece_before"]  # the same predictions, for this test
    assert new["ece_stored"] != other["ece_stored"]


def test_without_anyone_to_ask_the_temperature_is_one() -> None:
    """Where a fold tests all who validate, probabilities stay as they are."""
    assert _fit([predictions(0, 0).subset("train")]) == 1.0


def test_a_seed_with_a_missing_fold_does_not_count(tmp_path: Path) -> None:
    """Half a cross-validation is no figure."""
    save_job(tmp_path, Job("cnn", "new_speakers", 0, 1), predictions(1, 0), OUTCOME)
    assert figures_of(tmp_path, "cnn") == {}
    fill(tmp_path)
    save_job(tmp_path, Job("cnn", "new_speakers", 7, 0), predictions(0, 7), OUTCOME)
    assert figures_of(tmp_path, "cnn")["protocols"]["new_speakers"]["seeds"] == 1


def test_the_table_says_what_its_figures_are(tmp_path: Path) -> None:
    """Both protocols in columns of their own, the random one marked; people beside it."""
    fill(tmp_path)
    figures = {"cnn": figures_of(tmp_path, "cnn"), "resnet": {}}
    text = markdown(figures, {2: 0.922})
    new = figures["cnn"]["protocols"]["new_speakers"]
    assert f"**{100 * new['uar']:.1f}** ({100 * new['uar_low']:.1f}-" in text
    errors = [f"{new[name]:.3f}" for name in ("ece_before", "ece_after", "ece_stored")]
    assert "{} → {} / {}".format(*errors) in text
    assert "random clips, UAR (not comparable: speakers shared)" in text
    assert "85-88" in text
    assert "92.2 %" in text
    assert "tess, with one speaker" in text
    assert "Minutes of one training, median: `cnn` 30." in text
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in block.splitlines()}) == 1


def abroad(results: Path) -> None:
    """Save predictions in which each fold is a corpus of its own, with both kinds of statistics."""
    whole = concatenate([predictions(fold, 0, sharpness=4.0).subset("test") for fold in (0, 1)])
    for protocol in ("another_corpus", OWN_STATISTICS):
        for fold, corpus in enumerate(("nemo", "tess")):
            tested = whole.select(whole.facts["corpus"] == corpus)
            outcome = replace(OUTCOME, test_clips=len(tested))
            save_job(results, Job("cnn", protocol, 0, fold), tested, outcome)


def test_another_corpus_is_calibrated_by_the_others(tmp_path: Path) -> None:
    """No corpus's labels set the temperature that it is judged at; the file's, all of them."""
    abroad(tmp_path)
    found = figures_of(tmp_path, "cnn")["protocols"]["another_corpus"]
    jobs = [job for job, _ in load_all(tmp_path, "cnn", "another_corpus")[0].values()]
    parts = [job.subset("test") for job in jobs]
    assert found["temperature"] == _fit(parts)
    softened = [
        part.with_probabilities(apply_temperature(part.probabilities, _fit([other])))
        for part, other in zip(parts, reversed(parts), strict=True)
    ]
    judged = concatenate(softened)
    assert found["ece_stored"] == pytest.approx(reliability(judged.probabilities, judged.truth).ece)
    assert found["temperature"] > 1


def test_the_stored_temperature_is_between_another_corpus_and_new_speakers(tmp_path: Path) -> None:
    """A user's recordings are between the two; a model is surer than it is right of the first."""
    abroad(tmp_path)
    alone = figures_of(tmp_path, "cnn")["protocols"]["another_corpus"]["temperature"]
    fill(tmp_path, protocols=["new_speakers"])
    protocols = figures_of(tmp_path, "cnn")["protocols"]
    assert protocols["new_speakers"]["temperature"] == protocols["another_corpus"]["temperature"]
    at_home = _fit([predictions(fold, 0).subset("test") for fold in (0, 1)])
    assert at_home < protocols["another_corpus"]["temperature"] < alone


def test_shares_of_labels_are_printed_with_and_without_an_even_prior(tmp_path: Path) -> None:
    """Beside the mean of the corpora with several speakers, and the area under the curve."""
    abroad(tmp_path)
    fill(tmp_path)
    figures = {"cnn": figures_of(tmp_path, "cnn")}
    found = figures["cnn"]["protocols"]["another_corpus"]
    assert sum(found["predicted"]["nemo"].values()) == pytest.approx(1, abs=1e-3)
    assert found["uar_several"] == found["per_corpus"]["nemo"]["uar"]
    assert 0.5 < found["auc"]["tess"] <= 1
    text = markdown(figures, {})
    assert "### Another corpus" in text
    assert "- `cnn`, its own statistics half-way, tess: happy " in text
    assert "seeds (another / new / random)" in text
    assert "10 other speakers" in text
    stored = figures["cnn"]["protocols"]["new_speakers"]["ece_stored"]
    assert f"/ {stored:.3f} |" in text


def test_pictures_are_drawn_of_complete_models(tmp_path: Path) -> None:
    """Confusion matrix and calibration of all seeds; nothing for half a cross-validation."""
    save_job(tmp_path, Job("half", "new_speakers", 0, 1), predictions(1, 0), OUTCOME)
    assert pictures(tmp_path, "half") == []
    fill(tmp_path, seeds=2)
    drawn = pictures(tmp_path, "cnn")
    assert [path.name for path in drawn] == ["confusion_matrix.png", "reliability.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)


def test_the_same_results_give_the_same_table(tmp_path: Path) -> None:
    """Nothing in it is drawn anew."""
    fill(tmp_path)
    assert figures_of(tmp_path, "cnn") == figures_of(tmp_path, "cnn")
    joined = figures_of(tmp_path, "cnn")["protocols"]["new_speakers"]
    assert set(joined) >= set(score(predictions(0, 0))) - {"per_speaker", "calibration"}
