"""A look at an ONNX file's bytes before anything is made of them.

Model files are untrusted. ONNX Runtime would open whatever other file a tensor names as
its *external data*, and run operators from libraries registered under other domains. So the
file is read here first: the protobuf wire format is simple enough to walk without the `onnx`
package, which the light installation does not have. Weights are stepped over by their length,
so a walk takes milliseconds whatever they weigh.

Field numbers are those of ``onnx.proto`` (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto);
the wire format is at https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Final, NamedTuple

from emotool.errors import ModelError, ModelNotFoundError
from emotool.text import printable

__all__ = ["MAX_BYTES", "Field", "OnnxFile", "fields", "read_onnx", "scan"]

MAX_BYTES: Final = 2**31 - 1  # what a protobuf message can hold
MAX_DEPTH: Final = 32  # of graphs within nodes within graphs
MAX_FIELDS: Final = 2_000_000  # a hundred times what large models have; a second to walk
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

# Which fields of a message are messages to walk into: {message: {field number: message}}.
_CHILDREN: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph", 14: "property"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
    "property": {},
}
# Fields that nothing may be in, with what is then wrong.
_EXTERNAL: Final = "it keeps weights in another file (external data)"
_REFUSED: Final = {
    ("model", 20): "it holds training steps, which no classifier needs",
    ("model", 25): "it defines operators of its own (local functions)",
    ("tensor", 13): _EXTERNAL,
}
_DATA_LOCATION: Final = ("tensor", 14)
_OPERATOR: Final = (("node", 4), ("node", 7))  # its name, and its domain
_WEIGHT_DEPTH: Final = 2  # a weight of the graph, which is a part of the model
_STANDARD_DOMAINS: Final = {b"", b"ai.onnx"}

# How other things begin that people mistake for a model.
_MISTAKEN: Final = (
    (b"\x89HDF\r\n\x1a\n", "it is an HDF5 file, as Keras saves weights"),
    (b"PK\x03\x04", "it is a zip archive, as Keras and PyTorch save models"),
    (b"\x80", "it looks like a pickle, which emotool never opens"),
    (
        b"version https://git-lfs",
        "it is a Git-LFS pointer: get the file itself with `git lfs pull`",
    ),
)


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """The bytes of an ONNX file that holds nothing but standard operators and its own weights.

    Parameters
    ----------
    content : bytes
        The whole file.
    properties : dict of str to str
        Its ``metadata_props``.
    """

    content: bytes
    properties: dict[str, str]


def read_onnx(path: Path) -> OnnxFile:
    """Read an ONNX file and refuse what an emotool model has no need of.

    Parameters
    ----------
    path : Path
        A regular file of at most 2 GiB.

    Raises
    ------
    ModelNotFoundError
        If there is no such file.
    ModelError
        If it is no ONNX file, is too large, keeps tensors in other files, or uses operators
        from outside the ONNX standard (custom domains, local functions, training steps).
    """
    content = _read(path)
    return OnnxFile(content, scan(memoryview(content), path))


def scan(content: memoryview, path: Path, *, external: bool = False) -> dict[str, str]:
    """Walk through the bytes of an ONNX file and refuse what an emotool model has no need of.

    Parameters
    ----------
    content : memoryview
        All bytes of the file.
    path : Path
        The file, for messages.
    external : bool, default False
        Accept weights of the graph that are in other files. Nothing may load these unchecked.

    Returns
    -------
    dict of str to str
        The file's ``metadata_props``.

    Raises
    ------
    ModelError
        As `read_onnx`.
    """
    walked = _Scan(external=external)
    try:
        walked.walk(content, "model")
    except _RefusedError as error:
        raise ModelError(f"{printable(str(path))} is refused: {error}", hint=error.hint) from error
    except (IndexError, UnicodeDecodeError) as error:
        begins = bytes(content[:64])
        why = next((why for start, why in _MISTAKEN if begins.startswith(start)), "")
        raise ModelError(
            f"{printable(str(path))} is not an ONNX file, or is damaged{': ' if why else ''}{why}"
        ) from error
    return walked.properties


class _RefusedError(Exception):
    """The file is ONNX, but not of the kind that is loaded."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


def _read(path: Path) -> bytes:
    shown = printable(str(path))
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise ModelError(f"{shown} is not a model: it is not a regular file")
        if status.st_size > MAX_BYTES:
            size = status.st_size / 2**30
            raise ModelError(
                f"{shown} is refused: it has {size:.1f} GiB, more than an ONNX file can"
            )
        with path.open("rb") as handle:
            # One byte more than there was: a file that grows is seen to, and no memory reserved.
            content = handle.read(status.st_size + 1)
    except MemoryError as error:
        raise ModelError(
            f"there is not enough memory to read {shown} ({status.st_size / 1e6:,.1f} MB)"
        ) from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelNotFoundError(f"there is no model file {shown}") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read {shown}: {getattr(error, 'strerror', error)}") from error
    if not content:
        raise ModelError(f"{shown} is not an ONNX file: it is empty")
    if len(content) > status.st_size:
        raise ModelError(f"{shown} is refused: it grew while it was read")
    return content


class _Scan:
    """One walk over a model's messages."""

    def __init__(self, *, external: bool) -> None:
        self.properties: dict[str, str] = {}
        self._external = external
        self._fields_left = MAX_FIELDS

    def walk(self, data: memoryview, message: str, depth: int = 0) -> None:
        """Refuse what must not be in a message, and walk into its parts."""
        if depth > 3 * MAX_DEPTH:  # a node, its attribute and that's graph are one level
            raise _RefusedError(f"graphs are nested more than {MAX_DEPTH} deep")
        texts: dict[int, bytes] = {}
        tolerated = self._external and depth == _WEIGHT_DEPTH
        for number, value, _ in fields(data):
            self._fields_left -= 1
            if self._fields_left < 0:
                raise _RefusedError("it has too many fields")
            field = (message, number)
            child = _CHILDREN[message].get(number)
            if field in _REFUSED and not (tolerated and field[0] == "tensor"):
                raise _RefusedError(_REFUSED[field])
            if field == _DATA_LOCATION and value != 0 and not tolerated:
                raise _RefusedError(_EXTERNAL)
            if isinstance(value, int):
                continue
            if child is not None:
                self.walk(value, child, depth + 1)
            elif message == "property" or field in _OPERATOR:
                texts[number] = bytes(value)
        if message == "node":
            _check_domain(*(texts.get(number, b"") for _, number in _OPERATOR))
        if message == "property":
            self.properties[texts.get(1, b"").decode()] = texts.get(2, b"").decode()


def _check_domain(operator: bytes, domain: bytes) -> None:
    if domain not in _STANDARD_DOMAINS:
        where, name = (
            printable(text.decode("utf-8", "backslashreplace")) for text in (domain, operator)
        )
        raise _RefusedError(
            f"it uses operators from outside the ONNX standard ({where:.60}.{name:.60})",
            hint="export it again with standard operators only: opset 17 or later, and without the "
            "optimisation of a runtime (optimum-cli export onnx --opset 18, no --optimize)",
        )


class Field(NamedTuple):
    """A field of a message: its number, its value, and all its bytes."""

    number: int
    value: int | memoryview
    raw: memoryview

    @property
    def content(self) -> memoryview:
        """The value of a field that has a length; nothing for a number."""
        return memoryview(b"") if isinstance(self.value, int) else self.value


def fields(data: memoryview) -> Iterator[Field]:
    """Yield a message's fields.

    Raises
    ------
    IndexError
        Where it is malformed.
    """
    position = 0
    while position < len(data):
        start = position
        tag, position = _varint(data, position)
        number, kind = tag >> 3, tag & 7
        if not 0 < number < 2**29:
            raise IndexError("field number")
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield Field(number, value, data[start:position])
            continue
        if kind == _BYTES:
            length, position = _varint(data, position)
        elif kind in (_FIXED32, _FIXED64):
            length = 4 if kind == _FIXED32 else 8
        else:
            raise IndexError("wire type")  # groups, which ONNX never had
        if length > len(data) - position:
            raise IndexError("length")
        end = position + length
        yield Field(number, data[position:end], data[start:end])
        position = end


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[position]  # IndexError at the end of the data
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), position
    raise IndexError("varint")
