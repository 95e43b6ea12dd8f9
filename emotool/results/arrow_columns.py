"""Columns for Parquet, made from Python's values without pandas (extra ``parquet``).

`pyarrow.array` imports pandas wherever it is installed, to see whether what it was given is of
pandas: a quarter of a second for every table, however small. Builders and buffers do not.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["flags", "float32s", "numbers", "text_lists", "texts"]


def texts(values: Sequence[str | None]) -> Any:
    """Make a column of strings.

    Examples
    --------
    >>> texts(["a", None]).to_pylist()
    ['a', None]
    """
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()


def text_lists(values: Sequence[Sequence[str]]) -> Any:
    """Make a column of lists of strings.

    Examples
    --------
    >>> text_lists([["a", "b"], []]).to_pylist()
    [['a', 'b'], []]
    """
    ends = np.cumsum([0, *map(len, values)]).astype("<i4")  # [rows + 1]
    offsets = pa.Array.from_buffers(pa.int32(), len(ends), [None, pa.py_buffer(ends)])
    return pa.ListArray.from_arrays(offsets, texts([text for row in values for text in row]))


def numbers(values: Sequence[float | None]) -> Any:
    """Make a column of numbers of 64 bits.

    Examples
    --------
    >>> numbers([0.5, None]).to_pylist()
    [0.5, None]
    """
    there = _bits([value is not None for value in values])
    content = np.array([0.0 if value is None else value for value in values], "<f8")  # [rows]
    return pa.Array.from_buffers(pa.float64(), len(values), [there, pa.py_buffer(content)])


def float32s(content: bytes) -> Any:
    """Make an array of numbers of 32 bits, little-endian, without a copy.

    Examples
    --------
    >>> float32s(bytes([0, 0, 128, 63])).to_pylist()
    [1.0]
    """
    return pa.Array.from_buffers(pa.float32(), len(content) // 4, [None, pa.py_buffer(content)])


def flags(values: Sequence[bool]) -> Any:
    """Make an array of truth values.

    Examples
    --------
    >>> flags([True, False]).to_pylist()
    [True, False]
    """
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, _bits(values)])


def _bits(values: Sequence[bool]) -> Any:
    return pa.py_buffer(np.packbits(np.array(values, bool), bitorder="little"))
