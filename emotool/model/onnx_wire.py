"""The wire format of protobuf messages, which ONNX files are: fields with numbers.

It is simple enough to walk without the `onnx` package, which the light installation does not have.
The format is at https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Field", "fields"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


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
