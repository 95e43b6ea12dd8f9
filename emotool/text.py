"""Untrusted names, made safe to show."""

import base64
import re
import unicodedata

__all__ = [
    "harmless",
    "path_bytes",
    "path_text",
    "printable",
    "redacted",
    "redacted_url",
    "unharmed",
]

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


# Up to a blank or a quote, and without a colon behind it: where a URL in a text ends.
_URL = re.compile(r"\b(s3|gs|az|https?)://([^\s'\"<>]*[^\s'\"<>:;,)])", re.IGNORECASE)
_WHOLE_URL = re.compile(r"(s3|gs|az|https?)://(.*)", re.IGNORECASE | re.DOTALL)
_HOST = re.compile(r"[\w.-]*(\[[0-9a-f:.]*\])?(:\d*)?", re.IGNORECASE)


def redacted(text: str) -> str:
    """Return a text without the secrets of the URLs in it.

    Examples
    --------
    >>> redacted("https://ann:word@example.org/a.wav?signature=5e: no connection")
    'https://example.org/a.wav?...: no connection'
    """
    return _URL.sub(_without_secrets, text)


def redacted_url(url: str) -> str:
    """Return a URL without its secrets, user information and query; any other text as it is.

    The keys of object storage have no query; a ``?`` is a part of them.

    Examples
    --------
    >>> redacted_url("https://example.org/a.wav?signature=5e 7f")
    'https://example.org/a.wav?...'
    >>> redacted_url("s3://bucket/why?.wav")
    's3://bucket/why?.wav'
    """
    whole = _WHOLE_URL.fullmatch(url)
    return _without_secrets(whole) if whole else url


def _without_secrets(match: re.Match[str]) -> str:
    scheme, rest = match[1], match[2]
    stored = not scheme.lower().startswith("http")
    bare = rest if stored else re.split(r"[?#]", rest, maxsplit=1)[0]
    authority, slash, path = bare.partition("/")
    host = authority.rpartition("@")[2]
    # A password that was not encoded may hold what ends the host.
    if not _HOST.fullmatch(host) or ("@" in rest.partition("/")[0] and "@" not in authority):
        return f"{scheme}://..."
    return f"{scheme}://{host}{slash}{path}{'?...' if '?' in rest and not stored else ''}"


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
