"""A training in one step: a linear head on frames of a network that does not learn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from emotool.errors import TrainingError
from emotool.features.extraction import extract
from emotool_training.evaluation.predictions import Predictions, read_predictions
from emotool_training.jobs.choices import Choices
from emotool_training.jobs.start import begin, resume
from emotool_training.jobs.train import train
from emotool_training.jobs.trained import load_model, recipe_of
from emotool_training.loop.predict import clip_probabilities, logits_function
from emotool_training.runs.folder import OWN_STATISTICS, Run, open_run
from tests.tiny_run import tiny_recipe
from tests.training.training_runs import CrashError, Silent, assert_same, choices, places

MODEL = {"blocks": 1, "pooled": [1], "width": 16, "heads": 2, "hidden": 16}


def run_of(base: Path, name: str, **changes: Any) -> Run:
    """Train by a recipe with a linear head."""
    recipe = tiny_recipe(
        base / "linear.json",
        architecture="whisper",
        model=MODEL,
        linear_head={"components": 8, "least_clips": 4},
        **changes,
    )
    run, plan = begin(str(recipe), choices(base, weights="none"), places(base, name))
    train(run, plan, Silent())
    return open_run(run.folder)


@pytest.fixture(scope="module")
def linear(base: Path) -> Run:
    """Train once."""
    return run_of(base, "linear")


def test_a_run_keeps_what_others_keep(linear: Run) -> None:
    """One epoch, figures, weights, predictions; also those by a corpus's own statistics."""
    metrics = linear.metrics()
    assert (metrics["epochs"], metrics["best_epoch"]) == (1, 1)
    header = (linear.folder / "history.csv").read_text().splitlines()[0].split(",")
    assert {"loss", "validation_uar"} <= set(header)
    plain = read_predictions(linear.folder / "predictions.csv")
    own = read_predictions(linear.folder / OWN_STATISTICS)
    assert facts(plain) == facts(own)
    assert not np.array_equal(plain.probabilities, own.probabilities)


def facts(predictions: Predictions) -> set[tuple[str, str]]:
    """Return each clip with its subset."""
    columns = (predictions.facts[name].tolist() for name in ("key", "subset"))
    return set(zip(*columns, strict=True))


def test_the_network_predicts_what_the_run_says(linear: Run, base: Path) -> None:
    """The head is in the network: from a clip's sound comes what stands in the predictions."""
    predictions = read_predictions(linear.folder / "predictions.csv")
    logits, spec = logits_function(load_model(linear)), recipe_of(linear).spectrogram
    for key, expected in list(
        zip(predictions.facts["key"], predictions.probabilities, strict=True)
    )[:4]:
        (path,) = (base / "corpus").rglob(f"{Path(str(key)).name}.wav")
        found = clip_probabilities(logits, [extract(path, spec).windows])
        assert np.allclose(found[0], expected, atol=1e-5)


def test_embeddings_are_made_once(linear: Run, base: Path) -> None:
    """A second run finds them, and ends with the same bits."""
    entries = sorted((base / "cache").glob("embeddings-*/*/*.npz"))
    before = [entry.stat().st_mtime_ns for entry in entries]
    assert len(entries) == 12  # of 24 clips, each is there twice
    assert_same(run_of(base, "again"), linear)
    assert [entry.stat().st_mtime_ns for entry in entries] == before
    entries[0].write_bytes(b"damaged")
    assert_same(run_of(base, "renewed"), linear)


def test_epochs_are_refused_where_there_are_none(base: Path) -> None:
    """One step fits the head; with fine-tuning there are epochs."""
    recipe = tiny_recipe(base / "step.json", architecture="whisper", model=MODEL, linear_head={})
    chosen = choices(base, weights="none", epochs=2)
    with pytest.raises(TrainingError, match="--epochs has no effect"):
        begin(str(recipe), chosen, places(base, "step"))
    assert not (base / "step").exists()
    assert begin(str(tuned(base, 0.5)), chosen, places(base, "step"))[1].recipe.epochs == 2


def tuned(base: Path, share: float) -> Path:
    """Write a recipe that fine-tunes the second of two blocks, then fits a linear head."""
    return tiny_recipe(
        base / f"tuned{share:g}.json",
        architecture="whisper",
        model={**MODEL, "blocks": 2, "pooled": [1, 2]},
        epochs=2,
        kept={"layer": "block1", "copies": 2},
        fine_tuning={"share": share},
        linear_head={"components": 8, "least_clips": 4},
    )


def block(run: Run, number: int) -> list[Any]:
    """Return a block's weights."""
    return load_model(run).get_layer(f"block{number}").get_weights()  # type: ignore[no-any-return]


def test_fine_tuning_changes_the_layers_behind_the_maps_by_its_share(base: Path) -> None:
    """The first block stays; the second is at the share between its two ends, which differ."""
    runs = {}
    for share in (0.0, 0.5, 1.0):
        runs[share], plan = begin(
            str(tuned(base, share)), choices(base, weights="none"), places(base, f"tuned{share}")
        )
        train(runs[share], plan, Silent())
        assert len((runs[share].folder / "learning_history.csv").read_text().splitlines()) == 3
    none, half, whole = (runs[share] for share in (0.0, 0.5, 1.0))
    assert all(map(np.array_equal, block(none, 1), block(whole, 1)))
    assert not any(map(np.array_equal, block(none, 2), block(whole, 2)))
    for low, between, high in zip(block(none, 2), block(half, 2), block(whole, 2), strict=True):
        assert np.allclose(between, (low + high) / 2, atol=1e-6)


def test_an_interrupted_fine_tuning_ends_with_the_same_bits(base: Path) -> None:
    """The head fits the weights that the last epoch leaves, also where it was resumed."""
    recipe, chosen = str(tuned(base, 0.5)), choices(base, weights="none")
    whole, plan = begin(recipe, chosen, places(base, "whole"))
    train(whole, plan, Silent())
    crashed, plan = begin(recipe, chosen, places(base, "crashed"))
    with pytest.raises(CrashError):
        train(crashed, plan, Silent(at_epoch=2, at_step=1))
    train(*resume(str(crashed.folder), Choices(), places(base, "crashed")), Silent())
    assert_same(open_run(crashed.folder), open_run(whole.folder))


def test_a_network_that_pools_no_frames_has_no_such_head(base: Path) -> None:
    """It says so instead of training something else."""
    recipe = tiny_recipe(base / "none.json", linear_head={})
    run, plan = begin(str(recipe), choices(base), places(base, "none"))
    with pytest.raises(TrainingError, match="pools no frames"):
        train(run, plan, Silent())
