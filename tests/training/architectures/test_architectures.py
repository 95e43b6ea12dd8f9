"""Every architecture keeps the contract of its package."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

import keras

from emotool.errors import TrainingError
from emotool.features.spec import SpectrogramSpec
from emotool_training import architectures
from emotool_training.architectures import resnet
from emotool_training.network.split import split_backbone

pytestmark = pytest.mark.training

SPEC = SpectrogramSpec(window_seconds=0.6, n_mels=48)
SMALL = {
    "cnn": {"widths": [4, 8, 8]},
    "autoencoder": {"widths": [4, 8], "projection": 8},
    "resnet": {"cut": "conv2_block1_out", "projection": 8},
}


@pytest.mark.parametrize("name", sorted(SMALL))
@pytest.mark.parametrize("labels", [("happy", "sad"), ("anger", "fear", "sad")])
def test_inputs_and_outputs_are_those_agreed_on(name: str, labels: tuple[str, ...]) -> None:
    """Names, shapes and types, for any number of labels."""
    model = architectures.build(name, labels, SPEC, SMALL[name])
    assert [tensor.name for tensor in model.inputs] == ["log_mel"]
    log_mel = np.random.default_rng(0).normal(-40, 15, (3, SPEC.n_mels, SPEC.frames))
    outputs = model(log_mel.astype(np.float32), training=False)
    assert set(outputs) == {"logits", "embedding", "activation"}
    assert outputs["logits"].shape == (3, len(labels))
    assert outputs["embedding"].shape[0] == 3
    assert len(outputs["embedding"].shape) == 2
    assert len(outputs["activation"].shape) == 3
    assert all(value.dtype == "float32" for value in outputs.values())


@pytest.mark.parametrize("name", sorted(SMALL))
def test_the_level_of_a_recording_does_not_matter(name: str) -> None:
    """Normalisation is inside: 20 dB more change no logit."""
    model = architectures.build(name, ("happy", "sad"), SPEC, SMALL[name])
    log_mel = np.random.default_rng(0).normal(-40, 15, (2, SPEC.n_mels, SPEC.frames))
    quiet = model(log_mel.astype(np.float32))["logits"].numpy()
    loud = model((log_mel + 20).astype(np.float32))["logits"].numpy()
    assert np.allclose(quiet, loud, atol=1e-4)


def test_the_cnn_has_plainer_forms() -> None:
    """Without short cuts, with other pooling and normalisation, with constants."""
    spec = SpectrogramSpec(window_seconds=0.6, n_mels=48, normalisation="constants")
    config = {
        "widths": [4, 8],
        "residual": False,
        "pooling": "mean_max",
        "statistics": "window",
        "block_dropout": 0.1,
    }
    model = architectures.build("cnn", ("happy", "sad"), spec, config)
    assert model.output["embedding"].shape == (None, 16)
    assert model.get_layer("normalise").kind == "constants"


def test_a_cnn_may_average_neighbouring_mels_first() -> None:
    """It then sees half as many, and its map is half as high."""
    plain, pooled = (
        architectures.build("cnn", ("happy", "sad"), SPEC, {"widths": [4, 8], "mel_pool": pool})
        for pool in (1, 2)
    )
    assert plain.output["activation"].shape == (None, 12, 10)
    assert pooled.output["activation"].shape == (None, 6, 10)
    log_mel = np.random.default_rng(0).normal(-40, 15, (2, SPEC.n_mels, SPEC.frames))
    names = ("normalise", "average_mels")
    inside = keras.Model(pooled.input, [pooled.get_layer(name).output for name in names])
    before, after = (tensor.numpy()[..., 0] for tensor in inside(log_mel.astype(np.float32)))
    pairs = before.reshape(2, SPEC.n_mels // 2, 2, SPEC.frames)
    assert np.allclose(after, pairs.mean(2), atol=1e-5)


def test_a_resnet_taps_earlier_layers() -> None:
    """Their maps, averaged down to the last one's size, stand before it in the head's input."""
    config = {**SMALL["resnet"], "cut": "conv3_block1_out", "taps": ["conv2_block1_out"]}
    model = architectures.build("resnet", ("happy", "sad"), SPEC, config)
    names = ("conv2_block1_out", "conv3_block1_out", resnet.TAPS)
    inside = keras.Model(model.input, [model.get_layer(name).output for name in names])
    log_mel = np.random.default_rng(0).normal(-40, 15, (1, SPEC.n_mels, SPEC.frames))
    earlier, last, taps = (tensor.numpy() for tensor in inside(log_mel.astype(np.float32)))
    assert taps.shape == (*last.shape[:3], earlier.shape[3] + last.shape[3])
    corner = earlier[:, :2, :2].mean((1, 2))  # [1, c]
    assert np.allclose(taps[:, 0, 0, : earlier.shape[3]], corner, atol=1e-5)
    assert np.array_equal(taps[..., earlier.shape[3] :], last)
    parts = split_backbone(model, resnet.TAPS)
    assert parts.trainable.output["logits"].shape == (None, 2)


def test_a_resnet_keeps_the_statistics_of_its_normalisation() -> None:
    """In training mode too: a few batches of speech know them worse than ImageNet."""
    model = architectures.build("resnet", ("happy", "sad"), SPEC, SMALL["resnet"])
    backbone = [layer for layer in model.layers if layer.name.endswith("_bn")]
    before = [weight.numpy() for layer in backbone for weight in layer.weights]
    log_mel = np.random.default_rng(0).normal(-40, 15, (2, SPEC.n_mels, SPEC.frames))
    model(log_mel.astype(np.float32), training=True)
    after = [weight.numpy() for layer in backbone for weight in layer.weights]
    assert len(backbone) == 5
    assert all(np.array_equal(b, a) for b, a in zip(before, after, strict=True))
    assert all(not layer.trainable_variables for layer in backbone)


def test_an_unknown_architecture_lists_what_there_is() -> None:
    """So does an unknown setting."""
    with pytest.raises(TrainingError, match=r"'cnm'; there are: .*cnn"):
        architectures.build("cnm", ("happy", "sad"), SPEC, {})
    with pytest.raises(TrainingError, match="the cnn's settings: width: unknown") as caught:
        architectures.build("cnn", ("happy", "sad"), SPEC, {"width": 3})
    assert "widths" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("cnn", {"widths": []}, "the cnn's settings: widths: expected 1 or more"),
        ("cnn", {"widths": [4, -1]}, "these settings make no cnn: .*-1"),
        ("cnn", {"dropout": 2.0}, "these settings make no cnn: .*2.0"),
        ("autoencoder", {"widths": []}, "settings: widths: expected 1 or more"),
        ("autoencoder", {"projection": 0}, "make no autoencoder: .*needs a projection"),
        ("resnet", {"cut": "conv9"}, "no layer 'conv9'"),
        ("resnet", {"taps": ["conv1_outt"]}, "no layer 'conv1_outt'"),
        ("resnet", {"taps": ["conv3_block1_out"]}, "these settings make no resnet"),
    ],
)
def test_settings_that_make_no_network_are_told(
    name: str, changes: dict[str, Any], message: str
) -> None:
    """In one line, whoever notices it."""
    with pytest.raises(TrainingError, match=message) as caught:
        architectures.build(name, ("happy", "sad"), SPEC, {**SMALL[name], **changes})
    assert "\n" not in caught.value.message
