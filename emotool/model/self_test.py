"""Whether a loaded graph is the classifier that its metadata describe.

Shapes reveal an unusable graph; the reference output reveals one that has been changed, or
whose labels have been swapped, which no shape would give away.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from emotool.errors import ModelError
from emotool.features.waveform_spec import WaveformSpec
from emotool.model.feed import LOG_MEL, MASK, WAVEFORM
from emotool.model.metadata import ModelMetadata, golden_input
from emotool.text import printable

if TYPE_CHECKING:
    import onnxruntime

__all__ = [
    "OUTPUTS",
    "check_answer",
    "check_golden",
    "check_mask",
    "check_signature",
    "golden_pair",
]

Run = Callable[[Any, Sequence[str]], dict[str, Any]]

# Each output and its number of axes; the first axis is the batch.
OUTPUTS = {"probabilities": 2, "logits": 2, "dimensions": 2, "embedding": 2, "activation": 3}
MAX_EMBEDDING = 65_536
MAX_BANDS = 512  # of an activation, where there are no mel bands


def check_signature(session: "onnxruntime.InferenceSession", metadata: ModelMetadata) -> None:
    """Compare what the graph declares with what the metadata promises.

    Raises
    ------
    ModelError
        If a name, a type or a shape differs.
    """
    inputs = {value.name: value for value in session.get_inputs()}
    wanted = _inputs_of(metadata)
    if list(inputs) != list(wanted):
        _differs("inputs", ", ".join(wanted), ", ".join(inputs))
    for name, axes in wanted.items():
        _check_value(inputs[name], axes, "tensor(int64)" if name == MASK else "tensor(float)")
    outputs = {value.name: value for value in session.get_outputs()}
    shapes: dict[str, tuple[int | None, ...]] = {
        "probabilities": (len(metadata.labels),),
        "logits": (len(metadata.labels),),
        "dimensions": (len(metadata.dimensions),),
        "embedding": (None,),
        "activation": (None, None),
    }
    for name in metadata.outputs:
        if name not in outputs:
            _differs("outputs", ", ".join(metadata.outputs), ", ".join(outputs))
        _check_value(outputs[name], shapes[name])


def _inputs_of(metadata: ModelMetadata) -> dict[str, tuple[int | None, ...]]:
    """Return the graph's inputs and their axes behind the batch; -1 is a length that is free."""
    spec = metadata.input
    if not isinstance(spec, WaveformSpec):
        return {LOG_MEL: (spec.n_mels, spec.frames)}
    samples: tuple[int | None, ...] = (spec.window_samples if spec.fixed else -1,)
    return {WAVEFORM: samples} | ({MASK: samples} if spec.attention_mask else {})


def _check_value(
    value: "onnxruntime.NodeArg", axes: Sequence[int | None], kind: str = "tensor(float)"
) -> None:
    if value.type != kind:
        _differs(f"{value.name}'s type", kind, value.type)
    shape = value.shape
    fits = len(shape) == 1 + len(axes) and all(
        # An axis the graph leaves open is measured with the golden input.
        not isinstance(there, int) or wanted in (there, None)
        for there, wanted in zip(shape[1:], axes, strict=True)
    )
    if not fits or isinstance(shape[0], int):
        names = {None: "any", -1: "samples"}
        wanted = ", ".join(names.get(axis, str(axis)) for axis in axes)
        _differs(f"{value.name}'s shape", f"[batch, {wanted}]", str(shape))


def check_golden(run: Run, metadata: ModelMetadata) -> None:
    """Let a model answer its golden input, twice in one batch, with all its outputs.

    Parameters
    ----------
    run : callable
        Computes named outputs for a batch of windows.
    metadata : ModelMetadata
        Holds the answer it gave when it was exported.

    Raises
    ------
    ModelError
        If it answers otherwise, or an output is not what it has to be.
    """
    import numpy as np

    outputs = run(golden_pair(metadata), metadata.outputs)
    for name, array in outputs.items():
        if array.ndim != OUTPUTS[name] or len(array) != 2 or not np.isfinite(array).all():
            _differs(f"output {name}", "finite numbers for each clip", f"shape {array.shape}")
    if "embedding" in outputs and outputs["embedding"].shape[1] > MAX_EMBEDDING:
        _differs("embedding", f"at most {MAX_EMBEDDING} values", str(outputs["embedding"].shape))
    if "activation" in outputs:
        _check_activation(outputs["activation"], metadata)
    check_answer(outputs, metadata)
    if "probabilities" in outputs:
        logits = outputs["logits"]
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
        if float(np.abs(softmax - outputs["probabilities"]).max()) > 1e-3:
            _differs("probabilities", "the softmax of its logits", "something else")


def check_mask(run: Callable[..., dict[str, Any]], metadata: ModelMetadata) -> None:
    """Let a model with a mask answer its golden input among zeros that the mask excludes.

    Parameters
    ----------
    run : callable
        Computes named outputs for a batch of windows and their lengths in samples.
    metadata : ModelMetadata
        Holds the answer without padding.

    Raises
    ------
    ModelError
        If the padding changes the answer.
    """
    import numpy as np

    spec = metadata.input
    if not isinstance(spec, WaveformSpec) or not spec.attention_mask or spec.fixed:
        return
    pair = golden_pair(metadata)
    samples = pair.shape[1]
    padding = spec.padded(min(samples + 1, spec.window_samples)) - samples
    padded = np.pad(pair, ((0, 0), (0, padding)))
    try:
        check_answer(run(padded, metadata.labelling, [samples, samples]), metadata)
    except ModelError as error:
        raise ModelError(f"attention_mask does not exclude padding: {error.message}") from error


def _check_activation(maps: Any, metadata: ModelMetadata) -> None:
    spec = metadata.input
    bands, columns = MAX_BANDS, golden_pair(metadata).shape[-1]
    if not isinstance(spec, WaveformSpec):
        bands = spec.n_mels
    height, width = maps.shape[1:]
    if not (1 <= height <= bands and 1 <= width <= columns):
        _differs("activation", f"at most {bands} x {columns}", f"{height} x {width}")


def golden_pair(metadata: ModelMetadata) -> Any:
    """Return a model's golden input, twice: [2, n_mels, frames] or [2, samples]."""
    import numpy as np

    return np.repeat(golden_input(metadata.golden.seed, metadata.input), 2, axis=0)


def check_answer(outputs: Mapping[str, Any], metadata: ModelMetadata) -> None:
    """Compare the answer to the golden input, twice, with the one at export.

    Parameters
    ----------
    outputs : mapping of str to ndarray
        ``probabilities`` [2, labels] with ``logits``, ``dimensions`` [2, dimensions] or both.
    metadata : ModelMetadata
        Holds the answer.

    Raises
    ------
    ModelError
        If it is another.
    """
    golden = metadata.golden
    if metadata.labels:
        probabilities = outputs["probabilities"]
        if probabilities.shape[1] != len(metadata.labels) or (
            outputs["logits"].shape != probabilities.shape
        ):
            _differs("probabilities", f"{len(metadata.labels)} a clip", str(probabilities.shape))
        _compare(probabilities, golden.probabilities, golden.tolerance, [1.0])
    if metadata.dimensions:
        values = outputs["dimensions"]
        if values.shape[1] != len(metadata.dimensions):
            _differs("dimensions", f"{len(metadata.dimensions)} a clip", str(values.shape))
        ranges = [dimension.high - dimension.low for dimension in metadata.dimensions]
        _compare(values, golden.dimensions, golden.tolerance, ranges)


def _compare(
    found: Any, wanted: Sequence[float], tolerance: float, ranges: Sequence[float]
) -> None:
    """Compare numbers [2, n] with those at export, as shares of their ranges."""
    import numpy as np

    errors = (np.abs(found - np.asarray(wanted, np.float32)) / np.asarray(ranges)).max(axis=1)
    if not float(errors.max()) <= tolerance:
        _differs(
            "its output for the reference input",
            f"{_rounded(wanted)} within {tolerance:g}",
            _rounded(found[int(errors.argmax())]),
        )


def _differs(what: str, expected: str, got: str) -> NoReturn:
    raise ModelError(f"{printable(what)}: expected {expected}, got {printable(got)}")


def _rounded(values: Sequence[float]) -> str:
    return "[" + ", ".join(f"{float(value):.4f}" for value in values) + "]"
