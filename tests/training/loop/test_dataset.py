"""Which clips an epoch draws."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emotool_training.loop.dataset import balanced_weights, generator, order


def test_equal_weights_draw_every_clip_once() -> None:
    """As many draws as clips are a permutation, another one each epoch."""
    weights = balanced_weights(["a"] * 10, [0] * 10, 0.0, 0.0)
    drawn = [order(weights, 10, generator(3, "order", epoch)) for epoch in range(2)]
    assert sorted(drawn[0]) == sorted(drawn[1]) == list(range(10))
    assert list(drawn[0]) != list(drawn[1])


@given(
    clips=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), min_size=1),
    draws=st.integers(1, 60),
    seed=st.integers(0, 5),
)
def test_each_clip_is_drawn_by_its_share(
    clips: list[tuple[str, str]], draws: int, seed: int
) -> None:
    """However weighed, a clip is drawn as often as its weight says, to within one."""
    corpora, labels = zip(*clips, strict=True)
    weights = balanced_weights(corpora, labels, 0.5, 1.0)
    assert np.isclose(weights.sum(), 1)
    counts = np.bincount(order(weights, draws, generator(seed, "order")), minlength=len(clips))
    assert counts.sum() == draws
    assert np.all(np.abs(counts - weights * draws) < 1 + 1e-9)


def test_full_balance_weighs_corpora_and_labels_evenly() -> None:
    """A corpus of one clip weighs as much as one of three, a rare label as a common one."""
    corpora, labels = ["a", "a", "a", "b"], ["x", "x", "y", "x"]
    assert balanced_weights(corpora, labels, 1.0, 1.0).tolist() == [0.125, 0.125, 0.25, 0.5]
    assert balanced_weights(corpora, labels, 0.0, 1.0).tolist() == [0.1875, 0.1875, 0.375, 0.25]
    assert balanced_weights(corpora, labels, 0.0, 0.0).tolist() == [0.25] * 4


def test_random_numbers_depend_on_seed_purpose_and_place() -> None:
    """Places that numpy alone would take for one, such as (1,) and (1, 0), differ."""
    places = [(0, "a", 1), (0, "a", 1, 0), (0, "b", 1), (1, "a", 1), (0, "a", 2)]
    drawn = {generator(seed, purpose, *place).random() for seed, purpose, *place in places}
    assert len(drawn) == len(places)
    assert generator(0, "a", 1).random() == generator(0, "a", 1).random()
