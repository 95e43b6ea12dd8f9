"""Out-of-fold predictions on disk."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy_store import Job, Outcome, load_all, load_job, save_job
from emotool.errors import TrainingError
from emotool_training.evaluation.predictions import Predictions, from_rows

OUTCOME = Outcome("recipe", "kind", "split", 2, 4, 7, 60.0, "commit")
LABELS = ("happy", "sad")


def predictions(fold: int, seed: int = 0) -> Predictions:
    """Four test clips of the fold, four validation clips, and a training clip."""
    generator = np.random.default_rng(10 * seed + fold)
    rows = []
    for subset, count in (("test", 4), ("validation", 4), ("train", 1)):
        for i in range(count):
            happy = generator.uniform()
            rows.append(
                {
                    "key": f"nemo/{subset}{fold}{i}",
                    "corpus": "nemo",
                    "speaker": f"nemo-{fold}{i // 2}",
                    "sex": "male",
                    "emotion": LABELS[i % 2],
                    "subset": subset,
                    "p_happy": str(happy),
                    "p_sad": str(1 - happy),
                }
            )
    return from_rows(LABELS, rows)


def test_a_job_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    """Validation and test clips with all facts; training clips are not kept."""
    job = Job("cnn", "new_speakers", 0, 1)
    assert not job.is_done(tmp_path)
    save_job(tmp_path, job, predictions(1), OUTCOME)
    assert job.is_done(tmp_path)
    back, outcome = load_job(tmp_path, job)
    assert outcome == OUTCOME
    assert len(back) == 8
    for subset in ("test", "validation"):
        before, after = predictions(1).subset(subset), back.subset(subset)
        np.testing.assert_allclose(after.probabilities, before.probabilities, rtol=1e-5)
        for name, values in before.facts.items():
            assert after.facts[name].tolist() == values.tolist()


def test_facts_of_clips_are_stored_once(tmp_path: Path) -> None:
    """Speakers and emotions are in clips.csv, whatever the number of models."""
    for model in ("cnn", "resnet"):
        for fold in (0, 1):
            save_job(tmp_path, Job(model, "new_speakers", 0, fold), predictions(fold), OUTCOME)
    assert len((tmp_path / "clips.csv").read_text().splitlines()) == 1 + 2 * 9
    table = (tmp_path / "cnn" / "new_speakers" / "fold0-seed0.csv").read_text()
    assert table.startswith("key,subset,p_happy,p_sad\n")


def test_all_jobs_are_found_by_seed_and_fold(tmp_path: Path) -> None:
    """Only this model's and protocol's, and only if they are of one recipe."""
    for seed in (0, 12):
        save_job(tmp_path, Job("cnn", "new_speakers", seed, 0), predictions(0, seed), OUTCOME)
    save_job(tmp_path, Job("cnn", "random_clips", 3, 0), predictions(0, 3), OUTCOME)
    found = load_all(tmp_path, "cnn", "new_speakers")
    assert {seed: sorted(folds) for seed, folds in found.items()} == {0: [0], 12: [0]}
    assert load_all(tmp_path, "resnet", "new_speakers") == {}
    job = Job("cnn", "new_speakers", 1, 0)
    save_job(tmp_path, job, predictions(0), replace(OUTCOME, recipe="other"))
    with pytest.raises(TrainingError, match="2 different recipes"):
        load_all(tmp_path, "cnn", "new_speakers")


def test_a_missing_test_clip_is_noticed(tmp_path: Path) -> None:
    """Neither saved nor loaded without every test clip."""
    job = Job("cnn", "new_speakers", 0, 0)
    with pytest.raises(TrainingError, match="4 of 5 test clips"):
        save_job(tmp_path, job, predictions(0), replace(OUTCOME, test_clips=5))
    assert not job.is_done(tmp_path)
    save_job(tmp_path, job, predictions(0), OUTCOME)
    table = job.file(tmp_path, ".csv")
    table.write_text(
        "".join(line for line in table.read_text().splitlines(True) if "test00" not in line)
    )
    with pytest.raises(TrainingError, match="4 test clips were expected"):
        load_job(tmp_path, job)


def test_contradicting_facts_are_refused(tmp_path: Path) -> None:
    """A clip cannot be happy in one job and sad in another."""
    save_job(tmp_path, Job("cnn", "new_speakers", 0, 0), predictions(0), OUTCOME)
    other = predictions(0)
    other.facts["emotion"][0] = "sad"
    with pytest.raises(TrainingError, match="differs"):
        save_job(tmp_path, Job("resnet", "new_speakers", 0, 0), other, OUTCOME)
