"""Two networks that judge together."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

import keras

from emotool.features.spec import SpectrogramSpec
from emotool_training.architectures.blocks import EvidenceHead
from emotool_training.augmentation.settings import Augmentation
from emotool_training.augmentation.spectrogram import warp_mels
from emotool_training.export.onnx_graph import to_onnx
from emotool_training.network.network import Network, build_network, member_recipe
from emotool_training.recipes.recipe import Recipe
from emotool_training.recipes.settings import CachedFeatureMaps, EnsembleMember, HeadStage

pytestmark = pytest.mark.training

SPEC = SpectrogramSpec(window_seconds=0.6, n_mels=48)
COMPANION = EnsembleMember("cnn", {"widths": [4, 8], "projection": 6, "mel_pool": 2}, share=0.25)
RECIPE = Recipe(
    "pair",
    "resnet",
    labels=("anger", "fear", "happy", "sad"),
    model={"cut": "conv2_block1_out", "projection": 8},
    spectrogram=SPEC,
    companion=COMPANION,
)


@pytest.fixture(scope="module")
def network() -> Network:
    """Build a small ResNet with a small companion."""
    keras.utils.set_random_seed(3)
    return build_network(RECIPE)


@pytest.fixture(scope="module")
def windows() -> np.ndarray:
    """Make windows of noise, the second half of some silent."""
    log_mel = np.random.default_rng(0).normal(-40, 15, (12, SPEC.n_mels, SPEC.frames))
    log_mel[6:, :, 20:] = -100.0
    return log_mel.astype(np.float32)


def test_logits_are_the_weighted_mean_of_both(network: Network, windows: np.ndarray) -> None:
    """A quarter of the companion's here; embeddings stand one behind the other."""
    assert network.member is not None
    whole, main, other = (one(windows) for one in (network.whole, *network.parts))
    wanted = 0.75 * main["logits"] + 0.25 * other["logits"]
    assert np.allclose(whole["logits"], wanted, atol=1e-5)
    both = np.concatenate([main["embedding"], other["embedding"]], axis=1)
    assert np.allclose(whole["embedding"], both, atol=1e-5)


def test_evidence_is_for_the_label_that_both_come_to(network: Network, windows: np.ndarray) -> None:
    """Its map sums to that label's lead, biases apart, even where one prefers another label."""
    whole, main, other = (one(windows) for one in (network.whole, *network.parts))
    predicted = whole["logits"].numpy().argmax(1)
    assert (other["logits"].numpy().argmax(1) != predicted).any()
    margins = []
    for part, outputs in zip(network.parts, (main, other), strict=True):
        kernel, _ = part.get_layer("head").classifier.get_weights()
        logits = outputs["embedding"].numpy() @ kernel
        chosen = logits[np.arange(len(logits)), predicted]
        margins.append(chosen - (logits.sum(1) - chosen) / 3)
    assert whole["activation"].shape == main["activation"].shape
    found = whole["activation"].numpy().sum((1, 2))
    assert np.allclose(found, 0.75 * margins[0] + 0.25 * margins[1], atol=5e-3)


def test_a_network_without_a_companion_is_itself() -> None:
    """Nothing is put around it, and its weights begin as they do beside a companion."""
    keras.utils.set_random_seed(3)
    alone = build_network(dataclasses.replace(RECIPE, companion=None))
    assert alone.whole is alone.main
    assert alone.parts == (alone.main,)
    keras.utils.set_random_seed(3)
    beside = build_network(RECIPE)
    for one, other in zip(alone.main.get_weights(), beside.main.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_weights_of_both_are_kept_in_one_file(
    network: Network, windows: np.ndarray, tmp_path: Path
) -> None:
    """And the parts share theirs with the whole."""
    network.whole.save_weights(tmp_path / "both.weights.h5")
    again = build_network(RECIPE)
    again.whole.load_weights(tmp_path / "both.weights.h5")
    for one, other in zip(
        (again.whole, *again.parts), (network.whole, *network.parts), strict=True
    ):
        assert np.array_equal(one(windows)["logits"], other(windows)["logits"])


@pytest.mark.parametrize("voices", [(), (0.9, 1.1)])
def test_both_are_in_the_exported_graph(voices: tuple[float, ...], windows: np.ndarray) -> None:
    """All outputs, to rounding, however many voices and windows there are."""
    import onnxruntime

    keras.utils.set_random_seed(4)
    companion = dataclasses.replace(COMPANION, voices=voices)
    network = build_network(dataclasses.replace(RECIPE, companion=companion))
    content = to_onnx(network.whole, 2.0).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    found = dict(
        zip(
            ("logits", "embedding", "activation"),
            session.run(["logits", "embedding", "activation"], {"log_mel": windows}),
            strict=True,
        )
    )
    wanted = network.whole(windows)
    assert np.allclose(2.0 * found["logits"], wanted["logits"], atol=1e-4)
    assert np.allclose(found["embedding"], wanted["embedding"], atol=1e-4)
    assert np.allclose(found["activation"], wanted["activation"], atol=1e-3)


def test_a_companion_hears_every_voice(network: Network, windows: np.ndarray) -> None:
    """What it makes of each is averaged, windows beside each other change nothing."""
    factors = (0.9, 1.0, 1.1)
    companion = dataclasses.replace(COMPANION, voices=factors)
    found = build_network(dataclasses.replace(RECIPE, companion=companion))
    found.whole.set_weights(network.whole.get_weights())
    main, heard = found.main(windows), []
    for factor in factors:
        voice = np.stack([warp_mels(window, SPEC, factor) for window in windows])
        heard.append(network.parts[1](voice))
    whole = found.whole(windows)
    mean = {name: np.mean([one[name] for one in heard], axis=0) for name in ("logits", "embedding")}
    assert np.allclose(whole["logits"], 0.75 * main["logits"] + 0.25 * mean["logits"], atol=1e-4)
    both = np.concatenate([main["embedding"], mean["embedding"]], axis=1)
    assert np.allclose(whole["embedding"], both, atol=1e-4)
    assert not np.allclose(whole["logits"], network.whole(windows)["logits"], atol=1e-3)
    alone = found.whole(windows[5:6])
    for name in ("logits", "embedding", "activation"):
        assert np.allclose(alone[name], whole[name][5:6], atol=1e-4), name


def test_evidence_of_all_voices_is_for_the_label_they_come_to(windows: np.ndarray) -> None:
    """The map sums to the lead of that label, biases apart, in all voices together."""
    keras.utils.set_random_seed(5)
    companion = dataclasses.replace(COMPANION, share=1.0, voices=(0.8, 1.25))
    whole = build_network(dataclasses.replace(RECIPE, companion=companion))
    outputs = whole.whole(windows)
    kernel, _ = whole.parts[1].get_layer("head").classifier.get_weights()
    logits = outputs["embedding"].numpy()[:, -len(kernel) :] @ kernel
    chosen = logits[np.arange(len(logits)), outputs["logits"].numpy().argmax(1)]
    wanted = chosen - (logits.sum(1) - chosen) / 3
    assert np.allclose(outputs["activation"].numpy().sum((1, 2)), wanted, atol=1e-2)


def test_a_companion_is_trained_whole_by_its_own_settings() -> None:
    """To its last epoch; data and augmentation are the recipe's, but for the mixing."""
    companion = dataclasses.replace(COMPANION, epochs=7, learning_rate=0.5, mixup_alpha=0.3)
    recipe = dataclasses.replace(
        RECIPE,
        batch_size=5,
        layer_rates={"conv": 0.0},
        frozen_epochs={"conv": 2},
        augmentation=Augmentation(pace=0.1),
        kept=CachedFeatureMaps("conv2_block1_out"),
        head_first=HeadStage("conv2_block1_out", 2),
        companion=companion,
    )
    found = member_recipe(recipe, companion)
    assert (found.architecture, found.model) == ("cnn", COMPANION.model)
    assert (found.epochs, found.patience, found.first_judged) == (7, 7, 7)
    assert (found.learning_rate, found.batch_size) == (0.5, 5)
    assert found.augmentation == Augmentation(pace=0.1, mixup_alpha=0.3)
    assert (found.layer_rates, found.frozen_epochs) == ({}, {})
    assert (found.kept, found.head_first, found.reconstruct, found.companion) == (None,) * 4


def test_the_companions_map_may_have_another_size() -> None:
    """It is spread over the places of the main network's; nothing is lost."""
    from emotool_training.architectures.blocks import BlendedHead

    keras.utils.set_random_seed(1)
    random = np.random.default_rng(2)
    shapes = ((4, 6, 9, 8), (4, 4, 7, 5))
    features = [np.maximum(random.normal(size=s), 0).astype(np.float32) for s in shapes]
    activity = np.ones((4, 30), np.float32)
    heads = [EvidenceHead(2, pooling="statistics", name=name) for name in ("one", "two")]
    alone = [head(f, activity) for head, f in zip(heads, features, strict=True)]
    blended = BlendedHead(*heads, 1.0)(features[0], activity, features[1], activity)
    assert blended["activation"].shape == (4, 6, 9)
    for name in ("activation", "logits"):
        sums = [
            np.sum(one[name], axis=tuple(range(1, one[name].ndim))) for one in (blended, alone[1])
        ]
        assert np.allclose(*sums, atol=1e-5), name
