"""Weights from elsewhere reach the layers of their names, or training does not begin."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

import keras

from emotool.errors import TrainingError
from emotool.features.spec import SpectrogramSpec
from emotool_training import architectures
from emotool_training.network.pretrained import load_pretrained, read_npz
from tests.corpus_tree import odd

pytestmark = pytest.mark.training

SPEC = SpectrogramSpec(window_seconds=0.6, n_mels=48)


@pytest.fixture
def model() -> Any:
    """Build a network cut behind its first block, random."""
    config = {"cut": "conv2_block1_out", "projection": 4}
    return architectures.build("resnet", ("happy", "sad"), SPEC, config)


def arrays(model: Any) -> dict[str, Any]:
    """Make other values for each weight of the network's backbone."""
    random = np.random.default_rng(0)
    return {
        f"{layer.name}/{variable.name}": random.uniform(0.5, 1, variable.shape).astype(np.float32)
        for layer in model.layers
        if layer.name.startswith("conv")
        for variable in layer.weights
    }


def test_every_layer_of_the_backbone_gets_its_weights(model: Any, tmp_path: Path) -> None:
    """And the head keeps its own; how many layers is told."""
    wanted = arrays(model)
    np.savez(tmp_path / "w.npz", **wanted)
    head = [w.numpy() for w in model.get_layer("head").weights]
    said = load_pretrained(model, str(tmp_path / "w.npz"))
    assert said == "weights of 10 layers from w.npz"
    for name, array in wanted.items():
        layer, _, variable = name.partition("/")
        (found,) = (w for w in model.get_layer(layer).weights if w.name == variable)
        assert np.array_equal(found.numpy(), array)
    for before, weight in zip(head, model.get_layer("head").weights, strict=True):
        assert np.array_equal(before, weight.numpy())


def test_what_is_said_of_weights_is_text_whatever_their_file_is_named(tmp_path: Path) -> None:
    """It stands in a run's figures and in the model's card."""
    path = odd(tmp_path, b"caf\xe9.npz")
    np.savez(path, **{"conv1_conv/kernel": np.zeros(3, np.float32)})
    assert load_pretrained(keras.Sequential(), str(path)).endswith(r"from caf\xe9.npz")


def test_weights_that_lack_a_layer_are_refused(model: Any, tmp_path: Path) -> None:
    """A network that is pretrained in part only would be worse without anyone knowing why."""
    some = {k: v for k, v in arrays(model).items() if not k.startswith("conv2_block1_3_conv")}
    np.savez(tmp_path / "w.npz", **some)
    with pytest.raises(TrainingError, match="lack 1 of 10 layers: conv2_block1_3_conv"):
        load_pretrained(model, str(tmp_path / "w.npz"))


def test_weights_of_another_shape_are_refused(model: Any, tmp_path: Path) -> None:
    """Expected and found are both told."""
    wrong = arrays(model) | {"conv1_conv/bias": np.zeros(3, np.float32)}
    np.savez(tmp_path / "w.npz", **wrong)
    with pytest.raises(TrainingError, match=r"conv1_conv has|conv1_conv have the shape \(3,\)"):
        load_pretrained(model, str(tmp_path / "w.npz"))


@pytest.mark.parametrize("name", ["w.npz", "w.weights.h5"])
def test_files_that_are_no_weights_are_told(model: Any, tmp_path: Path, name: str) -> None:
    """Damaged ones and missing ones alike."""
    with pytest.raises(TrainingError, match="cannot be read as weights"):
        load_pretrained(model, str(tmp_path / name))
    (tmp_path / name).write_bytes(b"not weights")
    with pytest.raises(TrainingError, match="cannot be read as weights"):
        load_pretrained(model, str(tmp_path / name))


@pytest.mark.parametrize("damage", ["empty", "cut off", "one array"])
def test_a_damaged_archive_is_told_not_taken_for_an_interruption(
    tmp_path: Path, damage: str
) -> None:
    """An empty file, one that ends early, and an array without a name under that suffix."""
    path = tmp_path / "w.npz"
    np.savez(path, **{"conv1_conv/kernel": np.zeros(999, np.float32)})
    if damage == "one array":
        with path.open("wb") as handle:
            np.save(handle, np.zeros(3))
    else:
        path.write_bytes(path.read_bytes()[: 0 if damage == "empty" else 500])
    with pytest.raises(TrainingError, match=r"w\.npz: cannot be read as weights") as caught:
        read_npz(path)
    assert "LAYER/NAME" in (caught.value.hint or "")


def test_keras_own_files_are_read(model: Any, tmp_path: Path) -> None:
    """A .weights.h5 of the whole network gives the layers that are needed."""
    keras.utils.set_random_seed(3)
    whole = keras.applications.ResNet50(include_top=False, weights=None)
    whole.save_weights(tmp_path / "resnet.weights.h5")
    load_pretrained(model, str(tmp_path / "resnet.weights.h5"))
    kernel = whole.get_layer("conv2_block1_1_conv").kernel.numpy()
    assert np.array_equal(model.get_layer("conv2_block1_1_conv").kernel.numpy(), kernel)


def test_none_leaves_the_model_and_other_words_are_refused(model: Any) -> None:
    """A misspelt word is not taken for none."""
    before = [w.numpy() for w in model.weights]
    assert load_pretrained(model, "none") == "random weights"
    assert all(np.array_equal(b, w.numpy()) for b, w in zip(before, model.weights, strict=True))
    with pytest.raises(TrainingError, match="expected imagenet, whisper-base, none, or the path"):
        load_pretrained(model, "imagnet")


def test_a_machine_without_network_is_told_what_to_do(
    model: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Downloading fails with a hint that names --weights."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def fail(*_: Any, **__: Any) -> None:
        raise Exception("URL fetch failure")

    monkeypatch.setattr("keras.src.applications.resnet.file_utils.get_file", fail)
    with pytest.raises(TrainingError, match="cannot be downloaded") as caught:
        load_pretrained(model, "imagenet")
    assert "--weights PATH" in (caught.value.hint or "")
