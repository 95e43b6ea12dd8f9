"""Models are found by name or path, in a known order of folders."""

import os
from pathlib import Path

import pytest

from emotool.errors import ModelNotFoundError
from emotool.model import catalog
from emotool.model.catalog import ModelEntry, find_model, goes_before, list_models, model_folders


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Make one folder for each place that is searched, and work in an empty one."""
    places = {name: tmp_path / name for name in ("named", "here", "checkout")}
    for place in places.values():
        (place / "exported").mkdir(parents=True)
    (places["checkout"] / "emotool" / "exported").mkdir(parents=True)
    monkeypatch.setenv("EMOTOOL_MODELS", str(places["named"] / "exported"))
    monkeypatch.chdir(places["here"])
    monkeypatch.setattr(
        catalog, "__file__", str(places["checkout"] / "emotool" / "model" / "catalog.py")
    )
    return {name: place / "exported" for name, place in places.items()} | {
        "package": places["checkout"] / "emotool" / "exported"
    }


def put(folder: Path, name: str) -> Path:
    """Put a file where a model would be."""
    path = folder / f"{name}.onnx"
    path.write_text("")
    return path


def test_folders_are_searched_in_order(folders: dict[str, Path]) -> None:
    """What the user names comes first, then the current folder, the checkout, the package."""
    order = ["package", "checkout", "here", "named"]
    for place in order:  # each later one takes over
        put(folders[place], "cnn")
        assert find_model("cnn").resolve() == folders[place].resolve() / "cnn.onnx"
    assert [entry.name for entry in list_models()] == ["cnn"]


def test_list_holds_every_name_once_sorted(folders: dict[str, Path]) -> None:
    """The list is what can be chosen: one entry a name, the one that `find_model` takes."""
    for place, name in (("package", "cnn"), ("here", "resnet"), ("named", "cnn"), ("named", "a")):
        put(folders[place], name)
    put(folders["here"], ".hidden")
    (folders["here"] / "folder.onnx").mkdir()
    assert [entry.name for entry in list_models()] == ["a", "cnn", "resnet"]
    assert all(find_model(entry.name) == entry.path for entry in list_models())


def test_several_folders_may_be_named(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``$EMOTOOL_MODELS`` is a list like ``$PATH``; folders that are not there are no error."""
    named = [str(folders["here"]), "/nowhere", "", str(folders["package"])]
    monkeypatch.setenv("EMOTOOL_MODELS", os.pathsep.join(named))
    assert [str(folder) for folder in model_folders()[:3]] == [n for n in named if n]
    put(folders["package"], "cnn")
    assert find_model() == folders["package"] / "cnn.onnx"


def test_path_is_taken_as_it_is(folders: dict[str, Path], tmp_path: Path) -> None:
    """A path to any file is taken, and a path is never mistaken for a name."""
    elsewhere = put(tmp_path, "mine")
    assert find_model(elsewhere) == elsewhere
    assert find_model(str(elsewhere)) == elsewhere
    put(folders["named"], "cnn")
    local = put(Path(), "cnn")
    assert find_model("cnn.onnx") == local
    assert find_model("./cnn.onnx") == local
    assert find_model("cnn").resolve() == folders["named"].resolve() / "cnn.onnx"


def test_name_comes_before_a_file_of_that_name(folders: dict[str, Path]) -> None:
    """A run's folder called ``cnn`` in the current folder does not hide the model."""
    Path("cnn").mkdir()
    model = put(folders["named"], "cnn")
    assert find_model("cnn") == model


@pytest.mark.parametrize("wanted", ["nn", "", "..", "a\0b", "x" * 300, "no/such.onnx", "x.onnx"])
def test_what_is_not_there_is_answered_with_what_is(folders: dict[str, Path], wanted: str) -> None:
    """The error lists the names that would have worked."""
    put(folders["named"], "cnn")
    with pytest.raises(ModelNotFoundError, match="there is no model") as caught:
        find_model(wanted)
    assert "cnn" in caught.value.hint


def test_near_miss_is_suggested(folders: dict[str, Path]) -> None:
    """A typing mistake is answered with the name that was meant."""
    put(folders["named"], "resnet_ft")
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


def test_a_model_that_goes_before_emotools_own_is_known(folders: dict[str, Path]) -> None:
    """Only where both are there, no copies of each other, and a name was meant."""
    theirs = put(folders["here"], "cnn")
    assert goes_before("cnn") is None
    shipped = put(folders["package"], "cnn")
    assert goes_before("cnn") is None
    shipped.write_text("another")
    assert goes_before("cnn") == Path("exported") / "cnn.onnx"
    assert goes_before("exported/cnn") is None
    assert goes_before("cnn.onnx") is None
    assert goes_before("n" * 5_000) is None
    theirs.unlink()
    assert goes_before("cnn") is None


def test_in_a_checkout_nothing_goes_before_its_own_models(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There ``exported/`` of the current folder is the one that emotool brings."""
    put(folders["checkout"], "cnn")
    put(folders["package"], "cnn").write_text("an older copy")
    monkeypatch.chdir(folders["checkout"].parent)
    assert goes_before("cnn") is None
