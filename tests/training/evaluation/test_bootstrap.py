"""Intervals over speakers."""

import numpy as np
import pytest

from emotool_training.evaluation.bootstrap import (
    draw_speakers,
    percentile_interval,
    speaker_confusions,
)
from emotool_training.evaluation.metrics import confusion_matrix


def test_draws_keep_each_corpus_size() -> None:
    """Speakers are exchanged within their corpus only."""
    corpora = ["ravdess"] * 5 + ["emodb"] * 3
    counts = draw_speakers(corpora, draws=200)
    assert (counts[:, :5].sum(axis=1) == 5).all()
    assert (counts[:, 5:].sum(axis=1) == 3).all()
    assert (counts != 1).any()


def test_fewer_speakers_keep_the_shares_of_the_corpora() -> None:
    """A draw of ten from 35 has each corpus's share, and one speaker of each at least."""
    corpora = ["ravdess"] * 20 + ["emodb"] * 14 + ["tess"]
    counts = draw_speakers(corpora, draws=20, speakers=10)
    assert (counts[:, :20].sum(axis=1) == 6).all()
    assert (counts[:, 20:34].sum(axis=1) == 4).all()
    assert (counts[:, 34] == 1).all()


def test_the_same_seed_gives_the_same_draws() -> None:
    """Intervals can be reproduced."""
    corpora = ["nemo"] * 7
    np.testing.assert_array_equal(draw_speakers(corpora, seed=3), draw_speakers(corpora, seed=3))
    assert (draw_speakers(corpora, seed=3) != draw_speakers(corpora, seed=4)).any()


def test_speaker_matrices_are_each_speakers_own() -> None:
    """Each matrix counts one speaker's clips; together they count all."""
    generator = np.random.default_rng(0)
    truth, predicted, speaker = generator.integers(0, [[3], [3], [5]], size=(3, 100))
    matrices = speaker_confusions(truth, predicted, speaker, (5, 3))
    for index in range(5):
        own = speaker == index
        expected = confusion_matrix(truth[own], predicted[own], 3)
        np.testing.assert_array_equal(matrices[index], expected)
    np.testing.assert_array_equal(matrices.sum(0), confusion_matrix(truth, predicted, 3))


def test_the_interval_of_a_mean_has_the_width_that_theory_gives() -> None:
    """For 50 speakers with known scores the interval is the mean +- 1.96 standard errors."""
    scores = np.random.default_rng(1).normal(size=50)
    counts = draw_speakers(["corpus"] * 50, draws=20_000)
    low, high = percentile_interval(counts @ scores / 50)
    error = scores.std() / np.sqrt(50)
    assert low == pytest.approx(scores.mean() - 1.96 * error, abs=0.02)
    assert high == pytest.approx(scores.mean() + 1.96 * error, abs=0.02)
