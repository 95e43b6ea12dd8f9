"""Beginning a run, and finding the one to go on with."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from emotool.errors import CorpusError, TrainingError
from emotool_training.features.cache import FeatureCache
from emotool_training.jobs.choices import Choices
from emotool_training.jobs.start import Places, begin, resume
from emotool_training.runs.folder import write_json
from tests.tiny_run import tiny_corpus, tiny_recipe

pytestmark = pytest.mark.training


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Make a corpus, and a recipe of a network that starts from others' weights."""
    tiny_corpus(tmp_path / "corpus")
    tiny_recipe(tmp_path / "tiny.json", architecture="resnet", model={"cut": "conv2_block1_out"})
    return Places(tmp_path / "runs", FeatureCache(tmp_path / "cache", workers=1))


def weights(path: Path, value: float) -> str:
    """Write a file of weights."""
    np.savez(path, **{"conv1_conv/kernel": np.full(3, value, np.float32)})
    return str(path)


def chosen(tmp_path: Path, **more: object) -> Choices:
    """Name the corpus, and more."""
    return Choices(data=(str(tmp_path / "corpus"),), **more)  # type: ignore[arg-type]


def test_a_run_goes_on_with_the_weights_it_started_from(places: Places, tmp_path: Path) -> None:
    """They may have moved; others, or none, would join two networks."""
    here = weights(tmp_path / "here.npz", 1.0)
    run, _ = begin(str(tmp_path / "tiny.json"), chosen(tmp_path, weights=here), places)
    moved = Path(here).rename(tmp_path / "there.npz")
    _, plan = resume(str(run.folder), Choices(weights=str(moved)), places)
    assert plan.weights == str(moved)
    for others in ("none", "imagenet", weights(tmp_path / "others.npz", 2.0)):
        with pytest.raises(TrainingError, match="others than those that"):
            resume(str(run.folder), Choices(weights=others), places)
    with pytest.raises(TrainingError, match=r"cannot read .*here\.npz") as caught:
        resume(str(run.folder), Choices(), places)
    assert "--weights" in (caught.value.hint or "")


def test_a_default_that_is_named_is_no_other_choice(places: Places, tmp_path: Path) -> None:
    """What a run has of its recipe, or as anyone without a choice; seed 1 is another run's."""
    name = str(tmp_path / "tiny.json")
    run, _ = begin(name, chosen(tmp_path, weights="none"), places)
    assert resume(str(run.folder), Choices(seed=0, split_seed=0), places)[1].seed == 0
    defaults = Choices(labels=("happy", "sad"), epochs=3, split="speakers", test_share=0.15)
    assert resume("tiny", defaults, places)[0].folder == run.folder
    with pytest.raises(TrainingError, match="other options"):
        resume(str(run.folder), Choices(seed=1), places)


def test_a_run_is_found_again_by_its_recipes_file(places: Places, tmp_path: Path) -> None:
    """Whatever folder and name it has; a recipe that was changed since is another."""
    recipe = tiny_recipe(tmp_path / "mine.json", name="voices", epochs=2)
    run, _ = begin(str(recipe), chosen(tmp_path, epochs=5), places)
    assert run.folder.parent.name == "voices"
    for name in (str(recipe), "voices"):
        found, plan = resume(name, Choices(), places)
        assert (found.folder, plan.recipe.epochs) == (run.folder, 5)
    tiny_recipe(recipe, name="voices", epochs=2, learning_rate=0.1)
    with pytest.raises(TrainingError, match="or another recipe") as caught:
        resume(str(recipe), Choices(), places)
    assert str(run.folder) in caught.value.hint
    assert resume("voices", Choices(), places)[0].folder == run.folder
    with pytest.raises(TrainingError, match="no unfinished run of 'other'"):
        resume(str(tiny_recipe(tmp_path / "other.json")), Choices(), places)


def test_choices_without_effect_begin_no_run(places: Places, tmp_path: Path) -> None:
    """One that was begun when they were passed over comes to its end as it would have."""
    name = str(tmp_path / "tiny.json")
    with pytest.raises(CorpusError, match="--validation-share has no effect"):
        begin(name, chosen(tmp_path, fold=1, validation_share=0.3), places)
    assert not places.runs.exists()
    run, plan = begin(name, chosen(tmp_path, fold=1), places)
    ignored = {"validation_share": 0.3, "validation_speakers": "nowhere.csv"}
    older = {**run.config, "choices": {**run.config["choices"], **ignored}}
    write_json(run.folder / "config.json", older)
    for again in (Choices(), Choices(validation_share=0.3)):
        assert resume("tiny", again, places)[1].split == plan.split


def test_damaged_weights_are_told_before_anything_is_made(places: Places, tmp_path: Path) -> None:
    """No unfinished run is left behind."""
    (tmp_path / "w.npz").write_bytes(b"")
    choices = chosen(tmp_path, weights=str(tmp_path / "w.npz"))
    with pytest.raises(TrainingError, match="cannot be read as weights"):
        begin(str(tmp_path / "tiny.json"), choices, places)
    assert not places.runs.exists()
