"""Whether a loaded graph is the classifier that its metadata describe.

Shapes reveal an unusable graph; the reference output reveals one that has been changed, or
whose labels have been swapped, which no shape would give away.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from emotool.errors import ModelError
from emotool.model.metadata import ModelMetadata, golden_input
from emotool.text import printable

if TYPE_CHECKING:
    import onnxruntime

__all__ = [
    "INPUT",
    "LABELLING",
    "OUTPUTS",
    "check_answer",
    "check_golden",
    "check_signature",
    "golden_pair",
]

Run = Callable[[Any, Sequence[str]], dict[str, Any]]

INPUT = "log_mel"
# Each output and its number of axes; the first axis is the batch.
OUTPUTS = {"probabilities": 2, "logits": 2, "embedding": 2, "activation": 3}
LABELLING = ("probabilities", "logits")
"""Outputs that a label needs; the others are computed only for those who ask for them."""
MAX_EMBEDDING = 65_536


def check_signature(session: "onnxruntime.InferenceSession", metadata: ModelMetadata) -> None:
    """Compare what the graph declares with what the metadata promises.

    Raises
    ------
    ModelError
        If a name, a type or a shape differs.
    """
    spec, labels = metadata.spectrogram, len(metadata.labels)
    inputs = session.get_inputs()
    if [value.name for value in inputs] != [INPUT]:
        _differs("inputs", INPUT, ", ".join(value.name for value in inputs))
    _check_value(inputs[0], (spec.n_mels, spec.frames))
    outputs = {value.name: value for value in session.get_outputs()}
    for name in OUTPUTS:
        if name not in outputs:
            _differs("outputs", ", ".join(OUTPUTS), ", ".join(outputs))
    _check_value(outputs["probabilities"], (labels,))
    _check_value(outputs["logits"], (labels,))
    _check_value(outputs["embedding"], (None,))
    _check_value(outputs["activation"], (None, None))


def _check_value(value: "onnxruntime.NodeArg", axes: Sequence[int | None]) -> None:
    if value.type != "tensor(float)":
        _differs(f"{value.name}'s type", "tensor(float)", value.type)
    shape = value.shape
    fits = len(shape) == 1 + len(axes) and all(
        # An axis the graph leaves open is measured with the golden input.
        not isinstance(there, int) or wanted in (there, None)
        for there, wanted in zip(shape[1:], axes, strict=True)
    )
    if not fits or isinstance(shape[0], int):
        wanted = ", ".join("any" if axis is None else str(axis) for axis in axes)
        _differs(f"{value.name}'s shape", f"[batch, {wanted}]", str(shape))


def check_golden(run: Run, metadata: ModelMetadata) -> None:
    """Let a model answer its golden input, twice in one batch, with all its outputs.

    Parameters
    ----------
    run : callable
        Computes named outputs for a batch of spectrograms [batch, n_mels, frames].
    metadata : ModelMetadata
        Holds the answer it gave when it was exported.

    Raises
    ------
    ModelError
        If it answers otherwise, or an output is not what it has to be.
    """
    import numpy as np

    spec = metadata.spectrogram
    outputs = run(golden_pair(metadata), tuple(OUTPUTS))
    for name, array in outputs.items():
        if array.ndim != OUTPUTS[name] or len(array) != 2 or not np.isfinite(array).all():
            _differs(f"output {name}", "finite numbers for each clip", f"shape {array.shape}")
    probabilities, logits = outputs["probabilities"], outputs["logits"]
    if outputs["embedding"].shape[1] > MAX_EMBEDDING:
        _differs("embedding", f"at most {MAX_EMBEDDING} values", str(outputs["embedding"].shape))
    height, width = outputs["activation"].shape[1:]
    if not (1 <= height <= spec.n_mels and 1 <= width <= spec.frames):
        _differs("activation", f"at most {spec.n_mels} x {spec.frames}", f"{height} x {width}")
    if probabilities.shape[1] != len(metadata.labels) or logits.shape != probabilities.shape:
        _differs("probabilities", f"{len(metadata.labels)} a clip", str(probabilities.shape))
    check_answer(probabilities, metadata)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
    if float(np.abs(softmax - probabilities).max()) > 1e-3:
        _differs("probabilities", "the softmax of its logits", "something else")


def golden_pair(metadata: ModelMetadata) -> Any:
    """Return a model's golden input, twice: [2, n_mels, frames]."""
    import numpy as np

    return np.repeat(golden_input(metadata.golden.seed, metadata.spectrogram), 2, axis=0)


def check_answer(probabilities: Any, metadata: ModelMetadata) -> None:
    """Compare the answer to the golden input, [2, labels], with the one at export.

    Raises
    ------
    ModelError
        If it is another.
    """
    import numpy as np

    golden = metadata.golden
    errors = np.abs(probabilities - np.asarray(golden.probabilities, np.float32)).max(axis=1)
    if not float(errors.max()) <= golden.tolerance:
        _differs(
            "its output for the reference input",
            f"{_rounded(golden.probabilities)} within {golden.tolerance:g}",
            _rounded(probabilities[int(errors.argmax())]),
        )


def _differs(what: str, expected: str, got: str) -> NoReturn:
    raise ModelError(f"{printable(what)}: expected {expected}, got {printable(got)}")


def _rounded(values: Sequence[float]) -> str:
    return "[" + ", ".join(f"{float(value):.4f}" for value in values) + "]"
