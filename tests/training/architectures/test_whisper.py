"""The architecture of Whisper's encoder."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import erf

pytest.importorskip("tensorflow", reason="needs the train extra")

import keras

from emotool.errors import TrainingError
from emotool.features.extraction import extract
from emotool.features.spec import SpectrogramSpec
from emotool_training import architectures
from emotool_training.network.pretrained import load_pretrained, read_npz, renamed

Floats = NDArray[np.float32]

SPEC = SpectrogramSpec(n_fft=400, hop_length=160, n_mels=80)
LABELS = ("anger", "happy", "sad")
WEIGHTS = "weights/whisper_base_encoder.npz"
REFERENCE = {
    "position_embedding": (0.42459, 0.76522, (-0.0977, -0.1562, -0.0031)),
    "block1": (0.58383, 0.76238, (0.6417, 1.6216, -0.1416)),
    "block2": (0.57687, 0.64965, (0.656, 1.4671, 0.007)),
    "block3": (0.56521, 0.63746, (0.5271, 1.0792, 0.0326)),
    "block4": (0.55263, 0.68465, (0.5854, 1.6543, -0.2015)),
}
"""Mean, deviation and first values behind each layer, of the input of `ripple`, published beside
the weights."""


def small(spec: SpectrogramSpec = SPEC, **changes: Any) -> Any:
    """Build a small network with random weights and a head that is not idle."""
    keras.utils.set_random_seed(1)
    settings = {"blocks": 2, "pooled": [1, 2], "width": 16, "heads": 2, "hidden": 32, **changes}
    model = architectures.build("whisper", LABELS, spec, settings)
    head = model.get_layer("head")
    random = np.random.default_rng(0)
    head.deviation.assign(random.uniform(0.5, 2.0, head.deviation.shape))
    head.mean.assign(random.normal(0, 1, head.mean.shape))
    head.bias.assign(random.normal(0, 1, head.bias.shape))
    return model


def sound(frames: int, spec: SpectrogramSpec = SPEC) -> Floats:
    """Return a window of noise with padding behind so many frames, [1, n_mels, frames] dB."""
    window = np.full((1, spec.n_mels, spec.frames), -60.0, np.float32)
    noise = np.random.default_rng(frames).normal(-20, 8, (spec.n_mels, frames))
    window[0, :, :frames] = np.clip(noise, -59.0, 20.0)
    window[0, 3, 5] = 20.0  # the loudest point, 80 dB above the padding
    return window


@pytest.fixture(scope="module")
def whole(shared: Path) -> Any:
    """Return the network of four blocks with the published weights."""
    path = shared / WEIGHTS
    if not path.is_file():
        pytest.skip("needs Whisper's weights")
    model = architectures.build("whisper", LABELS, SPEC, {"blocks": 4, "pooled": [2, 4]})
    load_pretrained(model, str(path))
    return model


@pytest.mark.parametrize("layer", REFERENCE)
def test_the_published_numbers_come_out(whole: Any, layer: str) -> None:
    """For the input that the weights' description gives, behind each block."""
    ripple = 0.5 * np.sin(0.1 * np.arange(24_000))
    x = ripple.reshape(1, 300, 80).astype(np.float32)
    names = [f"conv{n}{end}" for n in (1, 2) for end in ("_padding", "")]
    for name in (*names, "position_embedding"):
        x = whole.get_layer(name)(x)
    for number in range(1, int(layer[-1]) + 1 if layer.startswith("block") else 1):
        x = whole.get_layer(f"block{number}")(x, np.ones((1, 150), np.float32))
    mean, deviation, first = REFERENCE[layer]
    found = np.asarray(x)
    assert found.mean() == pytest.approx(mean, abs=2e-5)
    assert found.std() == pytest.approx(deviation, abs=2e-5)
    assert found[0, 0, :3] == pytest.approx(np.array(first), abs=1e-4)


def test_real_clips_come_out_as_by_numpy_alone(whole: Any, shared: Path, corpus: Path) -> None:
    """An implementation of its own, in float64, from the description of the weights."""
    arrays = {n: v.astype(np.float64) for n, v in read_npz(shared / WEIGHTS).items()}
    for path in sorted(corpus.glob("*/*"))[::900]:
        if path.suffix not in (".wav", ".flac"):
            continue
        windows = extract(path, SPEC).windows
        pooled = keras.Model(whole.input, whole.get_layer("pooling").output)(windows).numpy()
        for window, found in zip(windows, pooled, strict=True):
            assert np.allclose(found, by_numpy(window.astype(np.float64), arrays), atol=2e-4)


def by_numpy(log_mel: NDArray[np.float64], arrays: dict[str, Any]) -> NDArray[np.float64]:
    """Pool blocks 2 and 4 of the sounding frames of one window [80, 301], [2,048]."""
    sounding = np.flatnonzero((log_mel > log_mel.min() + 0.01).any(axis=0)).max() + 1
    x = ((log_mel - log_mel.max() + 20) / 10 + 4) / 4
    x = gelu(convolve(x[:, :-1].T, arrays, "conv1", 1))  # [300, 512]
    x = gelu(convolve(x, arrays, "conv2", 2))  # [150, 512]
    x = (x + arrays["position_embedding"][:150])[: (sounding + 1) // 2]  # padding cut away
    kept = []
    for number in range(1, 5):
        x = block(x, {n.split("/", 1)[1]: v for n, v in arrays.items() if f"block{number}/" in n})
        kept += [x] if number in (2, 4) else []
    frames = np.concatenate(kept, axis=1)
    return np.concatenate([frames.mean(0), np.sqrt(frames.var(0) + 1e-6)])


def gelu(x: Any) -> Any:
    """Half a value times 1 and the error function of the value over the root of 2."""
    return x / 2 * (1 + erf(x / np.sqrt(2)))


def convolve(x: Any, arrays: dict[str, Any], name: str, stride: int) -> Any:
    """Convolve frames [n, in] with zeros around them."""
    padded = np.pad(x, ((1, 1), (0, 0)))
    taps = [padded[k : k + len(x)] @ arrays[f"{name}/kernel"][k] for k in range(3)]
    return (sum(taps) + arrays[f"{name}/bias"])[::stride]


def block(x: Any, arrays: dict[str, Any]) -> Any:
    """One block on frames [n, 512]."""

    def dense(y: Any, name: str) -> Any:
        return y @ arrays[f"{name}/kernel"] + arrays.get(f"{name}/bias", 0)

    def norm(y: Any, name: str) -> Any:
        apart = y - y.mean(1, keepdims=True)
        scaled = apart / np.sqrt((apart**2).mean(1, keepdims=True) + 1e-5)
        return scaled * arrays[f"{name}/gamma"] + arrays[f"{name}/beta"]

    y = norm(x, "attention_norm")
    parts = (dense(y, name).reshape(len(x), 8, 64) for name in ("query", "key", "value"))
    query, key, value = parts
    scores = np.einsum("qhd,khd->hqk", query, key) / 8
    powers = np.exp(scores - scores.max(2, keepdims=True))
    mixed = np.einsum("hqk,khd->qhd", powers / powers.sum(2, keepdims=True), value)
    x = x + dense(mixed.reshape(len(x), 512), "attention_output")
    y = gelu(dense(norm(x, "feedforward_norm"), "feedforward_in"))
    return x + dense(y, "feedforward_out")


def test_the_silence_behind_a_sound_changes_nothing() -> None:
    """The same sound in a longer window: padding is in neither attention nor pooling."""
    longer = SpectrogramSpec(n_fft=400, hop_length=160, n_mels=80, window_seconds=4.0)
    short, long = small(), small(longer)
    weights = {w.path: w.numpy() for w in short.weights}
    for weight in long.weights:
        value = weights[weight.path]
        weight.assign(np.resize(value, weight.shape))  # more positions behind the same ones
    in_short, in_long = sound(200), sound(200, longer)
    one, other = short(in_short), long(in_long)
    assert np.allclose(one["logits"], other["logits"], atol=1e-5)
    assert np.allclose(one["embedding"], other["embedding"], atol=1e-5)
    seen = other["activation"].numpy()
    assert np.allclose(one["activation"], seen[:, :, :150], atol=1e-5)
    assert not seen[:, :, 101:].any()  # padding is no evidence


@pytest.mark.parametrize("level", [-100.0, 0.0])
def test_a_window_without_sound_gives_finite_numbers(level: float) -> None:
    """One value throughout: all of it is pooled."""
    silent = np.full((2, 80, SPEC.frames), level, np.float32)
    outputs = small()(silent)
    assert all(np.isfinite(value).all() for value in outputs.values())


def test_evidence_sums_to_the_margin() -> None:
    """Of the predicted label over the mean of the others, biases apart."""
    model = small()
    outputs = {n: v.numpy() for n, v in model(sound(220)).items()}
    head = model.get_layer("head")
    plain = outputs["logits"][0] - head.bias.numpy()
    best = int(outputs["logits"][0].argmax())
    margin = plain[best] - np.delete(plain, best).mean()
    assert outputs["activation"].sum() == pytest.approx(margin, rel=1e-3, abs=1e-3)


def test_logits_are_one_linear_layer_on_the_embedding() -> None:
    """So whoever has embeddings can put other statistics in."""
    model = small()
    outputs = model(sound(120))
    head = model.get_layer("head")
    logits = outputs["embedding"] @ head.kernel.numpy() + head.bias.numpy()
    assert np.allclose(outputs["logits"], logits, atol=1e-5)
    stable = {"mean", "deviation", "kernel", "bias"}
    assert {weight.name for weight in head.weights} == stable


def test_a_block_that_is_not_kept_cannot_be_pooled() -> None:
    """It says which."""
    with pytest.raises(TrainingError, match="block 3 cannot be pooled: 2 are kept"):
        small(pooled=[3])
    with pytest.raises(TrainingError, match="3 heads do not divide"):
        small(heads=3)


def test_weights_of_transformers_are_renamed() -> None:
    """Kernels are transposed, and nothing of blocks that are not there is asked for."""
    random = np.random.default_rng(0)
    state = {"conv1.weight": random.normal(size=(4, 80, 3)), "embed_positions.weight": np.ones(2)}
    state |= {"layers.0.fc1.weight": random.normal(size=(8, 4)), "layers.0.fc1.bias": np.ones(8)}
    state |= {"layers.0.final_layer_norm.weight": np.ones(4), "layer_norm.weight": np.ones(4)}
    found = renamed(state)
    assert found["conv1/kernel"].shape == (3, 80, 4)
    assert np.array_equal(found["block1/feedforward_in/kernel"], state["layers.0.fc1.weight"].T)
    assert set(found) == {
        "conv1/kernel",
        "position_embedding",
        "block1/feedforward_in/kernel",
        "block1/feedforward_in/bias",
        "block1/feedforward_norm/gamma",
    }


def test_weights_of_another_network_are_refused() -> None:
    """By name, before anything is downloaded."""
    with pytest.raises(TrainingError, match="of another network than whisper"):
        load_pretrained(small(), "imagenet")
