"""Valid ONNX classifiers of a few hundred bytes, made in memory, and ways to spoil them.

The graph is ``log_mel -> mean over time -> Gemm -> softmax``: a real classifier in every
respect but its wits. Its answers depend on each clip alone, and a louder clip is answered
differently from a quiet one, so that a row can be told from its neighbour's.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from emotool.features.spec import SpectrogramSpec
from emotool.model.metadata import METADATA_KEY, Golden, ModelMetadata, golden_input

SMALL_SPEC = SpectrogramSpec(
    window_seconds=0.5, n_fft=512, hop_length=256, n_mels=16, tail_seconds=0.1
)
LABELS = ("happy", "sad")


def weights(labels: int, n_mels: int) -> tuple[np.ndarray, np.ndarray]:
    """Make the Gemm's weights [n_mels, labels] and bias [labels], the same each time."""
    random = np.random.RandomState(7)
    matrix = random.normal(size=(n_mels, labels)).astype(np.float32) / 100
    return matrix, random.normal(size=labels).astype(np.float32)


def answer(log_mels: np.ndarray, labels: int) -> np.ndarray:
    """Compute in numpy what the graph answers: probabilities [batch, labels]."""
    matrix, bias = weights(labels, log_mels.shape[1])
    logits = log_mels.mean(axis=2) @ matrix + bias  # [batch, labels]
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)


def tiny_metadata(
    labels: Sequence[str] = LABELS, spec: SpectrogramSpec = SMALL_SPEC, **changes: Any
) -> ModelMetadata:
    """Describe the tiny model truthfully; ``changes`` replace fields, truthfully or not."""
    golden = answer(golden_input(0, spec), len(labels))[0]
    metadata = ModelMetadata(
        name="tiny",
        labels=tuple(labels),
        input=spec,
        temperature=1.0,
        golden=Golden(0, tuple(float(p) for p in golden), 1e-4),
        architecture="gemm",
        corpora=("tones",),
        split={"kind": "speakers", "hash": "0" * 64},
        metrics={"new_speakers": {"uar": 0.75, "uar_low": 0.5, "uar_high": 0.9}},
        licence="Apache-2.0",
        git_commit="0" * 40,
    )
    return replace(metadata, **changes)


def tiny_model(
    metadata: ModelMetadata | None = None, *, labels: int | None = None
) -> onnx.ModelProto:
    """Build the graph and put ``metadata`` into it.

    Parameters
    ----------
    metadata : ModelMetadata, optional
        `tiny_metadata` if not given.
    labels : int, optional
        Outputs of the graph, where they shall differ from what the metadata say.
    """
    metadata = metadata or tiny_metadata()
    spec, n = metadata.input, labels or len(metadata.labels)
    matrix, bias = weights(n, spec.n_mels)
    nodes = [
        helper.make_node("ReduceMean", ["log_mel"], ["embedding"], axes=[2], keepdims=0),
        helper.make_node("Gemm", ["embedding", "matrix", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("Relu", ["log_mel"], ["activation"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [_value("log_mel", spec.n_mels, spec.frames)],
        [
            _value("probabilities", n),
            _value("logits", n),
            _value("embedding", spec.n_mels),
            _value("activation", spec.n_mels, spec.frames),
        ],
        [numpy_helper.from_array(matrix, "matrix"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {METADATA_KEY: metadata.to_json()})
    return model


def write_tiny_model(
    path: Path,
    metadata: ModelMetadata | None = None,
    spoil: Callable[[onnx.ModelProto], object] | None = None,
) -> Path:
    """Write the tiny model to ``path``, after ``spoil`` has done to it what it likes."""
    model = tiny_model(metadata)
    if spoil is not None:
        spoil(model)
    path.write_bytes(model.SerializeToString())
    return path


def set_metadata(model: onnx.ModelProto, text: str) -> None:
    """Replace the emotool metadata of a model by any text."""
    del model.metadata_props[:]
    helper.set_model_props(model, {METADATA_KEY: text})


def _value(name: str, *axes: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *axes])
