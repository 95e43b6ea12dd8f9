"""Untrusted names, made safe to show."""

import base64
import unicodedata

__all__ = ["harmless", "path_bytes", "path_text", "printable", "unharmed"]

_SURROGATE_ESCAPE = range(0xDC80, 0xDD00)
"""Code points that stand for undecodable bytes 0x80..0xFF in a file name (PEP 383)."""

_JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners: Persian words and emoji families need them; they move nothing."""

# How a formula can begin; the wide forms are what Excel takes for them in Japanese.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


def harmless(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run as a formula.

    Examples
    --------
    >>> harmless("=1+1"), harmless("clip.wav")
    ("'=1+1", 'clip.wav')
    """
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def unharmed(cell: str) -> str:
    """Take the apostrophe away that `harmless` would have put there.

    A cell can have had one of its own before the same sign: that cannot be seen in it.

    Examples
    --------
    >>> unharmed("'=1+1"), unharmed("'quoted'.wav")
    ('=1+1', "'quoted'.wav")
    """
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def printable(name: str) -> str:
    r"""Return a name with everything escaped that a terminal would obey or hide.

    Control characters and undecodable bytes become ``\xNN``; bidirectional overrides, line
    separators, lone surrogates and other invisible characters ``\uNNNN``. Letters of every
    script, spaces of every width and emoji stay as they are. The result is for people: it is
    not meant to be turned back (results keep the bytes themselves where they must be lossless).

    Parameters
    ----------
    name : str
        Any text, most often a path decoded with ``surrogateescape``.

    Returns
    -------
    str
        Text without control characters that can be encoded as UTF-8.

    Examples
    --------
    >>> printable("plain name.wav")
    'plain name.wav'
    >>> print(printable("red\x1b[31m\n.wav"))
    red\x1b[31m\x0a.wav
    >>> print(printable(b"caf\xe9.wav".decode("utf-8", "surrogateescape")))
    caf\xe9.wav
    >>> print(printable("gpj\u202evaw"))
    gpj\u202evaw
    """
    if name.isprintable():
        return name
    return "".join(_escape(character) for character in name)


def _escape(character: str) -> str:
    """Return one character, or its escape when a terminal might act on it."""
    if character.isprintable() or character in _JOINERS:
        return character
    code = ord(character)
    if code in _SURROGATE_ESCAPE:
        return f"\\x{code - 0xDC00:02x}"
    if unicodedata.category(character) == "Zs":
        return character
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def path_text(shown: str) -> str:
    r"""Write a path as Unicode text: bytes that are not become ``\xNN``, the rest stays.

    Examples
    --------
    >>> print(path_text("caf\udce9.wav"))
    caf\xe9.wav
    """
    try:
        shown.encode()
    except UnicodeEncodeError:
        return "".join(_escaped(character) for character in shown)
    return shown


def path_bytes(shown: str) -> str | None:
    r"""Write a path's bytes in base64 if `path_text` cannot represent them all, else None.

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


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # PEP 383: an undecodable byte
        return f"\\x{code - 0xDC00:02x}"
    if 0xD800 <= code <= 0xDFFF:  # a lone surrogate, as Windows allows in names
        return f"\\u{code:04x}"
    return character
