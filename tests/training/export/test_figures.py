"""Figures by protocol."""

import json
from pathlib import Path

import numpy as np
import pytest

from emotool.errors import TrainingError
from emotool_training.evaluation.predictions import Predictions, from_rows
from emotool_training.export.figures import (
    benchmark_figures,
    for_metadata,
    is_one_more_training,
    keys_digest,
    recipe_digest,
    run_figures,
)
from emotool_training.recipes.recipe import Recipe


def predictions(*subsets: str) -> Predictions:
    """Four clips in each subset, rightly labelled."""
    rows = [
        {"key": f"{subset}{i}", "corpus": "nemo", "speaker": f"nemo-{i}", "subset": subset}
        | {"emotion": ("happy", "sad")[i % 2], "p_happy": str(1 - i % 2), "p_sad": str(i % 2)}
        for subset in subsets
        for i in range(4)
    ]
    return from_rows(("happy", "sad"), rows)


@pytest.mark.parametrize(
    ("subsets", "comparable", "name"),
    [
        (("train", "validation", "test"), True, "new_speakers"),
        (("train", "validation", "test"), False, "random_clips"),
        (("train", "validation"), True, "validation"),
    ],
)
def test_the_protocol_follows_from_the_split(
    subsets: tuple[str, ...], comparable: bool, name: str
) -> None:
    """Random clips are never taken for new speakers, nor validation for a test."""
    split = {"comparable": comparable, "description": "by hand"}
    (found,) = run_figures(predictions(*subsets), split).items()
    assert found[0] == name
    assert (found[1]["uar"], found[1]["clips"]) == (1.0, 4)
    assert found[1]["comparable"] is (name == "new_speakers")
    assert "by hand" in found[1]["description"]


def test_a_run_that_predicted_nothing_new_has_no_figures() -> None:
    """Training clips are never scored."""
    assert run_figures(predictions("train"), {}) == {}


def test_what_goes_into_a_file_is_small_and_has_no_unknown_bound() -> None:
    """Lists of speakers and matrices stay outside; None would not be a rate."""
    figures = run_figures(predictions("test"), {"comparable": True})
    kept = for_metadata(figures)["new_speakers"]
    assert kept["uar"] == 1.0
    assert not {"per_speaker", "confusion", "labels"} & set(kept)
    one_speaker = predictions("test")
    one_speaker = one_speaker.select(np.array([True, False, False, False]))
    assert "uar_low" not in for_metadata(run_figures(one_speaker, {}))["random_clips"]


def test_benchmark_figures_are_found_by_name(tmp_path: Path) -> None:
    """No file and no such name give nothing; a damaged file is an error."""
    path = tmp_path / "figures.json"
    assert benchmark_figures(path, "cnn") == {}
    found = {"kind": "r", "labels": ["a", "b"], "clips_digest": "", "epochs": [1, 2]}
    path.write_text(json.dumps({"cnn": {**found, "protocols": {}}}))
    assert benchmark_figures(path, "cnn")["kind"] == "r"
    assert benchmark_figures(path, "resnet") == {}
    for damaged in ("{", "[]", '{"cnn": {"kind": "r"}}'):
        path.write_text(damaged)
        with pytest.raises(TrainingError, match=r"figures"):
            benchmark_figures(path, "cnn")


@pytest.mark.parametrize(("others", "alike"), [(5, True), (6, False)])
def test_few_clips_of_untested_corpora_make_no_other_model(others: int, alike: bool) -> None:
    """One in twenty at most, such as a corpus of one speaker who always trains."""
    recipe = Recipe("r", "cnn")
    tested = [f"nemo/{number}" for number in range(100)]
    found = {
        "kind": recipe_digest(recipe, length=False),
        "clips_digest": keys_digest(tested),
        "epochs": [3, 5],
        "protocols": {"new_speakers": {"per_corpus": {"nemo": {}}}},
    }
    keys = [*tested, *(f"cremad/{number}" for number in range(others))]
    assert is_one_more_training(found, recipe, reversed(keys), 4) is alike
    assert not is_one_more_training(found, recipe, keys, 2)
    assert not is_one_more_training(found, recipe, keys[1:], 4)
    assert not is_one_more_training({}, recipe, keys, 4)
