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
from emotool.features import extract
from tests.tiny_run import tiny_corpus, tiny_recipe
from training import architectures
from training.choices import Choices
from training.corpora import load_corpora
from training.feature_cache import FeatureCache
from training.kept_maps import KeptMaps
from training.predict import clip_probabilities, logits_function
from training.predictions import read_predictions
from training.progress import Display
from training.recipe import load_recipe
from training.run_source import source_of
from training.runs import Run, open_run, write_json
from training.start import Places, begin, resume
from training.train import train
from training.trained import load_model

SAME = ("history.csv", "metrics.json", "predictions.csv", "split.json")
"""Files in which two runs of the same seed do not differ in a single byte."""


class CrashError(Exception):
    """The end of a process, as far as a run can tell."""


class Silent(Display):
    """Shows nothing, and crashes where it is told to."""

    def __init__(self, at_epoch: int = 0, at_step: int = 0) -> None:
        super().__init__(3)
        self.at = (at_epoch, at_step)
        self.place = (0, 0)
        self.losses: list[float] = []

    def say(self, text: str) -> None:
        """Keep still."""

    def epoch_begins(self, epoch: int, steps: int) -> None:
        """Count."""
        self.place = (epoch + 1, 0)

    def step_ends(self, loss: float) -> None:
        """Count, and crash in the middle of an epoch."""
        self.place = (self.place[0], self.place[1] + 1)
        if self.place == self.at:
            raise CrashError

    def epoch_ends(self, row: dict[str, float], best: int) -> None:
        """Crash after an epoch."""
        self.losses.append(row["loss"])
        if (self.place[0], 0) == self.at:
            raise CrashError


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a corpus, a recipe and a cache."""
    folder = tmp_path_factory.mktemp("training")
    tiny_corpus(folder / "corpus")
    tiny_recipe(folder / "tiny.json")
    return folder


def places(base: Path, runs: str = "runs") -> Places:
    """Return where runs of a test are kept."""
    return Places(base / runs, FeatureCache(base / "cache", workers=1))


def choices(base: Path, **changes: Any) -> Choices:
    """Return the choices of a run on the tiny corpus."""
    return Choices(data=(str(base / "corpus"),), **changes)


@pytest.fixture(scope="module")
def uninterrupted(base: Path) -> Run:
    """Make a run that nobody interrupts."""
    run, plan = begin(str(base / "tiny.json"), choices(base), places(base, "first"))
    train(run, plan, Silent())
    return open_run(run.folder)


def weights(run: Run) -> list[np.ndarray]:
    """Return the best weights of a run."""
    found: list[np.ndarray] = load_model(run).get_weights()
    return found


def assert_same(run: Run, other: Run) -> None:
    """Check that two runs have the same results, bit for bit."""
    for name in SAME:
        assert (run.folder / name).read_bytes() == (other.folder / name).read_bytes(), name
    for mine, theirs in zip(weights(run), weights(other), strict=True):
        assert np.array_equal(mine, theirs)


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
    from emotool.spectrogram import SpectrogramSpec

    logits = logits_function(model)
    for key, expected in zip(kept.facts["key"], kept.probabilities, strict=True):
        windows = extract(paths[str(key)], SpectrogramSpec.from_dict(spec)).log_mels
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

    from training import fit

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
    with pytest.raises(TrainingError, match="features otherwise"):
        resume("tiny", Choices(), where)


def test_clips_that_cannot_be_used_are_told_and_left_out(base: Path, tmp_path: Path) -> None:
    """A silent clip to train on and a broken one to test on cost the run only themselves."""
    corpus = shutil.copytree(base / "corpus", tmp_path / "corpus")
    recipe = str(tiny_recipe(tmp_path / "tiny.json", epochs=1))
    where = Places(tmp_path / "runs", FeatureCache(tmp_path / "cache", workers=1))
    chosen = Choices(data=(str(corpus),))
    _, plan = begin(recipe, chosen, where)
    train_clip, test_clip = plan.split.train[0], plan.split.test[0]
    from tests.synthesis import write_clip

    write_clip(train_clip.path, np.zeros(8000, np.float32), 8000)
    test_clip.path.write_text("broken")
    run, plan = begin(recipe, chosen, Places(where.runs, FeatureCache(tmp_path / "c2", workers=1)))
    metrics = train(run, plan, Silent())
    assert metrics["rejected"][train_clip.key] == "silent"
    assert set(metrics["rejected"]) == {train_clip.key, test_clip.key}
    assert metrics["test"]["clips"] == len(plan.split.test) - 1


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


def staged(base: Path) -> Path:
    """Write a recipe of two stages on a small ResNet."""
    layers = {"conv": 0.0, "conv2_block2": 0.1}
    return tiny_recipe(
        base / "staged.json",
        architecture="resnet",
        model={"cut": "conv2_block2_out", "projection": 4},
        layer_rates=layers,
        epochs=2,
        kept={"layer": "conv2_block1_out", "copies": 2},
        head_first={"layer": "conv2_block2_out", "epochs": 2},
    )


def test_stages_train_the_head_then_the_layers_above_the_kept_maps(base: Path) -> None:
    """What is said to be still is still; an interrupted run ends with the same bits."""
    recipe_file = str(staged(base))
    chosen = choices(base, weights="none")
    run, plan = begin(recipe_file, chosen, places(base, "staged"))
    train(run, plan, Silent())
    assert {path.name for path in run.folder.glob("*history.csv")} == {
        "head_history.csv",
        "learning_history.csv",
    }
    model = load_model(run)
    crashed, plan = begin(recipe_file, chosen, places(base, "crashed"))
    with pytest.raises(CrashError):
        train(crashed, plan, Silent(at_epoch=2, at_step=1))  # in the head's second epoch
    with pytest.raises(CrashError):
        train(*resume(str(crashed.folder), Choices(), places(base, "crashed")), SecondStage())
    train(*resume(str(crashed.folder), Choices(), places(base, "crashed")), Silent())
    for name in ("predictions.csv", "learning_history.csv", "head_history.csv"):
        assert (crashed.folder / name).read_bytes() == (run.folder / name).read_bytes(), name
    again = load_model(crashed)
    for one, other in zip(model.weights, again.weights, strict=True):
        assert np.array_equal(one.numpy(), other.numpy()), one.path


def test_a_stage_that_is_over_reads_no_maps(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever goes on in the second stage does not wait for the maps of the first."""
    run, plan = begin(str(staged(base)), choices(base, weights="none"), places(base, "over"))
    with pytest.raises(CrashError):
        train(run, plan, SecondStage())
    read: list[str] = []
    made = KeptMaps.training

    def training(maps: KeptMaps, *arguments: Any) -> Any:
        read.append(maps.recipe.kept.layer if maps.recipe.kept else "")
        return made(maps, *arguments)

    monkeypatch.setattr(KeptMaps, "training", training)
    whole = (run.folder / "checkpoints" / "head-00002.npz").read_bytes()
    for content, wanted in (
        (whole[:-1000], ["conv2_block2_out", "conv2_block1_out"]),  # its last epoch comes again
        (whole, []),
    ):
        read.clear()
        (run.folder / "checkpoints" / "head-00002.npz").write_bytes(content)
        train(run, plan, Silent())
        assert read == wanted


def test_a_companion_is_trained_after_the_main_network(base: Path, uninterrupted: Run) -> None:
    """Which learns as it does alone; an interrupted run ends with the same bits."""
    companion = {"architecture": "cnn", "model": {"widths": [4]}, "share": 0.25, "epochs": 3}
    companion["voices"] = [0.9, 1.1]
    recipe_file = str(tiny_recipe(base / "pair.json", companion=companion))
    run, plan = begin(recipe_file, choices(base), places(base, "pair"))
    train(run, plan, Silent())
    assert {path.name for path in run.folder.glob("*history.csv")} == {
        "companion_history.csv",
        "learning_history.csv",
    }
    curves = run.folder / "companion_learning_curves.png"
    assert curves.read_bytes().startswith(b"\x89PNG")
    source = source_of(run, Path("nowhere.json"))
    assert source.architecture == "cnn + cnn"
    assert "own times 0.25 and the main network's times 0.75" in source.notes
    assert "hears each window with all frequencies divided by 0.9, 1.1" in source.notes
    crashed, plan = begin(recipe_file, choices(base), places(base, "pair_crashed"))
    with pytest.raises(CrashError):
        train(crashed, plan, OnceTold("the companion"))
    train(*resume(str(crashed.folder), Choices(), places(base, "pair_crashed")), Silent())
    for name in ("predictions.csv", "learning_history.csv", "companion_history.csv"):
        assert (crashed.folder / name).read_bytes() == (run.folder / name).read_bytes(), name
    alone = (uninterrupted.folder / "history.csv").read_bytes()
    assert (run.folder / "learning_history.csv").read_bytes() == alone
    assert read_predictions(run.folder / "predictions.csv").probabilities.tolist() != (
        read_predictions(uninterrupted.folder / "predictions.csv").probabilities.tolist()
    )


class OnceTold(Silent):
    """Crashes in the second epoch of a stage."""

    def __init__(self, beginning: str) -> None:
        super().__init__()
        self.beginning = beginning

    def say(self, text: str) -> None:
        """Notice the stage."""
        if text.startswith(self.beginning):
            self.at = (2, 1)


class SecondStage(Silent):
    """Crashes in the first epoch of the second stage."""

    def say(self, text: str) -> None:
        """Notice the stage."""
        if text.startswith("stage of all"):
            self.at = (1, 1)


def test_an_autoencoder_learns_to_give_back_then_to_tell_apart(base: Path) -> None:
    """The error falls, pictures are drawn, the encoder that was kept still is that of stage one."""
    recipe_file = tiny_recipe(
        base / "auto.json",
        architecture="autoencoder",
        model={"widths": [4, 8], "projection": 4},
        layer_rates={"encoder": 0.0},
        epochs=2,
        kept={"layer": "encoder_code", "copies": 2},
        reconstruct={"epochs": 4, "learning_rate": 0.01},
    )
    run, plan = begin(str(recipe_file), choices(base), places(base, "auto"))
    train(run, plan, Silent())
    with (run.folder / "reconstruction_history.csv").open() as handle:
        errors = [float(row["validation_loss"]) for row in csv.DictReader(handle)]
    assert errors[-1] < errors[0]
    assert (run.folder / "reconstructions.png").read_bytes().startswith(b"\x89PNG")
    model = load_model(run)
    whole = architectures.build_autoencoder("autoencoder", model, plan.recipe.model)
    run.stage("reconstruction").load_best(whole)  # its encoder is the model's
    wanted = model.get_layer("encoder_2").kernel.numpy()
    assert np.array_equal(load_model(run).get_layer("encoder_2").kernel.numpy(), wanted)


def test_an_architecture_without_a_decoder_is_told(base: Path) -> None:
    """A recipe may ask any."""
    path = tiny_recipe(base / "odd.json", reconstruct={"epochs": 1})
    run, plan = begin(str(path), choices(base), places(base, "odd"))
    with pytest.raises(TrainingError, match="gives no spectrograms back"):
        train(run, plan, Silent())
