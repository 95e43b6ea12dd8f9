"""Recipes: committed files, read strictly, kept with runs."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from emotool.errors import TrainingError
from emotool.features.spec import SpectrogramSpec
from emotool.files.validation import validate
from emotool_training.recipes.recipe import Recipe, load_recipe, model_name, recipe_names
from emotool_training.recipes.settings import (
    CachedFeatureMaps,
    EnsembleMember,
    FineTuning,
    HeadStage,
)
from tests.tiny_run import tiny_recipe


def test_every_committed_recipe_loads() -> None:
    """Each has the name of its file, and survives the way through a run's config."""
    assert "cnn" in recipe_names()
    for name in recipe_names():
        recipe = load_recipe(name)
        assert recipe.name == name
        kept = json.loads(json.dumps(recipe.to_dict()))
        assert validate(Recipe, kept, "recipe", TrainingError) == recipe


def test_a_recipe_of_ones_own_is_loaded_by_its_path(tmp_path: Path) -> None:
    """Its name is the file's."""
    recipe = load_recipe(str(tiny_recipe(tmp_path / "mine.json", epochs=5)))
    assert (recipe.name, recipe.epochs) == ("mine", 5)


def test_an_unknown_name_lists_what_there_is() -> None:
    """The error says which recipes there are."""
    with pytest.raises(TrainingError, match="no recipe for 'cnnn'") as caught:
        load_recipe("cnnn")
    assert "cnn" in caught.value.hint


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"architecture": 1}',
        '{"architecture": "cnn", "epoch": 3}',
        '{"architecture": "cnn", "architecture": "resnet"}',
        '{"architecture": "cnn", "epochs": "3"}',
        '{"architecture": "cnn", "epochs": true}',
        '{"architecture": "cnn", "learning_rate": NaN}',
    ],
)
def test_what_is_no_recipe_is_refused(tmp_path: Path, content: str) -> None:
    """Broken JSON, other JSON, ill-typed and misspelt settings: the error names the file."""
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(TrainingError, match=r"bad\.json"):
        load_recipe(str(path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs: expected 1 or more, got 0"),
        ({"patience": 0}, "patience: expected 1 or more, got 0"),
        ({"batch_size": -1}, "batch_size: expected 1 or more, got -1"),
        ({"kept": {"layer": "a", "copies": 0}}, "kept.copies: expected 1 or more"),
        ({"head_first": {"layer": "a", "epochs": 0}}, "head_first.epochs: expected 1"),
        ({"reconstruct": {"epochs": 0}}, "reconstruct.epochs: expected 1 or more"),
        ({"companion": {"architecture": "cnn", "epochs": 0}}, "companion.epochs: expected 1"),
        ({"companion": {"architecture": "cnn", "share": 1.5}}, "companion.share: expected 1 or"),
        ({"companion": {"architecture": "cnn", "share": -0.1}}, "companion.share: expected 0 or"),
        (
            {"companion": {"architecture": "cnn", "voices": [1, 0.0]}},
            "companion.voices.1: expected",
        ),
    ],
)
def test_a_recipe_by_which_nothing_is_learnt_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    """The error names the file and the setting."""
    with pytest.raises(TrainingError) as caught:
        load_recipe(str(tiny_recipe(tmp_path / "r.json", **changes)))
    assert caught.value.message.startswith(f"recipe r.json: {message}")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fine_tuning": {}, "kept": {"layer": "a"}}, "fine_tuning needs linear_head"),
        ({"fine_tuning": {}, "linear_head": {}}, "fine_tuning needs kept"),
        (
            {"linear_head": {}, "head_first": {"layer": "a", "epochs": 1}},
            "linear_head excludes head_first",
        ),
        (
            {"linear_head": {}, "companion": {"architecture": "cnn"}},
            "linear_head excludes companion",
        ),
        (
            {"linear_head": {}, "reconstruct": {"epochs": 1}},
            "linear_head excludes reconstruct",
        ),
        (
            {"linear_head": {}, "kept": {"layer": "a"}},
            "linear_head with kept needs fine_tuning",
        ),
    ],
)
def test_a_recipe_with_a_part_that_would_be_ignored_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    """Before anything is computed: it would train something else, or fail after minutes."""
    with pytest.raises(TrainingError) as caught:
        load_recipe(str(tiny_recipe(tmp_path / "r.json", **changes)))
    assert caught.value.message == f"recipe r.json: {message}"


@pytest.mark.parametrize("name", ["my voices", "Gefühle", "_x", "a/b", "", "x" * 65])
def test_a_name_that_no_model_can_have_is_told_before_it_is_trained(
    tmp_path: Path, name: str
) -> None:
    """Whether the file or the recipe gives it: it would be refused when it is exported."""
    with pytest.raises(TrainingError, match="is not a valid model name") as caught:
        load_recipe(str(tiny_recipe(tmp_path / "fine.json", name=name)))
    assert '"name"' in caught.value.hint
    if name and "/" not in name:
        odd = str(tiny_recipe(tmp_path / f"{name}.json"))
        with pytest.raises(TrainingError, match="is not a valid model name"):
            load_recipe(odd)
        assert load_recipe(str(tiny_recipe(Path(odd), name="fine"))).name == "fine"


def test_a_recipes_file_stands_for_its_model(tmp_path: Path) -> None:
    """Other words are names already, or folders."""
    mine = tiny_recipe(tmp_path / "mine.json", name="voices")
    assert model_name(str(mine)) == "voices"
    assert [model_name(name) for name in ("cnn", "gone.json")] == ["cnn", "gone.json"]


def test_a_spectrogram_out_of_bounds_is_refused(tmp_path: Path) -> None:
    """The spectrogram's own checks hold in recipes too."""
    spec = {**SpectrogramSpec().to_dict(), "n_mels": -1}
    with pytest.raises(TrainingError, match=r"recipe r\.json: spectrogram: n_mels must lie"):
        load_recipe(str(tiny_recipe(tmp_path / "r.json", spectrogram=spec)))


def test_a_recipe_without_stages_says_nothing_of_them() -> None:
    """So it has the fingerprint it had before there were any; one with stages reads back."""
    plain = load_recipe("cnn").to_dict()
    assert not {"kept", "head_first", "fine_tuning", "reconstruct", "companion"} & set(plain)
    staged = dataclasses.replace(
        load_recipe("cnn"),
        kept=CachedFeatureMaps("a", 3),
        head_first=HeadStage("b", 2),
        fine_tuning=FineTuning(0.5),
        companion=EnsembleMember("cnn", {"widths": [4]}),
    )
    values = json.loads(json.dumps(staged.to_dict()))
    assert validate(Recipe, values, "recipe", TrainingError) == staged
