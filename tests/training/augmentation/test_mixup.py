"""Windows of a batch mixed with each other."""

import numpy as np
import pytest

from emotool_training.augmentation.mixup import draw_mixing, mix
from emotool_training.augmentation.settings import Augmentation


def random(seed: int = 0) -> np.random.Generator:
    """Return random numbers."""
    return np.random.default_rng(seed)


def test_targets_stay_probabilities_and_the_window_keeps_the_larger_share() -> None:
    """Windows and targets are mixed with the same shares."""
    windows = np.zeros((8, 2, 3), np.float32)
    windows[::2] = 1.0
    targets = np.eye(2, dtype=np.float32)[[1, 0] * 4]
    drawn = draw_mixing(8, Augmentation(mixup_alpha=0.4), random(1))
    mixed, soft = mix(list(windows), drawn), mix(list(targets), drawn)
    assert np.allclose(soft.sum(1), 1)
    assert np.allclose(mixed[:, 0, 0], soft[:, 1])
    assert (soft.argmax(1) == targets.argmax(1)).all()
    assert 0 < np.count_nonzero((soft > 0) & (soft < 1)) <= 16


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_mixing_is_a_weighted_sum_in_single_precision(dtype: type[np.floating]) -> None:
    """Half-precision maps are mixed as if they had been read as float32 first."""
    members = random().normal(size=(5, 40)).astype(dtype)
    drawn = draw_mixing(5, Augmentation(mixup_alpha=1.0), random(2))
    assert drawn is not None
    own, whole = drawn.share[:, None], members.astype(np.float32)
    wanted = own * whole + (1 - own) * whole[drawn.partner]
    found = mix(list(members), drawn)
    assert found.dtype == np.float32
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize(
    "settings", [Augmentation(), Augmentation(mixup_alpha=1.0, mixup_probability=0.0)]
)
def test_mixing_can_be_switched_off(settings: Augmentation) -> None:
    """An alpha or a probability of 0 leaves the batch as it is."""
    drawn = draw_mixing(2, settings, random())
    assert drawn is None
    members = [np.float32([1, 2]), np.float32([3, 4])]
    assert mix(members, drawn).tolist() == [[1, 2], [3, 4]]
