"""Large ONNX files, opened without their weights in memory.

The file is mapped. Its nodes, inputs, outputs and small weights become a message of the `onnx`
package that can be edited; large weights stay bytes of the mapped file, or of a file of external
data beside it, and are copied from there when the result is written.
"""

import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from typing import BinaryIO, Final

import onnx
from google.protobuf.message import DecodeError

from emotool.errors import ModelError
from emotool.model.onnx_prune import tag_of
from emotool.model.onnx_scan import MAX_BYTES, Field, fields, scan
from emotool.text import printable

__all__ = ["Opened", "Weight", "open_graph", "property_bytes", "write_graph"]

_LARGE: Final = 4_096  # bytes of a weight that stays in its file
_MODEL_GRAPH, _GRAPH_WEIGHT, _MODEL_PROPERTY = 7, 5, 14
_TENSOR_NAME, _TENSOR_RAW, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 8, 9, 13, 14
_MOST_FILES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight that is not in memory.

    Parameters
    ----------
    name : str
        Of the tensor.
    parts : sequence of memoryview or bytes
        The bytes of its field, one after the other.
    """

    name: str
    parts: Sequence[memoryview | bytes]

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return sum(len(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Opened:
    """An ONNX file without its large weights.

    Parameters
    ----------
    model : onnx.ModelProto
        May be edited.
    weights : list of Weight
        The large ones.
    """

    model: onnx.ModelProto
    weights: list[Weight]


def open_graph(path: Path, stack: ExitStack) -> Opened:
    """Open an untrusted ONNX file.

    Parameters
    ----------
    path : Path
        Regular file. External data are taken from regular files of its folder.
    stack : ExitStack
        Closes the files; weights are valid until then.

    Raises
    ------
    ModelError
        If it is damaged, in a version of ONNX that the package onnx does not know, has operators
        from outside the standard, or its weights are elsewhere than in regular files of the folder.
    """
    content = _mapped(path, stack, str(path))
    if not content:
        raise ModelError(f"{printable(str(path))} is empty")
    scan(content, path, external=True)
    light: list[memoryview | bytes] = []
    graph: list[memoryview | bytes] = []
    weights: list[Weight] = []
    files = _Folder(path.parent, stack)
    for part in fields(content):
        if part.number != _MODEL_GRAPH:
            light.append(part.raw)
            continue
        for inner in fields(part.content):
            weight = _weight(inner, files) if inner.number == _GRAPH_WEIGHT else None
            if weight is None:
                graph.append(inner.raw)
            elif weight.size < _LARGE:
                graph += weight.parts
            else:
                weights.append(weight)
    body = b"".join(graph)
    light.append(tag_of(_MODEL_GRAPH, len(body)) + body)
    try:
        model = onnx.ModelProto.FromString(b"".join(light))
        readable = all(isinstance(name, str) for name in _names(model.graph))
    except (DecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{printable(str(path))} is not an ONNX file, or is damaged") from error
    if not readable:
        raise ModelError(f"{printable(str(path))} is damaged: its names are not UTF-8")
    _check_version(model)
    return Opened(model, weights)


def _names(graph: onnx.GraphProto) -> Iterator[object]:
    """Yield a graph's names, as bytes where they are not UTF-8."""
    for value in (*graph.input, *graph.output, *graph.initializer):
        yield value.name
    for node in graph.node:
        yield from (*node.input, *node.output)
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _names(inner)


def _check_version(model: onnx.ModelProto) -> None:
    opsets = [one.version for one in model.opset_import if one.domain in ("", "ai.onnx")]
    if not opsets:
        raise ModelError("it states no opset of ONNX")
    for what, version, newest in (
        ("opset", max(opsets), onnx.defs.onnx_opset_version()),
        ("IR version", model.ir_version, onnx.IR_VERSION),
    ):
        if version > newest:
            raise ModelError(
                f"it has {what} {version} of ONNX; the newest that is known is {newest}",
                hint="export it again: optimum-cli export onnx --opset 18; or update onnx",
            )


def write_graph(opened: Opened, handle: BinaryIO) -> int:
    """Write a model with its weights inside.

    Parameters
    ----------
    opened : Opened
    handle : BinaryIO
        Open for writing.

    Returns
    -------
    int
        Bytes written. More fields of a model may follow, such as `property_bytes`.

    Raises
    ------
    ModelError
        If the file would exceed 2 GiB, the most that a protobuf message holds.
    """
    top = onnx.ModelProto()
    top.CopyFrom(opened.model)
    top.ClearField("graph")
    graph = opened.model.graph.SerializeToString()
    size = len(graph) + sum(weight.size for weight in opened.weights)
    start = top.SerializeToString() + tag_of(_MODEL_GRAPH, size) + graph
    total = len(start) + size - len(graph)
    if total > MAX_BYTES:
        raise ModelError(
            f"the model has {total / 2**30:.1f} GiB with its weights: an ONNX file holds less than "
            "2 GiB",
            hint="publish or convert it with float16 weights, or adopt a smaller model",
        )
    handle.write(start)
    for weight in opened.weights:
        for part in weight.parts:
            handle.write(part)
    return total


def property_bytes(key: str, value: str) -> bytes:
    """Return a property of a model as the bytes of its field."""
    entry: bytes = onnx.StringStringEntryProto(key=key, value=value).SerializeToString()
    return tag_of(_MODEL_PROPERTY, len(entry)) + entry


class _Folder:
    """The files of external data in a model's folder, each mapped once."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._mapped: dict[str, memoryview] = {}

    def content(self, location: str, name: str) -> memoryview:
        """Return the bytes of a file, which has to be a regular one of the folder."""
        if location in self._mapped:
            return self._mapped[location]
        what = f"the weight {printable(name):.60} is in the file {printable(location):.100}"
        parts = PurePosixPath(location).parts
        plain = location and "\\" not in location and ":" not in location and "\0" not in location
        if not plain or location.startswith("/") or ".." in parts or len(parts) > 8:
            raise ModelError(f"{what}, which is not a file of the model's folder")
        if len(self._mapped) >= _MOST_FILES:
            raise ModelError(f"weights are in more than {_MOST_FILES:,} files")
        path = self._folder
        for part in parts:
            path /= part
            if path.is_symlink():
                raise ModelError(
                    f"{what}, which is a link",
                    hint="copy the folder with the files that its links name: cp -rL",
                )
        self._mapped[location] = _mapped(path, self._stack, what)
        return self._mapped[location]


def _weight(part: Field, files: _Folder) -> Weight | None:
    """Return a weight whose bytes stay in their file; None for one to keep as it is."""
    inner = list(fields(part.content))
    external = [one for one in inner if one.number == _TENSOR_EXTERNAL]
    name = next((bytes(one.content) for one in inner if one.number == _TENSOR_NAME), b"")
    text = name.decode("utf-8", "backslashreplace")
    located = any(one.number == _TENSOR_LOCATION and one.value == 1 for one in inner)
    if not external and not located:
        return Weight(text, [part.raw]) if len(part.raw) >= _LARGE else None
    dropped = (_TENSOR_EXTERNAL, _TENSOR_LOCATION, _TENSOR_RAW)
    light = b"".join(one.raw for one in inner if one.number not in dropped)
    found = _external(onnx.TensorProto.FromString(light), part, text, files)
    head = light + tag_of(_TENSOR_RAW, len(found))
    return Weight(text, [tag_of(_GRAPH_WEIGHT, len(head) + len(found)) + head, found])


def _external(tensor: onnx.TensorProto, part: Field, name: str, files: _Folder) -> memoryview:
    """Return the bytes of a tensor that is kept in another file."""
    whole = onnx.TensorProto.FromString(bytes(part.content))
    entries = {one.key: one.value for one in whole.external_data}
    content = files.content(entries.get("location", ""), name)
    try:
        kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
        size = kind.itemsize
        for dimension in tensor.dims:
            size *= dimension
        offset = int(entries.get("offset", "0"))
        length = int(entries.get("length", str(size)))
    except (KeyError, ValueError, TypeError) as error:
        raise ModelError(f"the weight {printable(name):.60} says nothing usable of its file") from (
            error
        )
    if offset < 0 or length != size or size < 0 or offset + length > len(content):
        raise ModelError(
            f"the weight {printable(name):.60} should have {size} bytes from byte {offset} of a "
            f"file of {len(content)} bytes"
        )
    return content[offset : offset + length]


def _mapped(path: Path, stack: ExitStack, what: str) -> memoryview:
    """Map a regular file; an empty one is no bytes."""
    shown = printable(what)
    try:
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        handle = os.fdopen(os.open(path, flags), "rb")  # a FIFO is not waited for
        stack.callback(handle.close)
        status = os.fstat(handle.fileno())
        if not S_ISREG(status.st_mode):
            raise ModelError(f"{shown}: not a regular file")
        if not status.st_size:
            return memoryview(b"")
        content = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise ModelError(f"{shown}: cannot be read: {getattr(error, 'strerror', error)}") from error
    stack.callback(_close, content)
    return memoryview(content)


def _close(content: mmap.mmap) -> None:
    try:
        content.close()
    except BufferError:  # a view of it is still known; it goes with that
        return
