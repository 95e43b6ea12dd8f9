"""One row of results and how its values are written, for every format the same.

Formats differ in syntax only: what a column is called, how many decimals a probability has
and how flags are joined is decided here. The schema is documented in ``docs/schema.md``.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple

__all__ = [
    "DOUBTS",
    "PROBABILITY_DECIMALS",
    "SCHEMA",
    "STATUSES",
    "UNCERTAIN",
    "ClipResult",
    "Segment",
    "Status",
    "cells",
    "columns",
    "decimal",
    "doubted",
    "path_bytes",
    "path_text",
    "record",
    "values",
]

SCHEMA: Final = "emotool.results/1"
"""Name and version of the schema; the version grows when a column changes its meaning."""

Status = Literal["ok", "silent", "too_short", "failed"]
STATUSES: Final[tuple[Status, ...]] = ("ok", "silent", "too_short", "failed")

UNCERTAIN: Final = "uncertain"
"""Stands for the label of a clip that the model is not sure enough of."""

DOUBTS: Final = ("speechless", "clipped", "narrow_band", "noisy")
"""Flags of clips that are not the kind of sound that models have learnt from."""

PROBABILITY_DECIMALS: Final = 6
_DURATION_DECIMALS: Final = 3
_TIME_DECIMALS: Final = 6  # a sample at 16 kHz lasts 0.0000625 s


class Segment(NamedTuple):
    """What a model said of one window of a clip.

    Parameters
    ----------
    start_s, end_s : float
        Where it lies, in seconds from the start of the file.
    probabilities : tuple of float
        One per label in the model's order, 0 to 1.
    embedding : bytes
        As a clip's; empty unless asked for.
    """

    start_s: float
    end_s: float
    probabilities: tuple[float, ...]
    embedding: bytes = b""


@dataclass(frozen=True, slots=True)
class ClipResult:
    """What is known of one clip: a label with its probabilities, or why there is none.

    Parameters
    ----------
    index : int
        The clip's place among the inputs, from 0.
    shown : str
        Its path as typed, joined with the path below it by ``/``; undecodable bytes as
        surrogate escapes (PEP 383).
    status : {"ok", "silent", "too_short", "failed"}
        Whether it was labelled, and if not, why.
    model : str
        Name of the model.
    label : str, optional
        The most probable label; empty unless ``ok``.
    confidence : float or None
        That label's probability, 0 to 1.
    probabilities : tuple of float
        One per label in the model's order, 0 to 1; empty unless ``ok``.
    duration_s : float or None
        Length of the decoded sound in seconds; None if it could not be decoded.
    flags : tuple of str
        What else to know about it: any of `DOUBTS`, and ``long``.
    stage : str
        Where it failed (``open``, ``decode``, …); empty unless ``failed``.
    error : str
        Why it has no label; empty if ``ok``.
    segments : tuple of Segment
        Its windows, if they were asked for.
    span : (float, float) or None
        What part of the clip the row is about, in seconds; None for the whole clip.
    embedding : bytes
        Mean over the windows of what the model's last layer but one says, float32,
        little-endian; empty unless ``ok`` and asked for. Bytes, since a row is compared and
        kept by the hundred thousand, and its numbers are nobody's before they are written.
    """

    index: int
    shown: str
    status: Status
    model: str = ""
    label: str = ""
    confidence: float | None = None
    probabilities: tuple[float, ...] = ()
    duration_s: float | None = None
    flags: tuple[str, ...] = ()
    stage: str = ""
    error: str = ""
    segments: tuple[Segment, ...] = ()
    span: tuple[float, float] | None = None
    embedding: bytes = b""


def doubted(result: ClipResult, min_confidence: float) -> ClipResult:
    """Call a clip uncertain whose confidence is too low; its probabilities stay.

    Parameters
    ----------
    result : ClipResult
    min_confidence : float
        What its label needs at least, 0 … 1.

    Examples
    --------
    >>> row = ClipResult(0, "a.wav", "ok", "cnn", "sad", 0.6, (0.4, 0.6))
    >>> doubted(row, 0.7).label, doubted(row, 0.6).label
    ('uncertain', 'sad')
    """
    if result.confidence is None or result.confidence >= min_confidence:
        return result
    return replace(result, label=UNCERTAIN)


def columns(labels: Sequence[str], *, spans: bool = False) -> tuple[str, ...]:
    """Name the columns of a table of results, with ``spans`` of a table of segments.

    Examples
    --------
    >>> columns(["happy", "sad"])[:5]
    ('path', 'status', 'label', 'confidence', 'p_happy')
    >>> columns(["happy", "sad"])[5:]
    ('p_sad', 'duration_s', 'flags', 'model', 'error')
    """
    return (
        "path",
        "status",
        "label",
        "confidence",
        *(f"p_{label}" for label in labels),
        "duration_s",
        *(("start_s", "end_s") if spans else ()),
        "flags",
        "model",
        "error",
    )


def cells(result: ClipResult, n_labels: int, *, spans: bool = False) -> list[str]:
    r"""Write a result as text, one cell per column; an absent value is an empty cell.

    Parameters
    ----------
    result : ClipResult
        The row.
    n_labels : int
        How many ``p_`` columns there are; those of a clip without a label stay empty.
    spans : bool
        Whether there are columns for the span.

    Examples
    --------
    >>> cells(ClipResult(0, "a.wav", "ok", "cnn", "sad", 0.75, (0.25, 0.75), 2.5), 2)
    ['a.wav', 'ok', 'sad', '0.750000', '0.250000', '0.750000', '2.500', '', 'cnn', '']
    >>> cells(ClipResult(1, "b.wav", "failed", "cnn", stage="decode", error="no sound"), 2)
    ['b.wav', 'failed', '', '', '', '', '', '', 'cnn', 'decode: no sound']
    """
    probabilities = [decimal(p, PROBABILITY_DECIMALS) for p in result.probabilities]
    if probabilities and len(probabilities) != n_labels:
        raise ValueError(f"{len(probabilities)} probabilities for {n_labels} labels")
    return [
        path_text(result.shown),
        result.status,
        result.label,
        decimal(result.confidence, PROBABILITY_DECIMALS),
        *(probabilities or [""] * n_labels),
        decimal(result.duration_s, _DURATION_DECIMALS),
        *([decimal(time, _TIME_DECIMALS) for time in _times(result)] if spans else ()),
        ";".join(result.flags),
        result.model,
        path_text(f"{result.stage}: {result.error}" if result.stage else result.error),
    ]


def values(result: ClipResult, n_labels: int, *, spans: bool = False) -> list[Any]:
    """Write a result as typed values, one per column; an absent value is ``None``.

    Numbers are rounded as in `cells`; ``flags`` is a list.

    Parameters
    ----------
    result : ClipResult
        The row.
    n_labels : int
        How many ``p_`` columns there are.
    spans : bool
        Whether there are columns for the span.

    Examples
    --------
    >>> values(ClipResult(0, "a.wav", "ok", "cnn", "sad", 0.75, (0.25, 0.75), 2.5), 2)
    ['a.wav', 'ok', 'sad', 0.75, 0.25, 0.75, 2.5, [], 'cnn', None]
    """
    probabilities = [_rounded(p, PROBABILITY_DECIMALS) for p in result.probabilities]
    if probabilities and len(probabilities) != n_labels:
        raise ValueError(f"{len(probabilities)} probabilities for {n_labels} labels")
    error = f"{result.stage}: {result.error}" if result.stage else result.error
    return [
        path_text(result.shown),
        result.status,
        result.label or None,
        _rounded(result.confidence, PROBABILITY_DECIMALS),
        *(probabilities or [None] * n_labels),
        _rounded(result.duration_s, _DURATION_DECIMALS),
        *([_rounded(time, _TIME_DECIMALS) for time in _times(result)] if spans else ()),
        list(result.flags),
        result.model,
        path_text(error) or None,
    ]


def record(result: ClipResult, labels: Sequence[str], *, spans: bool = False) -> dict[str, object]:
    """Write a result as an object for JSON; an absent value is ``None``.

    ``start_s`` and ``end_s`` are there with ``spans``. ``path_bytes``, the path's bytes in
    base64, is there only if ``path`` cannot say them all.

    Examples
    --------
    >>> row = record(ClipResult(0, "a.wav", "ok", "cnn", "sad", 0.75, (0.25, 0.75), 2.5), "hs")
    >>> row["probabilities"], row["duration_s"], row["error"]
    ({'h': 0.25, 's': 0.75}, 2.5, None)
    """
    raw = path_bytes(result.shown)
    return {
        "path": path_text(result.shown),
        **({} if raw is None else {"path_bytes": raw}),
        "status": result.status,
        "label": result.label or None,
        "confidence": _rounded(result.confidence, PROBABILITY_DECIMALS),
        "probabilities": {
            label: _rounded(p, PROBABILITY_DECIMALS)
            for label, p in zip(labels, result.probabilities, strict=True)
        }
        if result.probabilities
        else None,
        "duration_s": _rounded(result.duration_s, _DURATION_DECIMALS),
        **(_named_times(result) if spans else {}),
        "flags": list(result.flags),
        "model": result.model,
        "stage": result.stage or None,
        "error": path_text(result.error) or None,
    }


def _times(result: ClipResult) -> tuple[float | None, float | None]:
    return (None, None) if result.span is None else result.span


def _named_times(result: ClipResult) -> dict[str, float | None]:
    times = (_rounded(time, _TIME_DECIMALS) for time in _times(result))
    return dict(zip(("start_s", "end_s"), times, strict=True))


def decimal(value: float | None, decimals: int) -> str:
    """Write a number with fixed decimals; None becomes an empty cell."""
    return "" if value is None else f"{value:.{decimals}f}"


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


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals)
