"""Messages between a run and its workers, through pipes.

A message is ``<II`` (two little-endian lengths in bytes), then a JSON header, then a payload of
raw bytes; nothing is pickled.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any, BinaryIO, NamedTuple

__all__ = ["Message", "ProtocolError", "Reading", "receive", "send", "to_bytes", "to_path"]

_LENGTHS = struct.Struct("<II")
_MAX_HEADER = 1 << 20
_MAX_PAYLOAD = 1 << 30
_encode = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make one each time


@dataclass(frozen=True, slots=True)
class Reading:
    """How a worker reads clips, whatever the model.

    Parameters
    ----------
    by_content : bool, default False
        Identify files by their bytes instead of by path, size and time (see
        `emotool.inputs.identity.file_identity`).
    hop_s : float, optional
        Seconds from one window's start to the next's, above 0; the window's length if not
        given, or if it is longer.

    Raises
    ------
    ValueError
        If the hop is out of its range.
    """

    by_content: bool = False
    hop_s: float | None = None

    def __post_init__(self) -> None:
        if self.hop_s is not None and not self.hop_s > 0:  # nor NaN
            raise ValueError(f"hop_s takes seconds above 0, not {self.hop_s}")


class Message(NamedTuple):
    """One message: a JSON header and raw bytes."""

    header: dict[str, Any]
    payload: bytearray


class ProtocolError(Exception):
    """The pipe holds an invalid message."""


def to_bytes(path: str) -> bytes:
    """Write a path as bytes that `to_path` reads back, whatever the file system's encoding.

    That may not know what a member of an archive is called, which is no file's name.
    """
    return path.encode("utf-8", "surrogatepass")


def to_path(content: bytes | bytearray) -> str:
    """Read a path that `to_bytes` has written."""
    return content.decode("utf-8", "surrogatepass")


def send(stream: BinaryIO, header: Mapping[str, object], payload: bytes | memoryview = b"") -> None:
    """Write one message and flush it."""
    encoded = _encode(header).encode("ascii")
    stream.write(_LENGTHS.pack(len(encoded), len(payload)) + encoded)
    if payload:
        stream.write(payload)
    stream.flush()


def receive(stream: BufferedIOBase) -> Message | None:
    """Read one message; None at the end of the stream.

    Raises
    ------
    ProtocolError
        If the stream ends within a message, or holds something else.
    """
    first = stream.read(_LENGTHS.size)
    if not first:
        return None
    if len(first) < _LENGTHS.size:
        raise ProtocolError("ended within a message's lengths")
    header_length, payload_length = _LENGTHS.unpack(first)
    if header_length > _MAX_HEADER or payload_length > _MAX_PAYLOAD:
        raise ProtocolError("a message that is too long")
    try:
        header = json.loads(_read_exactly(stream, header_length))
    except ValueError as error:
        raise ProtocolError("a header that is not JSON") from error
    if not isinstance(header, dict):
        raise ProtocolError("a header that is not a JSON object")
    return Message(header, _read_exactly(stream, payload_length))


def _read_exactly(stream: BufferedIOBase, length: int) -> bytearray:
    buffer = bytearray(length)
    view = memoryview(buffer)
    filled = 0
    while filled < length:
        count = stream.readinto(view[filled:])
        if not count:
            raise ProtocolError("ended within a message")
        filled += count
    return buffer
