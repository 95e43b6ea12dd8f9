"""Whole training runs, of a network so small that each takes seconds."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from emotool.errors import TrainingError
from emotool.features.extraction import extract
from emotool_training import architectures
from emotool_training.corpora import load_corpora
from emotool_training.evaluation.predictions import read_predictions
from emotool_training.features.cache import FeatureCache
from emotool_training.jobs.choices import Choices
from emotool_training.jobs.start import Places, begin, resume
from emotool_training.jobs.train import train
from emotool_training.jobs.trained import load_model
from emotool_training.loop.predict import clip_probabilities, logits_function
from emotool_training.recipes.recipe import load_recipe
from emotool_training.runs.folder import Run, open_run, write_json
from tests.corpus_tree import odd
from tests.synthesis import vowel, write_clip
from tests.tiny_run import tiny_recipe
from tests.training.training_runs import (
    SAME,
    CrashError,
    Silent,
    assert_same,
    choices,
    places,
    weights,
)

pytestmark = pytest.mark.training


def test_a_run_keeps_everything(uninterrupted: Run) -> None:
    """Settings, split, history, pictures, predictions, figures, weights, checkpoints."""
    folder = uninterrupted.folder
    names = {path.name for path in folder.iterdir()}
    assert {*SAME, "config.json", "timing.json", "best.weights.h5", "checkpoints"} <= names
    for picture in ("learning_curves.png", "confusion_matrix.png"):
        assert (folder / picture).read_bytes().startswith(b"\x89PNG")
    with (folder / "history.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3]
    assert {"loss", "validation_loss", "validation_uar", "learning_rate"} <= set(rows[0])
    split = json.loads((folder / "split.json").read_text())
    predictions = read_predictions(folder / "predictions.csv")
    for subset in ("validation", "test"):
        expected = split["clips"][subset]
        assert sorted(predictions.subset(subset).facts["key"].tolist()) == sorted(expected)
    metrics = uninterrupted.metrics()
    assert metrics["labels"] == ["happy", "sad"]
    assert 1 <= metrics["best_epoch"] <= metrics["epochs"] == 3
    assert metrics["test"]["clips"] == len(split["clips"]["test"])
    assert uninterrupted.finished
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_predictions_are_means_over_the_windows_that_classify_sees(
    base: Path, uninterrupted: Run
) -> None:
    """The kept weights give the kept predictions, for clips taken one by one."""
    model = load_model(uninterrupted)
    kept = read_predictions(uninterrupted.folder / "predictions.csv")
    paths = {u.key: u.path for u in load_corpora([base / "corpus"]).utterances}
    spec = uninterrupted.config["recipe"]["spectrogram"]
    from emotool.features.spec import SpectrogramSpec

    logits = logits_function(model)
    for key, expected in zip(kept.facts["key"], kept.probabilities, strict=True):
        windows = extract(paths[str(key)], SpectrogramSpec.from_dict(spec)).windows
        (found,) = clip_probabilities(logits, [windows])
        assert np.allclose(found, expected, atol=2e-6)


def test_the_same_seed_gives_the_same_bits(base: Path, uninterrupted: Run) -> None:
    """History, figures, predictions and weights."""
    run, plan = begin(str(base / "tiny.json"), choices(base), places(base, "again"))
    train(run, plan, Silent())
    assert_same(run, uninterrupted)


@pytest.mark.parametrize("crash", [(1, 0), (2, 1), (3, 0)])
def test_a_resumed_run_ends_as_if_it_had_not_been_interrupted(
    base: Path, uninterrupted: Run, crash: tuple[int, int], tmp_path: Path
) -> None:
    """After any epoch and within one: the same bits as the run that nobody interrupted."""
    where = Places(tmp_path, FeatureCache(base / "cache", workers=1))
    run, plan = begin(str(base / "tiny.json"), choices(base), where)
    with pytest.raises(CrashError):
        train(run, plan, Silent(*crash))
    assert not run.finished
    again, plan = resume("tiny", Choices(), where)
    assert again.folder == run.folder
    display = Silent()
    train(again, plan, display)
    # A run that dies while an epoch's figures are shown has kept that epoch.
    done = crash[0] if crash[1] == 0 else crash[0] - 1
    assert len(display.losses) == 3 - done
    assert_same(again, uninterrupted)


def test_nothing_is_compiled_where_the_compiler_may_be_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a GPU, and elsewhere than on Linux, steps are taken operation by operation."""
    import tensorflow as tf

    from emotool_training.loop import fit

    monkeypatch.setattr(fit.sys, "platform", "linux")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    assert fit._compiled()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    assert not fit._compiled()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(fit.sys, "platform", "darwin")
    assert not fit._compiled()


def test_a_damaged_checkpoint_costs_an_epoch_and_nothing_else(
    base: Path, uninterrupted: Run, tmp_path: Path
) -> None:
    """The one before is gone on with."""
    where = Places(tmp_path, FeatureCache(base / "cache", workers=1))
    run, plan = begin(str(base / "tiny.json"), choices(base), where)
    with pytest.raises(CrashError):
        train(run, plan, Silent(2, 0))
    newest = run.stage().checkpoints()[0]
    newest.write_bytes(newest.read_bytes()[:1000])
    again, plan = resume(str(run.folder), Choices(), where)
    train(again, plan, Silent())
    assert_same(again, uninterrupted)


def test_another_seed_gives_another_model(base: Path, uninterrupted: Run) -> None:
    """On the same clips."""
    run, plan = begin(str(base / "tiny.json"), choices(base, seed=1), places(base, "other"))
    train(run, plan, Silent())
    assert (run.folder / "split.json").read_bytes() == (
        uninterrupted.folder / "split.json"
    ).read_bytes()
    assert not np.array_equal(weights(run)[0], weights(uninterrupted)[0])


def test_a_finished_run_is_not_resumed(base: Path, uninterrupted: Run) -> None:
    """Neither by its folder nor by its name."""
    with pytest.raises(TrainingError, match="is finished"):
        resume(str(uninterrupted.folder), Choices(), places(base, "first"))
    with pytest.raises(TrainingError, match="no unfinished run of 'tiny'"):
        resume("tiny", Choices(), places(base, "first"))


@pytest.fixture
def unfinished(base: Path, tmp_path: Path) -> Run:
    """Begin a run that has not come to its first epoch."""
    where = Places(tmp_path / "runs", FeatureCache(base / "cache", workers=1))
    run, _ = begin(str(base / "tiny.json"), choices(base), where)
    return run


def test_other_options_are_not_mixed_into_a_run(base: Path, unfinished: Run) -> None:
    """They are refused, whether they would change the network or the clips."""
    where = Places(unfinished.folder.parents[1], FeatureCache(base / "cache"))
    for changed in ({"seed": 1}, {"epochs": 9}, {"labels": ("happy", "fear")}):
        for name in ("tiny", str(unfinished.folder)):
            with pytest.raises(TrainingError, match="other options"):
                resume(name, Choices(**changed), where)  # type: ignore[arg-type]


def test_a_corpus_may_have_moved_but_not_changed(
    base: Path, unfinished: Run, tmp_path: Path
) -> None:
    """The same clips elsewhere are gone on with; other sounds under their names are refused."""
    where = Places(unfinished.folder.parents[1], FeatureCache(base / "cache"))
    moved = shutil.copytree(base / "corpus", tmp_path / "moved")
    _, plan = resume("tiny", Choices(data=(str(moved),)), where)
    assert all(clip.path.is_relative_to(moved) for clip in plan.split.train)
    one, other = sorted(moved.rglob("*.wav"))[:2]
    one.write_bytes(other.read_bytes())
    fresh = Places(where.runs, FeatureCache(base / "cache"))
    with pytest.raises(TrainingError, match="no longer those"):
        resume("tiny", Choices(data=(str(moved),)), fresh)


def test_a_run_is_not_gone_on_with_by_other_features(base: Path, unfinished: Run) -> None:
    """Where the code that computes features has changed, the run would end as neither's."""
    where = Places(unfinished.folder.parents[1], FeatureCache(base / "cache"))
    config = {**unfinished.config, "features": ["windows-0-of-another-version"]}
    write_json(unfinished.folder / "config.json", config)
    with pytest.raises(TrainingError, match="feature code has changed"):
        resume("tiny", Choices(), where)


def test_clips_that_cannot_be_used_are_told_and_left_out(base: Path, tmp_path: Path) -> None:
    """A silent clip to train on and a broken one to test on cost the run only themselves."""
    corpus = shutil.copytree(base / "corpus", tmp_path / "corpus")
    recipe = str(tiny_recipe(tmp_path / "tiny.json", epochs=1))
    where = Places(tmp_path / "runs", FeatureCache(tmp_path / "cache", workers=1))
    chosen = Choices(data=(str(corpus),))
    _, plan = begin(recipe, chosen, where)
    train_clip, test_clip = plan.split.train[0], plan.split.test[0]
    write_clip(train_clip.path, np.zeros(8000, np.float32), 8000)
    test_clip.path.write_text("broken")
    run, plan = begin(recipe, chosen, Places(where.runs, FeatureCache(tmp_path / "c2", workers=1)))
    display = Silent()
    metrics = train(run, plan, display)
    assert metrics["rejected"][train_clip.key] == "silent"
    assert set(metrics["rejected"]) == {train_clip.key, test_clip.key}
    assert metrics["test"]["clips"] == len(plan.split.test) - 1
    told = [text for text in display.said if text.startswith("skipped")]
    rejected = [metrics["rejected"][clip.key] for clip in (train_clip, test_clip)]
    assert told == [
        f"skipped: {clip.key}: {reason}"
        for clip, reason in zip((train_clip, test_clip), rejected, strict=True)
    ]


def test_a_recipe_that_makes_no_network_costs_no_features(base: Path, tmp_path: Path) -> None:
    """They take minutes, and the recipe must be mended first."""
    recipe = str(tiny_recipe(tmp_path / "tiny.json", model={"widths": [4, -1]}))
    run, plan = begin(recipe, choices(base), places(tmp_path))
    with pytest.raises(TrainingError, match="these settings make no cnn"):
        train(run, plan, Silent())
    assert not (tmp_path / "cache").exists()


def test_names_that_are_no_text_are_trained_on(tmp_path: Path) -> None:
    """Of clips, people and folders; a run of such clips is resumed, and keeps them by one key."""
    mine = odd(tmp_path, b"m\xe9")
    for number in range(4):
        for label, pitch in (("happy", 260.0), ("sad", 110.0)):
            sound = vowel(pitch + 7 * number, 0.5, 8000)
            named = odd(mine / label, b"p\xe9%d_1.wav" % number)
            write_clip(tmp_path / "one.wav", sound, 8000).rename(named)
    recipe = str(tiny_recipe(tmp_path / "tiny.json", epochs=2))
    chosen = Choices(data=(str(mine),), speaker_pattern="/([^/_]+)_")
    run, plan = begin(recipe, chosen, places(tmp_path))
    with pytest.raises(CrashError):
        train(run, plan, Silent(1, 0))
    again, plan = resume("tiny", Choices(), places(tmp_path))
    assert open_run(again.folder).config["choices"]["data"] == [str(mine)]
    train(again, plan, Silent())
    kept = read_predictions(run.folder / "predictions.csv").facts
    split = json.loads((run.folder / "split.json").read_text(encoding="utf-8"))
    expected = [*split["clips"]["validation"], *split["clips"]["test"]]
    assert kept["key"].tolist() == expected
    assert all(key.startswith(r"m\xe9/") and r"/p\xe9" in key for key in expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"precision": "bfloat16"},
        {"average_decay": 0.0, "gradient_clip": 0.0, "augmentation": {"mixup_alpha": 0.0}},
        {"layer_rates": {"conv2d": 0.0, "head": 0.5}, "frozen_epochs": {"head": 1}},
    ],
)
def test_recipes_may_differ(base: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    """Mixed precision, nothing averaged, layers kept still: a run comes to its end."""
    recipe = str(tiny_recipe(tmp_path / "tiny.json", **{**changes, "epochs": 2}))
    where = Places(tmp_path / "runs", FeatureCache(base / "cache", workers=1))
    run, plan = begin(recipe, choices(base), where)
    assert train(run, plan, Silent())["epochs"] == 2
    assert np.isfinite(weights(run)[0]).all()


def test_training_learns(base: Path, tmp_path: Path) -> None:
    """High voices happy, low ones sad: a few epochs tell them apart on new speakers."""
    recipe = str(tiny_recipe(tmp_path / "tiny.json", epochs=12, augmentation=GENTLE))
    where = Places(tmp_path / "runs", FeatureCache(base / "cache", workers=1))
    run, plan = begin(recipe, choices(base), where)
    metrics = train(run, plan, Silent())
    assert metrics["test"]["uar"] == 1.0


GENTLE = {"warp": 0.02, "tilt_db": 1.0, "response_db": 0.5, "mel_masks": 0, "time_masks": 0}


def test_a_pretrained_network_starts_from_the_weights_named(base: Path) -> None:
    """What it started from is kept; the layers kept still end as they began."""
    model = {"cut": "conv2_block1_out", "projection": 4}
    recipe_file = tiny_recipe(
        base / "res.json", architecture="resnet", model=model, layer_rates={"conv": 0.0}, epochs=1
    )
    spec = load_recipe(str(recipe_file)).spectrogram
    donor = architectures.build("resnet", ("happy", "sad"), spec, model)
    arrays = {
        f"{layer.name}/{weight.name}": weight.numpy()
        for layer in donor.layers
        if layer.name.startswith("conv")
        for weight in layer.weights
    }
    np.savez(base / "donor.npz", **arrays)
    chosen = choices(base, weights=str(base / "donor.npz"))
    run, plan = begin(str(recipe_file), chosen, places(base, "pretrained"))
    metrics = train(run, plan, Silent())
    assert metrics["started_from"] == "weights of 10 layers from donor.npz"
    trained = load_model(run).get_layer("conv2_block1_1_conv").kernel.numpy()
    assert np.array_equal(trained, arrays["conv2_block1_1_conv/kernel"])


def test_weights_that_cannot_be_used_are_refused_before_anything_is_computed(base: Path) -> None:
    """For a network trained from scratch, and a file that is not there."""
    with pytest.raises(TrainingError, match="trained from scratch"):
        begin(str(base / "tiny.json"), choices(base, weights="imagenet"), places(base, "refused"))
    recipe_file = tiny_recipe(base / "res.json", architecture="resnet", model={})
    with pytest.raises(TrainingError, match="no such file"):
        begin(str(recipe_file), choices(base, weights="nowhere.npz"), places(base, "refused"))
    assert not (base / "refused").exists()
