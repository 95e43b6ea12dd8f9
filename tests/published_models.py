"""Small networks of waveforms as others publish them, trained on synthesised tones.

``input_values -> convolution -> squares -> mean over time -> logarithm -> linear``: the convolution
is a bank of windowed waves, and the linear layer is trained by gradient descent, in numpy. With a
mask, only frames of sound are counted.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.synthesis import Samples, noise, tone

LABELS = ("low", "middle", "high")
HERTZ = (200.0, 800.0, 3_000.0)
DIMENSIONS = ("arousal", "valence")
SIZE, STEP = 64, 16  # of a frame, samples
CENTRES = (150.0, 300.0, 600.0, 1_200.0, 2_400.0, 4_800.0)  # Hz, of the bank
EXTRACTOR = {
    "feature_extractor_type": "Wav2Vec2FeatureExtractor",
    "feature_size": 1,
    "sampling_rate": 16_000,
    "padding_value": 0.0,
    "do_normalize": True,
    "return_attention_mask": False,
}


@dataclass(frozen=True)
class Kind:
    """What a published network is like."""

    mask: bool = False
    samples: int | None = None  # that it takes; any number if not given
    regression: bool = False


PLAIN = Kind()


def bank() -> np.ndarray:
    """Make the convolution's weights, float32 [2 * centres, 1, SIZE]."""
    time = np.arange(SIZE) / 16_000
    phases = 2 * np.pi * np.outer(CENTRES, time)
    waves = np.concatenate([np.cos(phases), np.sin(phases)]) * np.hanning(SIZE)
    return waves[:, None].astype(np.float32)


def energies(sound: Samples) -> np.ndarray:
    """Compute in numpy what the network's linear layer receives, float64 [2 * centres]."""
    scaled = (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)
    frames = np.lib.stride_tricks.sliding_window_view(scaled, SIZE)[::STEP]  # [frames, SIZE]
    found = np.square(frames @ bank()[:, 0].T.astype(np.float64)).mean(axis=0)
    return np.log(found + 1e-3)


def sounds(seed: int, count: int = 30) -> tuple[list[Samples], np.ndarray]:
    """Make noisy tones of 0.3 to 1.2 s, and the place of each one's label."""
    random = np.random.default_rng(seed)
    truth = np.arange(count) % len(LABELS)
    made = []
    for place in truth:
        seconds = random.uniform(0.3, 1.2)
        sound = tone(HERTZ[place] * random.uniform(0.8, 1.25), seconds)
        made.append(sound + 0.5 * noise(seconds, seed=int(random.integers(2**31))))
    return made, truth


def trained() -> tuple[np.ndarray, np.ndarray]:
    """Train the linear layer: weights [2 * centres, labels] and bias [labels]."""
    made, truth = sounds(1)
    inputs = np.array([energies(sound) for sound in made])
    wanted = np.eye(len(LABELS))[truth]
    weights, bias = np.zeros((inputs.shape[1], len(LABELS))), np.zeros(len(LABELS))
    for _ in range(300):
        logits = inputs @ weights + bias
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        errors = (shares - wanted) / len(inputs)
        weights -= 0.1 * (inputs.T @ errors)
        bias -= 0.1 * errors.sum(axis=0)
    return weights.astype(np.float32), bias.astype(np.float32)


def graph_of(kind: Kind = PLAIN) -> onnx.ModelProto:
    """Build the network as an exporter would."""
    matrix, bias = trained()
    if kind.regression:
        matrix, bias = matrix[:, :2] / 10, bias[:2]
    weights = {
        "bank": bank(),
        "matrix": matrix,
        "bias": bias,
        "little": np.float32(1e-3),
        "axis": np.array([1], np.int64),
        "start": np.array([SIZE - 1], np.int64),
        "end": np.array([2**31], np.int64),
        "step": np.array([STEP], np.int64),
    }
    nodes = [
        helper.make_node("Unsqueeze", ["input_values", "axis"], ["row"]),
        helper.make_node("Conv", ["row", "bank"], ["waves"], strides=[STEP]),
        helper.make_node("Mul", ["waves", "waves"], ["squares"]),
        *_mean(masked=kind.mask),
        helper.make_node("Add", ["mean", "little"], ["energy"]),
        helper.make_node("Log", ["energy"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "matrix", "bias"], ["logits"]),
    ]
    samples = kind.samples or "sequence_length"
    axes = ["batch_size", samples]
    inputs = [helper.make_tensor_value_info("input_values", TensorProto.FLOAT, axes)]
    if kind.mask:
        inputs.append(helper.make_tensor_value_info("attention_mask", TensorProto.INT64, axes))
    outputs = ["batch_size", matrix.shape[1]]
    graph = helper.make_graph(
        nodes,
        "published",
        inputs,
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, outputs)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _mean(*, masked: bool) -> list[onnx.NodeProto]:
    """Write the mean of ``squares`` [batch, waves, frames] over time."""
    if not masked:
        return [helper.make_node("ReduceMean", ["squares"], ["mean"], axes=[2], keepdims=0)]
    return [
        helper.make_node("Slice", ["attention_mask", "start", "end", "axis", "step"], ["part"]),
        helper.make_node("Cast", ["part"], ["heard"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["heard", "axis"], ["heard_row"]),
        helper.make_node("Mul", ["squares", "heard_row"], ["counted"]),
        helper.make_node("ReduceSum", ["counted", "time"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["heard_row", "time"], ["frames"], keepdims=0),
        helper.make_node("Div", ["sum", "frames"], ["mean"]),
    ]


def write_published(
    folder: Path,
    kind: Kind = PLAIN,
    *,
    config: dict[str, Any] | None = None,
    extractor: dict[str, Any] | None = None,
    spoil: Callable[[onnx.ModelProto], object] | None = None,
) -> Path:
    """Write a folder as `optimum` exports it; ``config`` and ``extractor`` replace fields."""
    folder.mkdir(parents=True, exist_ok=True)
    names: Sequence[str] = DIMENSIONS if kind.regression else LABELS
    said = {
        "_name_or_path": "someone/tones",
        "architectures": ["ToneForSequenceClassification"],
        "id2label": {str(place): name for place, name in enumerate(names)},
        "problem_type": "regression" if kind.regression else None,
    }
    model = graph_of(kind)
    if kind.mask:
        model.graph.initializer.append(numpy_helper.from_array(np.array([2], np.int64), "time"))
    if spoil is not None:
        spoil(model)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    (folder / "config.json").write_text(json.dumps({**said, **(config or {})}), "utf-8")
    prepared = json.dumps({**EXTRACTOR, **(extractor or {})})
    (folder / "preprocessor_config.json").write_text(prepared, "utf-8")
    return folder
