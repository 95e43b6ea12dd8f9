"""A head fitted to clips of one speaker, judged on other speakers."""

import math

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the adapt extra")

from emotool_training.adapting.head import solved_head
from emotool_training.adapting.regression import Clips, Floats, logits

SIZE = 400


def speaker_clips(number: int, count: int = 40) -> Clips:
    """Return clips of two labels by one speaker, and a base that reads what all speakers share.

    Emotion moves an embedding along the first number in everybody. Speakers also have habits, say a
    pitch that rises with anger in one and falls in another. A habit shows in many numbers at once,
    as pitch does, so that few clips are enough to find it.
    """
    random = np.random.default_rng(number)
    targets = np.arange(count) % 2
    signs = 2.0 * targets - 1.0
    habit = 1.0 if number == 0 else random.normal()
    rows = random.normal(size=(count, SIZE)).astype(np.float32)
    rows[:, 0] += 1.2 * signs
    rows[:, 1:] += habit * signs[:, None]
    offsets = np.stack([-rows[:, 0], rows[:, 0]], axis=1)
    return Clips([rows], offsets, np.arange(count), targets.astype(np.int64))


OTHERS = [speaker_clips(number, 200) for number in range(1, 31)]


def accuracy(added: Floats) -> float:
    """Return the share of the other speakers' clips that are right."""
    right = [logits(one, added).argmax(axis=1) == one.targets for one in OTHERS]
    return float(np.mean(right))


BASE = accuracy(np.zeros((SIZE + 1, 2), np.float32))


def test_one_speaker_does_not_ruin_a_model() -> None:
    """What is a habit of the speaker looks like the emotion in every fold of the speaker's clips.

    A fit that takes the clips for several speakers' follows the habit and loses on other speakers,
    whose habits have either sign. With the speaker known, it stays within a point of its base.
    """
    mine = speaker_clips(0)
    naive = accuracy(solved_head(mine, [f"s{number % 8}" for number in range(40)])[1])
    assert naive < BASE - 0.05
    for speakers in (["anna"] * 40, [""] * 40):
        assert accuracy(solved_head(mine, speakers)[1]) > BASE - 0.01


def test_a_model_for_one_speaker_uses_the_habit() -> None:
    """It is right more often on the speaker's other clips, where the habit is the same."""
    both = speaker_clips(0, 240)
    mine, rest = both.only(np.arange(240) < 40), both.only(np.arange(240) >= 40)
    for same, least in ((True, 0.95), (False, 0.8)):
        added = solved_head(mine, ["anna"] * 40, same_speakers=same)[1]
        right = float((logits(rest, added).argmax(axis=1) == rest.targets).mean())
        assert right > least
        assert same or right < 0.95


def test_clips_that_are_right_already_change_nothing() -> None:
    """With one speaker there is nothing to correct, and all else is the speaker's own."""
    mine = speaker_clips(0, 80)
    mine = mine.only(mine.offsets.argmax(axis=1) == mine.targets)
    choice, added = solved_head(mine, ["anna"] * len(mine.targets))
    assert math.isinf(choice.strength)
    assert not added.any()


@pytest.mark.parametrize("speakers", [1, 10])
def test_clips_of_one_label_change_nothing(speakers: int) -> None:
    """They do not show where the other label begins: a fit would give their label to all."""
    mine = speaker_clips(0)
    mine = mine.only(mine.targets == 1)
    names = [f"s{number % speakers}" for number in range(len(mine.targets))]
    assert not solved_head(mine, names)[1].any()


def test_a_clip_of_each_label_changes_little() -> None:
    """Two clips cannot be cross-validated, and their penalty is the strongest."""
    for first in range(0, 40, 2):
        mine = speaker_clips(0).only(np.isin(np.arange(40), (first, first + 1)))
        assert accuracy(solved_head(mine, ["anna"] * 2)[1]) > BASE - 0.02


def test_labels_without_clips_are_given_as_often_as_before() -> None:
    """Where the base gives a third label that no clip of one speaker has, it still does.

    That few clips have two labels is chance, and no evidence that there are only these two.
    """
    mine = speaker_clips(0)
    third = np.where(mine.targets == 0, -0.5, 0.5).astype(np.float32)[:, None]
    three = Clips(mine.inputs, np.hstack([mine.offsets, third]), mine.owner, mine.targets)
    added = solved_head(three, ["anna"] * 40)[1]
    assert np.abs(added).max() > 0
    wins = three.offsets.argmax(axis=1) == 2
    assert 0 < wins.sum() < 20
    rest = three.only(~wins)
    assert np.abs(solved_head(rest, ["anna"] * len(rest.targets))[1][:, 2]).max() < 1e-6


def test_new_labels_are_always_fitted() -> None:
    """The base cannot stay as it is: it does not have them."""
    mine = speaker_clips(0)
    blank = Clips(mine.inputs, np.zeros_like(mine.offsets), mine.owner, mine.targets)
    choice, added = solved_head(blank, ["anna"] * 40, new_labels=True)
    assert choice.strength <= 1000.0
    assert accuracy(added) > 0.6
