"""Thresholds of the confidence: accuracy, share of kept clips, and what is not reached."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the train extra")

from rich.console import Console

from emotool.cli.evaluate_tables import _min_confidence
from emotool_training.evaluation.plots import save_threshold_plot
from emotool_training.evaluation.predictions import FACTS, Predictions
from emotool_training.evaluation.thresholds import LEVELS, MIN_KEPT, thresholds


def predictions(confidence: np.ndarray, right: np.ndarray, speakers: int = 10) -> Predictions:
    """Make clips of one label with these confidences, labelled correctly or not."""
    first = np.where(right, confidence, 1 - confidence)
    clips = len(confidence)
    facts = {name: np.full(clips, "x") for name in FACTS}
    facts["key"] = np.arange(clips).astype(np.str_)
    facts["speaker"] = np.array([f"s{place % speakers}" for place in range(clips)])
    facts["emotion"] = np.full(clips, "happy")
    return Predictions(("happy", "sad"), facts, np.stack([first, 1 - first], axis=1))


def calibrated(clips: int = 4_000) -> Predictions:
    """Make clips whose labels are correct as often as their confidence says."""
    random = np.random.default_rng(0)
    confidence = random.uniform(0.5, 1, clips)
    return predictions(confidence, random.uniform(size=clips) < confidence)


def test_the_threshold_does_what_it_promises() -> None:
    """Of clips at or above it the wanted share is right; one step lower it is not."""
    clips = calibrated()
    found = thresholds(clips)
    confidence = clips.probabilities.max(axis=1)
    right = clips.predicted == clips.truth
    for wanted in LEVELS:
        row = found.level(wanted)
        kept = confidence >= row["min_confidence"]
        assert right[kept].mean() == pytest.approx(row["accuracy"])
        assert row["accuracy"] >= wanted
        assert right[confidence >= row["min_confidence"] - 0.01].mean() < wanted
        assert kept.mean() == pytest.approx(row["kept"])
        assert row["clips"] == kept.sum()
        assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
        assert row["kept_low"] < row["kept"] < row["kept_high"]
        # Between the threshold and 1 a calibrated model is right half-way on the mean.
        assert row["min_confidence"] == pytest.approx(2 * wanted - 1, abs=0.06)


def test_levels_that_are_not_reached_are_named() -> None:
    """The best accuracy of enough clips stands there instead; a few correct ones do not count."""
    confidence = np.linspace(0.5, 1, 400)
    right = np.arange(400) % 10 < 7
    right[-MIN_KEPT + 1 :] = True
    row = thresholds(predictions(confidence, right)).level(0.999)
    assert row["min_confidence"] is None
    assert row["clips"] >= MIN_KEPT
    assert 0.7 < row["accuracy"] < 0.999
    few = thresholds(predictions(confidence[:5], right[:5])).level(0.8)
    assert (few["min_confidence"], few["clips"], few["accuracy"]) == (None, None, None)


def test_all_clips_are_kept_where_that_is_enough() -> None:
    """A model that is always right needs no threshold."""
    row = thresholds(predictions(np.full(50, 0.6), np.ones(50, dtype=bool))).level(0.95)
    assert (row["min_confidence"], row["kept"], row["accuracy"]) == (0.0, 1.0, 1.0)


def test_a_single_speaker_has_no_interval() -> None:
    """There is nobody else to draw."""
    found = thresholds(predictions(np.full(50, 0.6), np.ones(50, dtype=bool), speakers=1))
    assert found.accuracy_bounds is None
    assert found.level(0.8)["kept_low"] is None


def test_the_table_and_the_picture_show_it(tmp_path: Path) -> None:
    """80 columns hold the table; levels that are not reached say so; with and without intervals."""
    confidence = np.linspace(0.5, 1, 400)
    for speakers in (1, 10):
        found = thresholds(predictions(confidence, np.arange(400) % 20 < 17, speakers))
        save_threshold_plot(found, LEVELS, tmp_path / "a.png", title="new speakers")
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
        console = Console(width=80)
        with console.capture() as said:
            console.print(_min_confidence([found.level(wanted) for wanted in LEVELS]))
        lines = said.get().splitlines()
        assert any("80 % of the time" in line and "0 (all clips)" in line for line in lines)
        assert any("95 % of the time" in line and "not reached" in line for line in lines)
        assert "…" not in said.get()
