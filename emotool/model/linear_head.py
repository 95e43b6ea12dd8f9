"""The linear head of a model file, and the statistics of recordings that it can be adapted to.

A model whose embeddings are standardised by statistics of its training data, and classified by
one product, stores four weights by name: ``domain_mean``, ``domain_deviation`` [size],
``head_kernel`` [size, labels] and ``head_bias`` [labels]. With them, probabilities follow from
embeddings without the model.

What all recordings of a kind have in common (rooms, microphones, language) shifts and stretches
their embeddings as a whole. Standardised half by their own statistics and half by those of the
training data, embeddings lose some of it, without any label.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from emotool.errors import ModelError
from emotool.model.onnx_scan import Field, fields

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "LEAST_CLIPS",
    "OWN_SHARE",
    "LinearHead",
    "Moments",
    "Statistics",
    "read_linear_head",
    "with_statistics",
]

LEAST_CLIPS: Final = 20
"""With fewer clips, statistics are those of single clips."""

OWN_SHARE: Final = 0.5
"""Share of the recordings' own statistics: more is better for balanced labels, worse for others."""

_VARIANCE_FLOOR: Final = 1e-6
_WEIGHTS: Final = ("domain_mean", "domain_deviation", "head_kernel", "head_bias")

# Field numbers of onnx.proto.
_MODEL_GRAPH, _GRAPH_TENSOR = 7, 5
_TENSOR_SIZE, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 8, 9
_FLOAT: Final = 1


@dataclass(frozen=True, eq=False)
class Statistics:
    """What recordings' embeddings are shifted and stretched by, f64 [size] each.

    An embedding e of the model becomes (e - ``shift``) / ``stretch``.
    """

    shift: "NDArray[np.float64]"
    stretch: "NDArray[np.float64]"
    clips: int

    def apply(self, embeddings: "NDArray[Any]") -> "NDArray[np.float64]":
        """Standardise embeddings of the model, [n, size]."""
        return np.asarray((embeddings - self.shift) / self.stretch, np.float64)


class Moments:
    """Sums over clips' embeddings, from which their statistics follow.

    Each clip weighs the same however long it is. The same clips in the same order give the same
    sums to the bit.

    Parameters
    ----------
    size : int
        Numbers in an embedding.

    Examples
    --------
    >>> moments = Moments(1)
    >>> for value in (1.0, 3.0):
    ...     moments.add(np.array([[value]]))
    >>> own = moments.statistics()
    >>> own.shift.tolist(), own.stretch.round(3).tolist(), own.clips
    ([1.0], [1.0], 2)
    """

    def __init__(self, size: int) -> None:
        self.clips = 0
        self._sum = np.zeros(size)
        self._squares = np.zeros(size)

    def add(self, windows: "NDArray[Any]") -> None:
        """Add a clip's embeddings, [windows, size], at least one."""
        values = windows.astype(np.float64)
        self.clips += 1
        self._sum += values.mean(axis=0)
        self._squares += np.square(values).mean(axis=0)

    def statistics(self) -> Statistics:
        """Return the clips' statistics, half-way: `OWN_SHARE` theirs, the rest the model's.

        The model's own are mean 0 and deviation 1, since its embeddings are standardised.
        """
        mean = self._sum / self.clips
        variance = np.maximum(self._squares / self.clips - np.square(mean), 0.0)
        deviation = np.sqrt(variance + _VARIANCE_FLOOR)
        return Statistics(OWN_SHARE * mean, 1 - OWN_SHARE + OWN_SHARE * deviation, self.clips)


@dataclass(frozen=True, eq=False)
class LinearHead:
    """A model's head, f32.

    Parameters
    ----------
    mean, deviation : ndarray of float32, shape (size,)
        What embeddings were standardised by.
    kernel : ndarray of float32, shape (size, labels)
    bias : ndarray of float32, shape (labels,)
    """

    mean: "NDArray[np.float32]"
    deviation: "NDArray[np.float32]"
    kernel: "NDArray[np.float32]"
    bias: "NDArray[np.float32]"

    def logits(self, embeddings: "NDArray[Any]") -> "NDArray[np.float64]":
        """Compute logits at temperature 1, f64 [n, labels], of embeddings [n, size]."""
        kernel = self.kernel.astype(np.float64)
        return np.asarray(embeddings.astype(np.float64) @ kernel + self.bias, np.float64)


def read_linear_head(content: bytes) -> LinearHead | None:
    """Read the head of a model file.

    Parameters
    ----------
    content : bytes
        An ONNX file that `emotool.model.onnx_scan.read_onnx` has accepted.

    Returns
    -------
    LinearHead or None
        None if the model has no such head.

    Raises
    ------
    ModelError
        If the weights contradict each other.
    """
    found = {}
    for part in fields(memoryview(content)):
        for tensor in fields(part.content) if part.number == _MODEL_GRAPH else ():
            if tensor.number == _GRAPH_TENSOR and (name := _name(tensor)) in _WEIGHTS:
                found[name] = _values(name, tensor)
    if len(found) < len(_WEIGHTS):
        return None
    head = LinearHead(*(found[name] for name in _WEIGHTS))
    size, labels = head.kernel.shape if head.kernel.ndim == 2 else (0, 0)
    shapes = (head.mean.shape, head.deviation.shape, head.bias.shape)
    if shapes != ((size,), (size,), (labels,)) or not all(map(_finite, found.values())):
        raise ModelError("the weights of its linear head contradict each other")
    if not (head.deviation > 0).all():
        raise ModelError("domain_deviation: expected numbers above 0")
    return head


def with_statistics(content: bytes, own: Statistics) -> bytes:
    """Put statistics into the normalisation of a model file's embeddings.

    Parameters
    ----------
    content : bytes
        A file with a linear head.
    own : Statistics
        Of embeddings by this model.

    Returns
    -------
    bytes
        A file of the same size; the weights that its map of evidence uses follow.

    Raises
    ------
    ModelError
        If the file has no such head, or its graph has another form.
    """
    head = read_linear_head(content)
    if head is None:
        raise ModelError("it has no linear head, whose statistics could be changed")
    mean = (head.mean + own.shift * head.deviation).astype("<f4")
    deviation = (own.stretch * head.deviation).astype("<f4")
    half = mean.size // 2
    new = {
        "domain_mean": mean,
        "domain_deviation": deviation,
        "deviation_column": deviation,
        "mean_of_means": mean[:half],
        "mean_of_deviations": mean[half:],
    }
    changed = bytearray(content)
    for part in fields(memoryview(changed)):
        for tensor in fields(part.content) if part.number == _MODEL_GRAPH else ():
            values = new.pop(_name(tensor), None) if tensor.number == _GRAPH_TENSOR else None
            if values is not None:
                _overwrite(tensor, values.tobytes())
    if new:
        raise ModelError(f"it has no weight {next(iter(new))}")
    return bytes(changed)


def _overwrite(tensor: Field, raw: bytes) -> None:
    """Replace a tensor's numbers by as many others."""
    for inner in fields(tensor.content):
        if inner.number == _TENSOR_RAW and len(inner.content) == len(raw):
            inner.content[:] = raw
            return
    raise ModelError(f"{_name(tensor)}: expected {len(raw)} bytes")


def _finite(values: "NDArray[np.float32]") -> bool:
    return bool(np.isfinite(values).all())


def _name(tensor: Field) -> str:
    names = [bytes(one.content) for one in fields(tensor.content) if one.number == _TENSOR_NAME]
    return names[0].decode("utf-8", "replace") if names else ""


def _values(name: str, tensor: Field) -> "NDArray[np.float32]":
    """Read a float32 tensor's numbers."""
    inner = list(fields(tensor.content))
    shape = [one.value for one in inner if one.number == _TENSOR_SIZE]
    kinds = [one.value for one in inner if one.number == _TENSOR_TYPE]
    raw = b"".join(bytes(one.content) for one in inner if one.number == _TENSOR_RAW)
    sizes = [one for one in shape if isinstance(one, int)]
    if kinds != [_FLOAT] or len(sizes) != len(shape) or len(raw) != 4 * int(np.prod(sizes)):
        raise ModelError(f"{name}: expected float32 numbers, stored as bytes")
    return np.frombuffer(raw, "<f4").reshape(sizes).astype(np.float32)
