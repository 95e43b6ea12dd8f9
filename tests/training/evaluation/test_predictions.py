"""Tables of predicted probabilities."""

from pathlib import Path

import numpy as np
import pytest

from emotool.errors import TrainingError
from emotool_training.evaluation.predictions import (
    FACTS,
    Predictions,
    concatenate,
    from_rows,
    read_predictions,
    write_predictions,
)

LABELS = ("happy", "sad")


def some(*keys: str, subset: str = "test") -> Predictions:
    """Predictions of clips with the given keys, the odd ones sad."""
    rows = [
        {"key": key, "corpus": "nemo", "speaker": "nemo-A", "subset": subset}
        | {"emotion": LABELS[i % 2], "p_happy": "0.9", "p_sad": "0.1"}
        for i, key in enumerate(keys)
    ]
    return from_rows(LABELS, rows)


def test_a_table_survives_the_disk(tmp_path: Path) -> None:
    """What is written is read back, to six significant digits, tiny ones too."""
    before = some("a", "b").with_probabilities(np.array([[1 - 1e-9, 1e-9], [0.123456789, 0.9]]))
    write_predictions(tmp_path / "p.csv", before)
    after = read_predictions(tmp_path / "p.csv")
    assert after.labels == LABELS
    np.testing.assert_allclose(after.probabilities, before.probabilities, rtol=1e-5)
    for name in FACTS:
        assert after.facts[name].tolist() == before.facts[name].tolist()


def test_optional_facts_may_be_missing(tmp_path: Path) -> None:
    """A table without sex and intensity is read; they are empty."""
    path = tmp_path / "p.csv"
    path.write_text("key,corpus,speaker,emotion,p_happy,p_sad\na,nemo,nemo-A,sad,0.2,0.8\n")
    read = read_predictions(path)
    assert read.facts["sex"].tolist() == [""]
    assert (read.truth.tolist(), read.predicted.tolist()) == ([1], [1])


@pytest.mark.parametrize(
    "text",
    [
        "key,corpus,speaker,p_happy,p_sad\na,nemo,nemo-A,0.2,0.8\n",
        "key,corpus,speaker,emotion,p_happy,p_sad\na,nemo,nemo-A,sad,0.2\n",
        "key,corpus,speaker,emotion,p_happy,p_sad\na,nemo,nemo-A,sad,0.2,high\n",
    ],
)
def test_a_broken_table_is_named(tmp_path: Path, text: str) -> None:
    """A missing column, a short row or a word for a number is an error with the file's name."""
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(TrainingError, match=r"p\.csv is not a table"):
        read_predictions(path)


def test_joining_sorts_by_key_and_refuses_a_clip_twice() -> None:
    """Folds join into one table in which each clip is predicted once."""
    assert concatenate([some("c", "a"), some("b")]).facts["key"].tolist() == ["a", "b", "c"]
    with pytest.raises(TrainingError, match="a is predicted more than once"):
        concatenate([some("a"), some("a")])
    with pytest.raises(TrainingError, match="no predictions"):
        concatenate([])


def test_a_subset_is_chosen_by_name() -> None:
    """Validation and test rows of one table are told apart."""
    both = concatenate([some("a"), some("b", subset="validation")])
    assert both.subset("validation").facts["key"].tolist() == ["b"]


def test_an_emotion_the_model_does_not_know_is_refused() -> None:
    """A true label outside the labels cannot be scored."""
    with pytest.raises(TrainingError, match="fear"):
        from_rows(
            LABELS,
            [
                {"key": "a", "corpus": "c", "speaker": "s", "emotion": "fear"}
                | {"p_happy": "1", "p_sad": "0"}
            ],
        )
