"""Paths as text: not every byte of a file's name is a character."""

import base64

__all__ = ["path_bytes", "path_text"]


def path_text(shown: str) -> str:
    r"""Write a path as Unicode text: bytes that are none become ``\xNN``, the rest stays.

    Examples
    --------
    >>> print(path_text("caf\udce9.wav"))
    caf\xe9.wav
    """
    try:
        shown.encode()
    except UnicodeEncodeError:
        return "".join(_plain(character) for character in shown)
    return shown


def path_bytes(shown: str) -> str | None:
    r"""Write a path's bytes in base64 if `path_text` cannot say them all, else None.

    Examples
    --------
    >>> path_bytes("plain.wav") is None
    True
    >>> base64.b64decode(path_bytes("caf\udce9.wav"))
    b'caf\xe9.wav'
    """
    try:
        shown.encode()
    except UnicodeEncodeError:
        return base64.b64encode(shown.encode("utf-8", "surrogateescape")).decode("ascii")
    return None


def _plain(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # PEP 383: an undecodable byte
        return f"\\x{code - 0xDC00:02x}"
    if 0xD800 <= code <= 0xDFFF:  # a lone surrogate, as Windows allows in names
        return f"\\u{code:04x}"
    return character
