"""What is exported of a run."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from emotool.errors import EmotoolError, TrainingError
from emotool_training.evaluation.calibration import fit_temperature
from emotool_training.evaluation.predictions import read_predictions
from emotool_training.export import source as run_source
from emotool_training.export.figures import keys_digest, recipe_digest
from emotool_training.export.source import held_out_clips, source_of
from emotool_training.features.cache import FeatureCache
from emotool_training.jobs.choices import Choices
from emotool_training.jobs.start import Places, begin
from emotool_training.jobs.train import train
from emotool_training.jobs.trained import recipe_of
from emotool_training.network.pretrained import RANDOM
from emotool_training.progress import Display
from emotool_training.recipes.settings import HeadStage
from emotool_training.runs.folder import Run, create_run, open_run
from tests.tiny_run import tiny_corpus, tiny_recipe

pytestmark = pytest.mark.training

NOWHERE = Path("nowhere.json")


def benchmarked(run: Run) -> dict[str, Any]:
    """Give figures of a benchmark that has tried a run's recipe on its clips."""
    split = json.loads((run.folder / "split.json").read_text())
    keys = [key for subset in split["clips"].values() for key in subset]
    figures = {"uar": 0.9, "temperature": 1.5, "per_corpus": {"ravdess": {}}}
    return {
        "kind": recipe_digest(recipe_of(run), length=False),
        "labels": [],
        "clips_digest": keys_digest(keys),
        "epochs": [1, run.metrics()["best_epoch"]],
        "protocols": {"new_speakers": figures},
    }


def write_figures(folder: Path, found: dict[str, Any]) -> Path:
    """Write them as the benchmark does."""
    path = folder / "figures.json"
    path.write_text(json.dumps({"tiny": found}))
    return path


class Silent(Display):
    """Shows nothing."""

    def say(self, text: str) -> None:
        """Keep still."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Train a tiny model."""
    base = tmp_path_factory.mktemp("source")
    tiny_corpus(base / "corpus")
    recipe = str(tiny_recipe(base / "tiny.json"))
    places = Places(base / "runs", FeatureCache(base / "cache", workers=1))
    run, plan = begin(recipe, Choices(data=(str(base / "corpus"),)), places)
    train(run, plan, Silent(3))
    return open_run(run.folder)


def test_a_run_is_exported_with_its_own_figures(run: Run) -> None:
    """Test clips by new speakers; temperature by its validation clips."""
    source = source_of(run, NOWHERE)
    validated = read_predictions(run.folder / "predictions.csv").subset("validation")
    fitted = fit_temperature(validated.probabilities, validated.truth, doubt=True)
    assert source.temperature == fitted
    assert list(source.metrics) == ["new_speakers"]
    assert source.metrics["new_speakers"]["uar"] == run.metrics()["test"]["uar"]
    assert (source.name, source.labels, source.corpora) == ("tiny", ("happy", "sad"), ("ravdess",))
    assert source.model.input_shape[1:] == (24, source.spectrogram.frames)


def test_a_recipe_that_was_benchmarked_is_published_with_those_figures(
    run: Run, tmp_path: Path
) -> None:
    """Figures and temperature are the folds', and the card says that they are the recipe's."""
    source = source_of(run, write_figures(tmp_path, benchmarked(run)))
    assert (source.temperature, source.metrics["new_speakers"]["uar"]) == (1.5, 0.9)
    assert "out of fold" in source.metrics["new_speakers"]["description"]


def test_figures_of_another_recipe_are_not_borrowed(run: Run, tmp_path: Path) -> None:
    """A run whose recipe was changed since has only its own figures."""
    path = write_figures(tmp_path, {**benchmarked(run), "kind": "x"})
    assert source_of(run, path).metrics == source_of(run, NOWHERE).metrics


@pytest.mark.parametrize(
    "tried",
    [{"clips_digest": keys_digest(["ravdess/another"])}, {"epochs": [7, 9]}],
    ids=["other clips", "longer"],
)
def test_figures_of_other_clips_or_another_length_are_not_borrowed(
    run: Run, tmp_path: Path, tried: dict[str, Any]
) -> None:
    """The same recipe on one's own clips, or for one epoch, makes another model."""
    path = write_figures(tmp_path, {**benchmarked(run), **tried})
    source = source_of(run, path)
    assert source.metrics == source_of(run, NOWHERE).metrics
    assert source.temperature != 1.5


def test_a_network_from_nobodys_weights_does_not_borrow_figures(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The benchmark's start from ImageNet's, which no recipe says."""
    said = {**run.metrics(), "started_from": RANDOM}
    monkeypatch.setattr(Run, "metrics", lambda self: said)
    path = write_figures(tmp_path, benchmarked(run))
    assert source_of(run, path).metrics == source_of(run, NOWHERE).metrics


def test_the_card_tells_every_stage_of_training(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two epochs after forty of the head alone are not two epochs."""
    assert source_of(run, NOWHERE).notes.startswith("Trained for ")
    staged = dataclasses.replace(recipe_of(run), head_first=HeadStage("head", 40))
    monkeypatch.setattr(run_source, "recipe_of", lambda run: staged)
    said = source_of(run, NOWHERE).notes
    assert "40 epochs of the head alone, then for" in said


def test_a_longer_training_is_of_the_same_kind(run: Run) -> None:
    """Epochs and patience are of the recipe, not of its kind; everything else is of both."""
    recipe = recipe_of(run)
    longer = dataclasses.replace(recipe, epochs=99, patience=99)
    assert recipe_digest(longer, length=False) == recipe_digest(recipe, length=False)
    assert recipe_digest(longer) != recipe_digest(recipe)
    other = dataclasses.replace(recipe, batch_size=5)
    assert recipe_digest(other, length=False) != recipe_digest(recipe, length=False)


def test_clips_to_compare_on_are_never_test_clips(run: Run) -> None:
    """They are the validation speakers', found where they were in training."""
    split = json.loads((run.folder / "split.json").read_text())
    assert [u.key for u in held_out_clips(run)] == split["clips"]["validation"]


def test_clips_that_have_moved_must_be_named(run: Run, tmp_path: Path) -> None:
    """The new place is taken; a place without them is an error."""
    moved = tmp_path / "moved"
    tiny_corpus(moved)
    assert held_out_clips(run, [moved])[0].path.is_relative_to(moved)
    other = tmp_path / "other"
    (other / "happy").mkdir(parents=True)
    (other / "happy" / "a.wav").write_text("")
    with pytest.raises(EmotoolError):
        held_out_clips(run, [other])


def test_an_unfinished_run_is_not_exported(tmp_path: Path) -> None:
    """The error says how to finish it."""
    run = create_run(tmp_path, "cnn", {"name": "cnn"})
    with pytest.raises(TrainingError, match="not finished"):
        source_of(run, NOWHERE)
