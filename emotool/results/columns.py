"""How a row's values are written, for every format the same.

Formats differ in syntax only: how many decimals a probability has and how flags are joined is
decided here. The schema is documented in ``docs/schema.md``.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from emotool.results.row import ClipResult

__all__ = [
    "PROBABILITY_DECIMALS",
    "Kept",
    "TopLabels",
    "cells",
    "decimal",
    "path_bytes",
    "path_text",
    "record",
    "values",
]


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


_PREFIX: Final = "manifest_"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a manifest says about its clips, as text.

    Parameters
    ----------
    names : sequence of str
        Its columns, each once; none if there is no manifest.
    rows : sequence of sequence of str
        Row ``i`` is about the clip whose ``index`` is ``i``.
    """

    names: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()

    def columns(self, before: Sequence[str]) -> tuple[str, ...]:
        """Name the columns as they come after those of the results.

        One that is called like a column of the results gets ``manifest_`` in front, until no
        other has that name.

        Examples
        --------
        >>> Kept(("file", "label", "manifest_label")).columns(["path", "label"])
        ('file', 'manifest_manifest_label', 'manifest_label')
        """
        taken = {*before, *self.names}
        found = []
        for name in self.names:
            if name in before:
                while name in taken:
                    name = _PREFIX + name
                taken.add(name)
            found.append(name)
        return tuple(found)

    def cells(self, result: ClipResult) -> list[str]:
        """Return a clip's cells, as many as there are names."""
        return list(self.rows[result.index]) if self.names else []

    def record(self, result: ClipResult) -> dict[str, dict[str, str]]:
        """Return what a clip's JSON object has more: ``manifest`` with a text per column.

        Examples
        --------
        >>> Kept(("file", "age"), [("a.wav", "42")]).record(ClipResult(0, "a.wav", "silent"))
        {'manifest': {'file': 'a.wav', 'age': '42'}}
        >>> Kept().record(ClipResult(0, "a.wav", "silent"))
        {}
        """
        if not self.names:
            return {}
        return {"manifest": dict(zip(self.names, self.rows[result.index], strict=True))}


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


class TopLabels:
    """Ranks a clip's labels, the most probable first.

    Parameters
    ----------
    labels : sequence of str
        The model's labels.
    wanted : int
        How many, 0 or more; a model with fewer labels gives all it has.

    Attributes
    ----------
    columns : tuple of str
        ``top_1``, ``top_1_p``, ``top_2``, … No label's ``p_`` column can be called so.

    Examples
    --------
    >>> top = TopLabels(["calm", "happy", "sad"], 2)
    >>> top.columns
    ('top_1', 'top_1_p', 'top_2', 'top_2_p')
    >>> top.ranked(ClipResult(0, "a.wav", "ok", "cnn", "sad", 0.7, (0.1, 0.2, 0.7)))
    [('sad', 0.7), ('happy', 0.2)]
    """

    def __init__(self, labels: Sequence[str], wanted: int) -> None:
        self._labels = tuple(labels)
        self._places = range(min(wanted, len(self._labels)))
        self.columns = tuple(
            name for place in self._places for name in (f"top_{place + 1}", f"top_{place + 1}_p")
        )

    def ranked(self, result: ClipResult) -> list[tuple[str, float]]:
        """Return labels and their rounded probabilities; nothing for a clip without a label.

        Of equally probable labels the model's first goes first, as for ``label``.
        """
        if not self._places or not result.probabilities:
            return []
        pairs = zip(self._labels, result.probabilities, strict=True)
        ranked = sorted(pairs, key=lambda pair: -pair[1])  # stable; by what is not yet rounded
        return [
            (label, round(share, PROBABILITY_DECIMALS))
            for label, share in ranked[: len(self._places)]
        ]

    def values(self, result: ClipResult) -> list[Any]:
        """Return typed values, one per column of `columns`; absent ones are ``None``."""
        ranked = self.ranked(result)
        return [value for pair in ranked for value in pair] or [None] * len(self.columns)

    def record(self, result: ClipResult) -> dict[str, Any]:
        """Return what an object for JSON has more: ``top``, if it was asked for."""
        if not self._places:
            return {}
        ranked = [{"label": label, "probability": share} for label, share in self.ranked(result)]
        return {"top": ranked or None}
