"""The stages of a training, on networks so small that each takes seconds."""

import csv
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from emotool.errors import TrainingError
from emotool_training import architectures
from emotool_training.evaluation.predictions import read_predictions
from emotool_training.export.source import source_of
from emotool_training.jobs.choices import Choices
from emotool_training.jobs.start import begin, resume
from emotool_training.jobs.train import train
from emotool_training.jobs.trained import load_model
from emotool_training.loop.feature_maps import FeatureMaps
from emotool_training.runs.folder import Run
from tests.tiny_run import tiny_recipe
from tests.training.training_runs import CrashError, Silent, choices, places

pytestmark = pytest.mark.training


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
    made = FeatureMaps.training

    def training(maps: FeatureMaps, *arguments: Any) -> Any:
        read.append(maps.recipe.kept.layer if maps.recipe.kept else "")
        return made(maps, *arguments)

    monkeypatch.setattr(FeatureMaps, "training", training)
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
    assert "receives each window with all frequencies divided by 0.9, 1.1" in source.notes
    crashed, plan = begin(recipe_file, choices(base), places(base, "pair_crashed"))
    with pytest.raises(CrashError):
        train(crashed, plan, OnceTold("stage: ensemble member"))
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
        if text.startswith("stage: all"):
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


def test_a_label_that_validation_lacks_is_not_drawn(base: Path, tmp_path: Path) -> None:
    """What an autoencoder gives back is shown of the labels that there are."""
    corpus = shutil.copytree(base / "corpus", tmp_path / "corpus")
    for sad in corpus.rglob("03-01-04-*-01.wav"):
        sad.unlink()
    rows = [f"ravdess/{path.name},{int(path.stem[-2:]) % 2}" for path in corpus.rglob("*.wav")]
    (tmp_path / "folds.csv").write_text("\n".join(["file,new_speakers_fold", *rows]))
    (tmp_path / "validation_speakers.csv").write_text("fold,speaker\n0,ravdess-01\n")
    recipe_file = tiny_recipe(
        tmp_path / "auto.json",
        architecture="autoencoder",
        model={"widths": [4, 8], "projection": 4},
        epochs=1,
        reconstruct={"epochs": 1},
    )
    chosen = Choices(data=(str(corpus),), folds=str(tmp_path / "folds.csv"), fold=0)
    run, plan = begin(str(recipe_file), chosen, places(tmp_path))
    assert {clip.emotion for clip in plan.split.validation} == {"happy"}
    train(run, plan, Silent())
    width, _ = struct.unpack(">II", (run.folder / "reconstructions.png").read_bytes()[16:24])
    assert width == 338  # one column of 2.6 inches


def test_an_architecture_without_a_decoder_is_told(base: Path) -> None:
    """A recipe may ask any."""
    path = tiny_recipe(base / "odd.json", reconstruct={"epochs": 1})
    run, plan = begin(str(path), choices(base), places(base, "odd"))
    with pytest.raises(TrainingError, match="has no decoder"):
        train(run, plan, Silent())
