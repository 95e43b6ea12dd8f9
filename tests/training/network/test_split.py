"""A model in two parts says what it said as a whole."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from emotool.errors import TrainingError
from emotool.features.spec import SpectrogramSpec
from emotool_training import architectures
from emotool_training.loop.optimiser import Optimiser
from emotool_training.network.split import flat_layers, split_backbone
from emotool_training.recipes.recipe import Recipe

pytestmark = pytest.mark.training

SPEC = SpectrogramSpec(window_seconds=0.6, n_mels=48)
CONFIG = {"cut": "conv2_block2_out", "projection": 8}


def in_parts(model: Any, layer: str, log_mel: Any) -> tuple[Any, Any, Any]:
    """Run a model whole and cut; return both outputs and the maps between."""
    parts = split_backbone(model, layer)
    maps, activity = parts.backbone(log_mel)
    packed = np.concatenate([maps.numpy().reshape(len(maps), -1), activity.numpy()], axis=1)
    return model(log_mel), parts.trainable(packed), maps


def test_body_and_tail_together_are_the_model() -> None:
    """Every output, where the cut is before layers that learn."""
    model = architectures.build("resnet", ("happy", "sad"), SPEC, CONFIG)
    log_mel = np.random.default_rng(0).normal(-40, 15, (3, SPEC.n_mels, SPEC.frames))
    whole, tail, maps = in_parts(model, "conv2_block1_out", log_mel.astype(np.float32))
    assert maps.shape == (3, 12, 10, 256)
    assert set(tail) == set(whole)
    for name, value in whole.items():
        assert np.allclose(tail[name], value, atol=1e-5), name


def test_frames_without_rows_split_too() -> None:
    """A transformer's maps are [w, c]; the head and the block behind them are the tail."""
    spec = SpectrogramSpec(window_seconds=0.6, n_mels=80, hop_length=160)
    config = {"blocks": 2, "pooled": [1, 2], "width": 8, "heads": 2, "hidden": 16}
    model = architectures.build("whisper", ("happy", "sad"), spec, config)
    log_mel = np.random.default_rng(0).normal(-40, 15, (3, spec.n_mels, spec.frames))
    whole, tail, maps = in_parts(model, "block1", log_mel.astype(np.float32))
    assert maps.shape == (3, 30, 8)
    for name, value in whole.items():
        assert np.allclose(tail[name], value, atol=1e-5), name


@pytest.mark.parametrize("pooling", ["row_means", "row_statistics", "statistics"])
def test_a_head_of_means_needs_no_more_than_means(pooling: str) -> None:
    """Then what is kept is one column; another pooling gets the whole map."""
    config = {**CONFIG, "pooling": pooling}
    model = architectures.build("resnet", ("happy", "sad"), SPEC, config)
    log_mel = np.random.default_rng(0).normal(-40, 15, (3, SPEC.n_mels, SPEC.frames))
    log_mel[0, :, :20] = -100.0  # silence, which must not count
    whole, tail, maps = in_parts(model, CONFIG["cut"], log_mel.astype(np.float32))
    sizes = {"row_means": (1, 256), "row_statistics": (1, 512), "statistics": (10, 256)}
    assert maps.shape == (3, 12, *sizes[pooling])
    for name in ("logits", "embedding"):
        assert np.allclose(tail[name], whole[name], atol=1e-5), name


def test_the_tail_shares_its_weights_with_the_model() -> None:
    """What it learns, the model knows; and rates reach its layers by their names."""
    model = architectures.build("resnet", ("happy", "sad"), SPEC, CONFIG)
    tail = split_backbone(model, "conv2_block1_out").trainable
    rates = {"conv": 0.0, "conv2_block2": 0.1}
    optimiser = Optimiser(tail, Recipe("r", "resnet", layer_rates=rates))
    mine = {id(weight) for weight in model.weights}
    assert all(id(weight) in mine for weight in tail.weights)
    learning = {weight.path.split("/")[0] for weight in optimiser.weights}
    assert {name for name in learning if name.startswith("conv")} == {
        f"conv2_block2_{number}_conv" for number in (1, 2, 3)
    }


def test_a_layer_that_is_not_there_is_told() -> None:
    """A recipe may name any."""
    model = architectures.build("resnet", ("happy", "sad"), SPEC, CONFIG)
    with pytest.raises(TrainingError, match="no layer 'conv9'"):
        split_backbone(model, "conv9")


def test_a_layer_that_an_output_goes_round_is_refused() -> None:
    """The head also pools the block before the last, which the layers behind would not get."""
    spec = SpectrogramSpec(window_seconds=0.6, n_mels=80, hop_length=160)
    config = {"blocks": 2, "pooled": [1, 2], "width": 8, "heads": 2, "hidden": 16}
    model = architectures.build("whisper", ("happy", "sad"), spec, config)
    with pytest.raises(TrainingError, match="cannot be split behind 'block2'"):
        split_backbone(model, "block2")


def test_leaves_are_all_layers_once() -> None:
    """Those of a model within a model too."""
    model = architectures.build("resnet", ("happy", "sad"), SPEC, CONFIG)
    names = [
        layer.name for layer in flat_layers(split_backbone(model, "conv2_block1_out").trainable)
    ]
    assert len(names) == len(set(names))
    assert {"head", "conv2_block2_1_conv"} <= set(names)
    assert "conv1_conv" not in names
