"""The encodings in which editors and spreadsheets save tables."""

import codecs
from pathlib import Path
from typing import Final

from emotool.errors import InputError

__all__ = ["encoding_of", "read_text"]

_SNIFFED_BYTES: Final = 16  # of the header: the rows can be in any script


def read_text(path: str, what: str) -> str:
    r"""Read a file as UTF-8 or UTF-16, with or without a byte-order mark.

    Parameters
    ----------
    path : str
        The file.
    what : str
        What messages call it.

    Returns
    -------
    str
        With the line breaks that it has, without a byte-order mark.

    Raises
    ------
    InputError
        If the file cannot be read or is no such text.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write("path\r\na.wav\r\n".encode("utf-16"))
    ...     file.flush()
    ...     read_text(file.name, "the table")
    'path\r\na.wav\r\n'
    """
    try:
        content = Path(path).read_bytes()
        return content.decode(encoding_of(content)).removeprefix("\ufeff")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        hint = "" if isinstance(error, OSError) else "save it as CSV UTF-8"
        raise InputError(f"cannot read {what}: {reason}", hint=hint) from error


def encoding_of(content: bytes) -> str:
    r"""Recognise UTF-16 by its mark, or by the zero bytes of a beginning in Latin letters.

    Examples
    --------
    >>> encoding_of(b"p\0a\0t\0h\0"), encoding_of(b"path")
    ('utf-16-le', 'utf-8')
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    first, second = content[:_SNIFFED_BYTES:2], content[1:_SNIFFED_BYTES:2]
    for encoding, high, low in (("utf-16-le", second, first), ("utf-16-be", first, second)):
        if high.count(0) * 2 > len(high) and not low.count(0):
            return encoding
    return "utf-8"
