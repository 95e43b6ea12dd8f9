"""How a row's values are written, for every format the same.

Formats differ in syntax only: how many decimals a probability has and how flags are joined is
decided here. The schema is documented in ``docs/schema.md``.
"""

from collections.abc import Sequence
from typing import Any, Final

from emotool.results.path_text import path_bytes, path_text
from emotool.results.row import ClipResult

__all__ = ["PROBABILITY_DECIMALS", "cells", "decimal", "record", "values"]

PROBABILITY_DECIMALS: Final = 6
_DURATION_DECIMALS: Final = 3
_TIME_DECIMALS: Final = 6  # a sample at 16 kHz lasts 0.0000625 s


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


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals)
