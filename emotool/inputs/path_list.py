"""Lists of paths in a file or on standard input, as ``find`` and ``ls`` write them."""

import codecs
import os
import sys
from pathlib import Path

from emotool.errors import InputError
from emotool.inputs.encoding import encoding_of
from emotool.text import printable

__all__ = ["read_paths"]

STDIN = "-"
"""Stands for standard input."""


def read_paths(source: str, *, nul: bool = False) -> list[str]:
    r"""Read a list of paths.

    Parameters
    ----------
    source : str
        A file, or ``-`` for standard input.
    nul : bool, default False
        Paths end in NUL bytes, as of ``find -print0``, rather than in line breaks: then a path
        may hold any other byte.

    Returns
    -------
    list of str
        In the order of the list, without empty ones; undecodable bytes as surrogate escapes.

    Raises
    ------
    InputError
        If the list cannot be read, or holds no path.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(b"a.wav\0b\nc.wav\0")
    ...     file.flush()
    ...     read_paths(file.name, nul=True)
    ['a.wav', 'b\nc.wav']
    """
    shown = "standard input" if source == STDIN else printable(source)
    content = _read(source, shown)
    content = content.removeprefix(codecs.BOM_UTF8)  # what some editors begin a text with
    parts = content.split(b"\0") if nul else _lines(content, shown)
    try:
        paths = [os.fsdecode(part) for part in parts if part]
    except UnicodeDecodeError as error:  # on Windows, where names are no bytes
        raise _no_text(shown, "UTF-8") from error
    if not paths:
        raise InputError(f"{shown} lists no path")
    return paths


def _lines(content: bytes, shown: str) -> list[bytes]:
    """Part a text at its line breaks; UTF-16, as PowerShell writes lists, becomes UTF-8."""
    if b"\0" in content:
        encoding = encoding_of(content)
        marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        if not marked and (encoding == "utf-8" or "\n".encode(encoding) not in content):
            raise InputError(f"{shown}: paths end in NUL bytes", hint="read it with --from0")
        try:
            # Names on Windows may hold half a pair of surrogates.
            text = content.decode(encoding, "surrogatepass")
        except UnicodeDecodeError as error:
            raise _no_text(shown, "UTF-16") from error
        content = text.encode("utf-8", "surrogatepass")
    # Old spreadsheets end lines in CR alone.
    end = b"\n" if b"\n" in content else b"\r"
    return [line.rstrip(b"\r") for line in content.split(end) if line.strip()]


def _no_text(shown: str, encoding: str) -> InputError:
    message = f"cannot read the list of paths {shown}: it is not {encoding} text"
    return InputError(message, hint="save it as UTF-8 (cmd writes that after: chcp 65001)")


def _read(source: str, shown: str) -> bytes:
    try:
        if source != STDIN:
            return Path(source).read_bytes()
        if sys.stdin is None:
            raise InputError("cannot read paths from standard input: it is closed")
        return sys.stdin.buffer.read()
    except OSError as error:
        raise InputError(f"cannot read the list of paths {shown}: {error.strerror}") from error
