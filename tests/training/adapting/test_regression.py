"""Regression whose penalty is the distance from a base."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the adapt extra")

from emotool_training.adapting.regression import Clips, fit, logits


def clips(count: int = 60, size: int = 100, *, per_clip: int = 1) -> Clips:
    """Return clips of two labels that differ in the first number, and a base that errs."""
    random = np.random.default_rng(1)
    targets = np.arange(count) % 2
    owner = np.repeat(np.arange(count), per_clip)
    rows = random.normal(size=(count * per_clip, size)).astype(np.float32)
    rows[:, 0] += 2.0 * (2 * targets[owner] - 1)
    offsets = random.normal(size=(len(rows), 2)).astype(np.float32)
    half = len(rows) // 2
    return Clips([rows[:half], rows[half:]], offsets, owner, targets.astype(np.int64))


def test_a_strong_penalty_gives_the_base() -> None:
    """Nothing is added, so a few clips cannot ruin a model."""
    data = clips()
    assert np.abs(logits(data, fit(data, 1e9)) - data.offsets).max() < 1e-3


def test_a_weak_penalty_follows_the_clips() -> None:
    """And more so the weaker it is."""
    data = clips()
    right = [
        (logits(data, fit(data, s)).argmax(axis=1) == data.targets).mean() for s in (1e9, 100, 1)
    ]
    assert right[0] < 0.7 < right[1] <= right[2] == 1.0


def test_few_inputs_are_fitted_in_their_own_span() -> None:
    """The result is the same as with all numbers of each."""
    data = clips(count=20)
    few, basis = data.reduced()
    assert basis is not None and few.inputs[0].shape[1] == 20
    small, whole = fit(few, 30.0), fit(data, 30.0)
    assert np.abs(basis @ small[:-1] - whole[:-1]).max() < 2e-3
    assert np.abs(small[-1] - whole[-1]).max() < 2e-3


def test_labels_weigh_the_same_and_so_do_clips() -> None:
    """However many windows a clip has, and however many clips a label."""
    data = Clips(
        [np.zeros((4, 1), np.float32)],
        np.zeros((4, 2), np.float32),
        np.array([0, 0, 1, 2]),
        np.array([0, 0, 1]),
    )
    assert data.weights.tolist() == pytest.approx([0.125, 0.125, 0.25, 0.5])


def test_a_label_with_one_clip_is_little_evidence() -> None:
    """It weighs as much as the other label's ten, and so does its noise: they are worth 3.6."""
    data = clips(count=20)
    uneven = data.only((data.targets == 0) | (np.arange(20) == 1))
    assert data.effective == pytest.approx(20.0)
    assert uneven.targets.tolist().count(1) == 1
    assert uneven.effective == pytest.approx(4 / (1 + 1 / 10))


def test_clips_can_be_chosen() -> None:
    """With all their windows, renumbered."""
    data = clips(count=6, per_clip=2)
    part = data.only(np.array([False, True, False, True, False, True]))
    assert part.targets.tolist() == [1, 1, 1]
    assert part.owner.tolist() == [0, 0, 1, 1, 2, 2]
    assert np.array_equal(np.concatenate(part.inputs)[:2], np.concatenate(data.inputs)[2:4])
