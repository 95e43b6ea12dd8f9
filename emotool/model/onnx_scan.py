"""A look at an ONNX file's bytes before anything is made of them.

Model files are untrusted. ONNX Runtime would open whatever other file a tensor names as
its *external data*, and run operators from libraries registered under other domains. So the
file is read here first: the protobuf wire format is simple enough to walk without the `onnx`
package, which the light installation does not have. Weights are stepped over by their length,
so a walk takes milliseconds whatever they weigh.

Field numbers are those of ``onnx.proto`` (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto);
the wire format is at https://protobuf.dev/programming-guides/encoding/.
"""

import contextlib
import hashlib
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, Final

from emotool.errors import ModelError, ModelNotFoundError
from emotool.model.onnx_wire import Field, fields
from emotool.text import printable

__all__ = ["LARGE_BYTES", "MAX_BYTES", "Field", "OnnxFile", "fields", "read_onnx", "scan"]

MAX_BYTES: Final = 2**31 - 1  # what a protobuf message can hold
LARGE_BYTES: Final = 1 << 26
MAX_DEPTH: Final = 32  # of graphs within nodes within graphs
MAX_FIELDS: Final = 2_000_000  # a hundred times what large models have; a second to walk

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
    """An ONNX file that holds nothing but standard operators and its own weights.

    Parameters
    ----------
    path : Path
        Where it is.
    content : bytes or None
        The whole file; None if it is large: ONNX Runtime then reads it from its path, which takes
        a third of the memory.
    properties : dict of str to str
        Its ``metadata_props``.
    size : int
        In bytes.
    seen : tuple of int
        By which a file that was changed meanwhile is found.
    """

    path: Path
    content: bytes | None
    properties: dict[str, str]
    size: int
    seen: tuple[int, ...]

    def whole(self) -> bytes:
        """Return all bytes, also of a large file."""
        return self.path.read_bytes() if self.content is None else self.content

    def sha256(self) -> str:
        """Return the hash of the whole file, hexadecimal."""
        if self.content is not None:
            return hashlib.sha256(self.content).hexdigest()
        with self.path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()

    def check_unchanged(self) -> None:
        """Refuse a large file that is another than the one that was looked through.

        Raises
        ------
        ModelError
            If it is.
        """
        if self.content is None and _seen(self.path.stat()) != self.seen:
            raise ModelError("it was changed while it was loaded")


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
    with _opened(path) as (handle, status):
        seen = _seen(status)
        if status.st_size > LARGE_BYTES:
            with mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                view = memoryview(mapped)
                try:
                    return OnnxFile(path, None, scan(view, path), status.st_size, seen)
                finally:
                    view.release()
        content = _read(handle, status, path)
    return OnnxFile(path, content, scan(memoryview(content), path), len(content), seen)


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


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, os.stat_result]]:
    """Open a regular file; ModelError, here or in the block, if it cannot be read."""
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
            yield handle, status
    except MemoryError as error:
        raise ModelError(
            f"there is not enough memory to read {shown} ({status.st_size / 1e6:,.1f} MB)"
        ) from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelNotFoundError(f"there is no model file {shown}") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read {shown}: {getattr(error, 'strerror', error)}") from error


def _read(handle: BinaryIO, status: os.stat_result, path: Path) -> bytes:
    # One byte more than there was: a file that grows is seen to, and no memory reserved.
    content = handle.read(status.st_size + 1)
    if not content:
        raise ModelError(f"{printable(str(path))} is not an ONNX file: it is empty")
    if len(content) > status.st_size:
        raise ModelError(f"{printable(str(path))} is refused: it grew while it was read")
    return content


def _seen(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


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
