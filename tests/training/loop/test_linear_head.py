"""A linear head that is solved for."""

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("tensorflow", reason="needs the train extra")

from emotool.errors import TrainingError
from emotool.files.validation import validate
from emotool_training.features.clips import EmbeddedClips
from emotool_training.loop.linear_head import (
    Statistics,
    halfway,
    probabilities,
    solve,
    statistics_of,
)
from emotool_training.recipes.recipe import LinearHead, Recipe

SIZE, CLIPS = 12, 60
SHIFT = 4.0
"""How far the second corpus's embeddings lie from the first's."""


def clips(seed: int = 0, shift: float = 0.0) -> EmbeddedClips:
    """Make two corpora; each label moves one feature, the corpus another."""
    random = np.random.default_rng(seed)
    targets = np.arange(2 * CLIPS) % 2
    corpora = ["a"] * CLIPS + ["b"] * CLIPS
    windows = []
    for target, corpus in zip(targets, corpora, strict=True):
        count = int(random.integers(1, 3))
        vectors = random.normal(0, 1, (count, SIZE)).astype(np.float32)
        vectors[:, 0] += 6.0 * target
        vectors[:, 1] += SHIFT * (corpus == "b")
        windows.append(vectors + np.float32(shift))
    return EmbeddedClips(windows, targets, corpora)


def recipe() -> Recipe:
    """Return a recipe of two labels."""
    return Recipe("linear", "whisper", linear_head=LinearHead())


def right(shares: NDArray[np.float64], known: EmbeddedClips) -> float:
    """Return the share of clips labelled rightly."""
    return float((shares.argmax(axis=1) == known.targets).mean())


def test_what_tells_labels_apart_is_found() -> None:
    """On clips that it has not seen, too."""
    solved = solve(clips(), recipe(), LinearHead())
    assert right(probabilities(solved, clips(1).windows), clips(1)) > 0.97
    assert np.abs(solved.kernel[:, 0]).argmax() == 0


def test_the_same_clips_give_the_same_head() -> None:
    """To the bit."""
    one, other = (solve(clips(), recipe(), LinearHead()) for _ in range(2))
    assert np.array_equal(one.kernel, other.kernel)
    assert np.array_equal(one.bias, other.bias)


def test_a_shifted_corpus_is_labelled_by_its_own_statistics() -> None:
    """Without any label: its mean takes the shift away."""
    solved = solve(clips(), recipe(), LinearHead())
    abroad = clips(2, shift=6.0)
    own = statistics_of(abroad.windows)
    assert right(probabilities(solved, abroad.windows), abroad) < 0.7
    assert right(probabilities(solved, abroad.windows, own), abroad) > 0.95


def test_statistics_are_blended() -> None:
    """Half-way between two means and two deviations."""
    one = Statistics(np.zeros(2, np.float32), np.ones(2, np.float32))
    other = Statistics(np.ones(2, np.float32), np.full(2, 3, np.float32))
    found = halfway(one, other)
    assert found.mean.tolist() == [0.5, 0.5]
    assert found.deviation.tolist() == [2.0, 2.0]


def test_a_clip_weighs_the_same_however_many_windows_it_has() -> None:
    """Means are over clips."""
    long, short = np.ones((9, 1), np.float32), np.zeros((1, 1), np.float32)
    assert statistics_of([long, short]).mean.tolist() == [0.5]


def test_small_corpora_are_standardised_by_the_others() -> None:
    """Six clips know no mean; where all corpora are small, all clips together do."""
    known = clips()
    few = EmbeddedClips(known.windows[:70], known.targets[:70], known.corpora[:70])
    solved = solve(few, recipe(), LinearHead(least_clips=32))
    expected = statistics_of(known.windows[:60])
    assert np.array_equal(solved.statistics.mean, expected.mean)
    assert np.isfinite(solve(few, recipe(), LinearHead(least_clips=99)).kernel).all()


def test_constant_features_and_single_components_are_no_obstacle() -> None:
    """Nothing is divided by 0."""
    known = clips()
    for vectors in known.windows:
        vectors[:, 5] = 3.0
    solved = solve(known, recipe(), LinearHead(components=1))
    assert np.isfinite(solved.kernel).all()


@pytest.mark.parametrize("setting", [{"penalty": 0.0}, {"own_statistics": 1.5}, {"components": 0}])
def test_impossible_settings_are_refused(setting: dict[str, float]) -> None:
    """By name."""
    with pytest.raises(TrainingError, match=next(iter(setting))):
        validate(LinearHead, setting, "linear_head", TrainingError)
