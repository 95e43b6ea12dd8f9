"""The scores every claim of this project rests on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score
from sklearn.metrics import confusion_matrix as sklearn_confusion

from emotool_training.evaluation.metrics import (
    accuracy,
    confusion_matrix,
    f1,
    mean_corpora,
    mean_uar,
    uar,
    uar_by_corpus,
    uar_of,
)

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


@given(PAIRS)
def test_scores_equal_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    """Accuracy, UAR, F1 and the matrix agree with scikit-learn on any clips."""
    truth, predicted = np.array(pairs).T  # [clips] each
    present = sorted(set(truth.tolist()))
    assert (
        confusion_matrix(truth, predicted, 4).tolist()
        == sklearn_confusion(truth, predicted, labels=range(4)).tolist()
    )
    assert accuracy(truth, predicted, 4) == pytest.approx(accuracy_score(truth, predicted))
    # scikit-learn warns of one label alone, and of labels predicted but never true.
    if len(present) > 1 and set(predicted.tolist()) <= set(present):
        expected = balanced_accuracy_score(truth, predicted)
        assert uar(truth, predicted, 4) == pytest.approx(expected)
    recalls = [np.mean(predicted[truth == label] == label) for label in present]
    assert uar(truth, predicted, 4) == pytest.approx(np.mean(recalls))
    expected_f1 = f1_score(truth, predicted, labels=present, average="macro", zero_division=0)
    assert f1(truth, predicted, 4) == pytest.approx(expected_f1)


def test_one_class_for_everything_scores_chance() -> None:
    """A model that answers one label has UAR 1/labels, however unbalanced the clips."""
    truth = [0] * 90 + [1] * 10
    assert uar(truth, [0] * 100, 2) == 0.5
    assert accuracy(truth, [0] * 100, 2) == 0.9


def test_a_label_without_clips_is_left_out() -> None:
    """As nEMO has no disgust, its UAR is over the five labels it has."""
    assert uar([0, 1], [0, 1], 3) == 1.0


def test_no_clips_give_nan_and_no_warning() -> None:
    """An empty set has no score; nothing is divided by zero."""
    assert np.isnan(uar([], [], 2))
    assert np.isnan(accuracy([], [], 2))


def test_leading_axes_are_kept() -> None:
    """A stack of confusion matrices is scored in one call."""
    stack = np.array([[[2, 0], [0, 2]], [[0, 2], [2, 0]]])  # [draws, labels, labels]
    assert uar_of(stack).tolist() == [1.0, 0.0]


def test_corpora_weigh_the_same_whatever_their_size() -> None:
    """The headline is the mean of the corpora's UARs, not the pooled clips' UAR."""
    truth = [0, 1] * 500 + [0, 1] * 10
    predicted = [0, 1] * 500 + [1, 0] * 10
    corpora = ["nemo"] * 1000 + ["tess"] * 20
    assert uar_by_corpus(truth, predicted, corpora, 2) == {"nemo": 1.0, "tess": 0.0}
    assert mean_uar(truth, predicted, corpora, 2) == 0.5


def test_a_handful_of_clips_is_no_corpus() -> None:
    """Six clips of one actor do not weigh as much as a whole corpus."""
    assert mean_corpora(["ravdess"] * 40 + ["cremad"] * 6) == ("ravdess",)
    assert mean_corpora(["cremad"] * 6) == ("cremad",)


@pytest.mark.parametrize(
    ("truth", "predicted"), [([0, 1], [0]), ([0, 2], [0, 0]), ([0, 0], [0, -1])]
)
def test_bad_labels_are_refused(truth: list[int], predicted: list[int]) -> None:
    """Lengths that differ and indices out of range are errors, not silent miscounts."""
    with pytest.raises(ValueError, match=r"differ|outside"):
        confusion_matrix(truth, predicted, 2)
