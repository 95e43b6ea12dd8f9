"""The dictionary of figures behind every report."""

import json

import numpy as np
import pytest

from emotool.errors import TrainingError
from emotool_training.evaluation.bootstrap import draw_speakers
from emotool_training.evaluation.metrics import uar
from emotool_training.evaluation.predictions import Predictions, from_rows
from emotool_training.evaluation.scores import score

LABELS = ("happy", "sad")
PEOPLE = {"ravdess": 6, "emodb": 4, "tess": 1}


def made_up(seed: int = 0, right: float = 0.8) -> Predictions:
    """Twenty clips of each of eleven speakers, `right` of them labelled rightly."""
    generator = np.random.default_rng(seed)
    rows = []
    for corpus, people in PEOPLE.items():
        for person in range(people):
            for clip in range(20):
                truth = clip % 2
                guess = truth if generator.random() < right else 1 - truth
                probabilities = {"p_happy": str(0.9 - 0.8 * guess), "p_sad": str(0.1 + 0.8 * guess)}
                facts = {
                    "key": f"{corpus}/{person}-{clip:02}",
                    "corpus": corpus,
                    "speaker": f"{corpus}-{person}",
                    "sex": ("female", "male")[person % 2],
                    "intensity": "strong" if corpus == "ravdess" and clip > 9 else "",
                    "emotion": LABELS[truth],
                }
                rows.append(facts | probabilities)
    return from_rows(LABELS, rows)


def test_the_headline_and_its_interval_equal_a_plain_loop() -> None:
    """The matrix product gives what drawing whole speakers and pooling their clips gives."""
    predictions = made_up()
    figures = score(predictions, draws=50, seed=5)
    names = np.unique(predictions.facts["speaker"])
    corpora = [str(name).split("-")[0] for name in names]
    drawn = []
    for counts in draw_speakers(corpora, draws=50, seed=5):
        scores = []
        for corpus in PEOPLE:
            clips = [
                clip
                for name, count in zip(names, counts, strict=True)
                if str(name).startswith(corpus)
                for clip in np.flatnonzero(predictions.facts["speaker"] == name).tolist()
                * int(count)
            ]
            scores.append(uar(predictions.truth[clips], predictions.predicted[clips], 2))
        drawn.append(np.mean(scores))
    assert figures["uar_low"] == pytest.approx(np.percentile(drawn, 2.5))
    assert figures["uar_high"] == pytest.approx(np.percentile(drawn, 97.5))
    means = [figures["per_corpus"][name]["uar"] for name in PEOPLE]
    assert figures["uar"] == pytest.approx(np.mean(means))


def test_fewer_speakers_vary_more() -> None:
    """The figure is the same; where that of two people lies is not where the mean does."""
    mean, few = score(made_up()), score(made_up(), drawn=2)
    assert few["uar"] == mean["uar"]
    assert few["uar_high"] - few["uar_low"] > mean["uar_high"] - mean["uar_low"]


def test_a_corpus_of_one_speaker_has_no_interval() -> None:
    """TESS here: its own bounds are unknown, and it widens no mean."""
    figures = score(made_up())
    assert figures["per_corpus"]["tess"]["uar_low"] is None
    assert figures["per_corpus"]["ravdess"]["uar_low"] < figures["per_corpus"]["ravdess"]["uar"]
    alone = made_up()
    alone = alone.select(alone.facts["corpus"] == "tess")
    assert score(alone)["uar_high"] is None
    assert score(alone)["accuracy_high"] is None


def test_more_draws_of_an_only_speaker_are_no_interval() -> None:
    """Where each corpus has one speaker, ten draws are the same speakers each time."""
    everyone = made_up()
    alone = everyone.select(everyone.facts["corpus"] == "tess")
    pair = everyone.select(np.isin(everyone.facts["speaker"], ["emodb-0", "tess-0"]))
    for few in (alone, pair):
        figures = score(few, drawn=10)
        assert figures["uar_low"] is figures["accuracy_low"] is None


def test_speakers_outside_the_mean_lend_it_no_interval() -> None:
    """A corpus of few clips is not averaged: its speakers cannot make TESS's bounds known."""
    everyone = made_up()
    few = np.flatnonzero(everyone.facts["corpus"] == "emodb")[::8]  # 10 clips of 4 speakers
    chosen = everyone.facts["corpus"] == "tess"
    chosen[few] = True
    figures = score(everyone.select(chosen))
    assert figures["averaged_corpora"] == ["tess"]
    assert figures["uar_low"] is figures["uar_high"] is None
    assert figures["accuracy_low"] is not None


def test_seeds_are_averaged_not_pooled() -> None:
    """Several seeds give the mean of their scores, and each one's own beside it."""
    sets = [made_up(seed) for seed in range(3)]
    figures = score(sets, draws=200)
    alone = [score(one, draws=10)["uar"] for one in sets]
    assert figures["per_seed_uar"] == pytest.approx(alone)
    assert figures["uar"] == pytest.approx(np.mean(alone))
    assert np.sum(figures["confusion"]) == 3 * len(sets[0])


def test_groups_cover_their_clips() -> None:
    """Sex and speaker groups add up; clips without an intensity are in no such group."""
    figures = score(made_up(), draws=100)
    for group in ("per_sex", "per_speaker", "per_corpus"):
        assert sum(part["clips"] for part in figures[group].values()) == figures["clips"]
    assert list(figures["per_intensity"]) == ["strong"]
    assert figures["per_intensity"]["strong"]["speakers"] == 6


def test_unknown_speakers_count_as_one_per_corpus() -> None:
    """A folder of labelled clips without speakers has figures, but no interval."""
    predictions = made_up()
    facts = {**predictions.facts, "speaker": np.array([""] * len(predictions))}
    figures = score(Predictions(LABELS, facts, predictions.probabilities), draws=50)
    assert figures["speakers"] == len(PEOPLE)
    assert figures["uar_low"] is None


def test_the_figures_are_json() -> None:
    """A report is written as JSON without NaN, whatever the groups."""
    json.dumps(score(made_up(), draws=20), allow_nan=False)


def test_scores_do_not_change_from_run_to_run() -> None:
    """The same predictions give the same figures, bounds included."""
    assert score(made_up()) == score(made_up())


def test_nothing_and_a_mixture_are_refused() -> None:
    """No clips, or seeds that predicted different clips, are errors."""
    predictions = made_up()
    nothing = predictions.select(np.zeros(len(predictions), dtype=bool))
    with pytest.raises(TrainingError, match="no predictions"):
        score(nothing)
    with pytest.raises(TrainingError, match="different clips"):
        score([predictions, predictions.select(predictions.facts["corpus"] == "tess")])
