"""Cross-validation with speakers kept apart."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the adapt extra")

from emotool_training.adapting.regression import Clips
from emotool_training.adapting.validation import choose, fold_numbers, sample
from tests.training.adapting.test_regression import clips


def test_speakers_are_kept_apart_and_labels_spread() -> None:
    """No speaker is in two folds; each fold has both labels."""
    targets = np.arange(100) % 2
    speakers = [f"s{number % 10}" if number % 10 < 9 else "" for number in range(100)]
    folds = fold_numbers(targets, speakers)
    assert folds is not None
    for speaker in set(speakers) - {""}:
        assert len({f for f, s in zip(folds, speakers, strict=True) if s == speaker}) == 1
    assert len(set(folds.tolist())) == 5


@pytest.mark.parametrize("speakers", [[""] * 8, ["anna"] * 8])
def test_without_several_speakers_each_clip_is_its_own(speakers: list[str]) -> None:
    """Folds are of clips then."""
    folds = fold_numbers(np.arange(8) % 2, speakers)
    assert folds is not None
    assert len(set(folds.tolist())) == 4


def test_a_clip_of_each_label_is_too_few_for_folds() -> None:
    """The strongest penalty is taken, and no figure is given."""
    data = clips(count=2)
    choice = choose(data, ["a", "b"])
    assert (choice.probabilities, choice.strength, choice.temperature) == (None, 1000.0, 1.0)


def test_few_clips_get_a_strong_penalty() -> None:
    """A cross-validation over ten clips is chance, so weak penalties are not tried."""
    few = choose(clips(count=10), [str(n) for n in range(10)])
    many = choose(clips(count=400), [str(n) for n in range(400)])
    assert few.strength == 1000.0
    assert many.strength < 1000.0
    assert many.probabilities is not None
    truth = clips(count=400).targets
    assert (many.probabilities.argmax(axis=1) == truth).mean() > 0.9


def test_uneven_labels_get_a_strong_penalty() -> None:
    """A label that rests on two clips is no better known for the two hundred of the other."""
    data = clips(count=400)
    uneven = data.only((data.targets == 0) | (np.arange(400) < 4))
    assert choose(uneven, [str(n) for n in range(len(uneven.targets))]).strength == 1000.0


def test_a_label_of_one_speaker_is_no_error() -> None:
    """Nobody else says it, so its out-of-fold predictions are the base's."""
    data = clips(count=30)
    targets = data.targets.copy()
    targets[:3] = 2
    three = Clips(data.inputs, np.pad(data.offsets, ((0, 0), (0, 1))), data.owner, targets)
    choice = choose(three, ["one"] * 3 + [str(n) for n in range(27)])
    assert choice.probabilities is not None
    assert np.isfinite(choice.probabilities).all()


def test_most_windows_bound_the_sample() -> None:
    """Whole clips, the same each time; one long clip is a sample, too."""
    data = clips(count=40, per_clip=3)
    chosen = sample(data, most=30)
    assert chosen.sum() == 10
    assert np.array_equal(chosen, sample(data, most=30))
    assert sample(data, most=1).sum() == 1
