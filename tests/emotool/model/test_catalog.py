"""Models are found by name or path, in a known order of folders."""

import os
from pathlib import Path

import pytest

from emotool.errors import ModelNotFoundError
from emotool.model import catalog
from emotool.model.catalog import (
    BUILT_IN,
    DEFAULT_MODEL,
    ModelEntry,
    distinct_name,
    find_model,
    list_models,
    model_folders,
)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Make one folder for each place that is searched, and work in an empty one."""
    places = {name: tmp_path / name for name in ("named", "here", "emotool")}
    for place in places.values():
        (place / "exported").mkdir(parents=True)
    monkeypatch.setenv("EMOTOOL_MODELS", str(places["named"] / "exported"))
    monkeypatch.chdir(places["here"])
    monkeypatch.setattr(catalog, "__file__", str(places["emotool"] / "model" / "catalog.py"))
    return {name: place / "exported" for name, place in places.items()}


def put(folder: Path, name: str) -> Path:
    """Put a file where a model would be."""
    path = folder / f"{name}.onnx"
    path.write_text("")
    return path


def test_own_names_are_searched_in_order(folders: dict[str, Path]) -> None:
    """What was set on purpose comes first, then the current folder, then emotool's own."""
    for place in ("emotool", "here", "named"):  # each later one takes over
        put(folders[place], "mine")
        assert find_model("mine").resolve() == folders[place].resolve() / "mine.onnx"


def test_a_built_in_name_is_always_the_built_in_model(folders: dict[str, Path]) -> None:
    """No folder of the user's, and no file in the current one, stands in for it."""
    for name in BUILT_IN:
        built_in = put(folders["emotool"], name)
        for place in (folders["named"], folders["here"], Path()):
            put(place, name)
        Path(name).touch()
        assert find_model(name) == built_in
    assert find_model() == folders["emotool"] / f"{DEFAULT_MODEL}.onnx"


def test_a_missing_built_in_model_is_an_error(folders: dict[str, Path]) -> None:
    """Where emotool lacks it, another model of its name is not taken instead."""
    put(folders["here"], "cnn")
    Path("cnn").touch()
    with pytest.raises(ModelNotFoundError) as caught:
        find_model("cnn")
    assert str(Path("exported", "cnn.onnx")) in caught.value.hint


def test_built_in_names_are_the_models_that_come_with_emotool(root: Path) -> None:
    """A model that is added to ``exported/`` is added to the names, and the reverse."""
    assert sorted(path.stem for path in (root / "exported").glob("*.onnx")) == sorted(BUILT_IN)


def test_list_has_every_file_once_by_what_finds_it(folders: dict[str, Path]) -> None:
    """Built-in models first; a name that means another model is replaced by the path."""
    put(folders["emotool"], "resnet")
    put(folders["emotool"], "cnn")
    put(folders["here"], "cnn")
    put(folders["here"], "b")
    put(folders["named"], "b")
    put(folders["named"], "a")
    put(folders["here"], ".hidden")
    (folders["here"] / "folder.onnx").mkdir()
    entries = list_models()
    local = [str(Path("exported", name)) for name in ("b.onnx", "cnn.onnx")]
    assert [(entry.name, entry.built_in) for entry in entries] == [
        ("cnn", True),
        ("resnet", True),
        *((name, False) for name in ("a", "b", *local)),
    ]
    assert all(find_model(entry.name) == entry.path for entry in entries)


def test_own_models_in_a_checkout_are_own(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There ``exported/`` of the current folder holds the built-in models, too; each once."""
    put(folders["emotool"], "cnn")
    put(folders["emotool"], "mine")
    monkeypatch.chdir(folders["emotool"].parent)
    assert [(entry.name, entry.built_in) for entry in list_models()] == [
        ("cnn", True),
        ("mine", False),
    ]


def test_models_inside_the_package_come_before_those_beside_it(tmp_path: Path) -> None:
    """In an installation what lies in a folder ``exported`` beside the package is not emotool's."""
    (tmp_path / "exported").mkdir()
    put(tmp_path / "exported", "cnn")
    built_in = put(tmp_path / "emotool" / "exported", "cnn")
    assert find_model("cnn") == built_in


def test_models_beside_the_package_are_a_checkouts(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """A checkout has no models inside the package."""
    folders["emotool"].rmdir()
    (tmp_path / "exported").mkdir()
    built_in = put(tmp_path / "exported", "cnn")
    assert find_model("cnn") == built_in


def test_several_folders_may_be_named(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``$EMOTOOL_MODELS`` is a list like ``$PATH``; folders that are not there are no error."""
    named = [str(folders["here"]), "/nowhere", "", str(folders["named"])]
    monkeypatch.setenv("EMOTOOL_MODELS", os.pathsep.join(named))
    assert [str(folder) for folder in model_folders()[:3]] == [n for n in named if n]
    put(folders["named"], "mine")
    assert find_model("mine") == folders["named"] / "mine.onnx"


def test_only_copies_of_a_built_in_model_bear_its_name(folders: dict[str, Path]) -> None:
    """Results call another file of that name by its fingerprint as well."""
    put(folders["emotool"], "cnn").write_text("one")
    copy, other = put(folders["here"], "copy"), put(folders["here"], "cnn")
    copy.write_text("one")
    other.write_text("two")
    sha256 = "1a2b3c4d" * 8
    assert distinct_name("cnn", copy, sha256) == "cnn"
    assert distinct_name("cnn", other, sha256) == "cnn@1a2b3c4d"
    assert distinct_name("mine", other, sha256) == "mine"


def test_path_is_taken_as_it_is(folders: dict[str, Path], tmp_path: Path) -> None:
    """A path to any file is taken, and a path is never mistaken for a name."""
    elsewhere = put(tmp_path, "mine")
    assert find_model(elsewhere) == elsewhere
    assert find_model(str(elsewhere)) == elsewhere
    put(folders["named"], "own")
    local = put(Path(), "own")
    assert find_model("own.onnx") == local
    assert find_model("./own.onnx") == local
    assert find_model("own").resolve() == folders["named"].resolve() / "own.onnx"


def test_name_comes_before_a_file_of_that_name(folders: dict[str, Path]) -> None:
    """A run's folder called ``own`` in the current folder does not hide the model."""
    Path("own").mkdir()
    model = put(folders["named"], "own")
    assert find_model("own") == model


@pytest.mark.parametrize("wanted", ["nn", "", "..", "a\0b", "x" * 300, "no/such.onnx", "x.onnx"])
def test_what_is_not_there_is_answered_with_what_is(folders: dict[str, Path], wanted: str) -> None:
    """The error lists the names that would have worked."""
    put(folders["named"], "own")
    with pytest.raises(ModelNotFoundError, match="there is no model") as caught:
        find_model(wanted)
    assert "own" in caught.value.hint


def test_near_miss_is_suggested(folders: dict[str, Path]) -> None:
    """A typing mistake is answered with the name that was meant."""
    put(folders["emotool"], "resnet_ft")
    with pytest.raises(ModelNotFoundError) as caught:
        find_model("resnet-ft")
    assert caught.value.hint.startswith("did you mean resnet_ft?")


def test_hostile_names_are_escaped(folders: dict[str, Path]) -> None:
    """A file in a model folder cannot drive the terminal that lists it in an error."""
    put(folders["named"], "\x1b[31m")
    with pytest.raises(ModelNotFoundError) as caught:
        find_model("\x1b[2J")
    assert "\x1b" not in caught.value.message + caught.value.hint


def test_without_any_models_the_folders_are_named() -> None:
    """With nothing to choose from, the error says where was looked."""
    with pytest.raises(ModelNotFoundError) as caught:
        find_model("cnn")
    assert "no models were found in" in caught.value.hint
    assert "exported" in caught.value.hint


def test_entry_knows_its_card_and_size(tmp_path: Path) -> None:
    """The card is the Markdown file beside the model, if there is one."""
    entry = ModelEntry("cnn", tmp_path / "cnn.onnx")
    assert (entry.card, entry.size_bytes) == (None, 0)
    entry.path.write_bytes(b"12345")
    (tmp_path / "cnn.md").touch()
    assert (entry.card, entry.size_bytes) == (tmp_path / "cnn.md", 5)
