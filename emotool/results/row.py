"""One row of results: what is known of a clip, and what the columns are called.

The schema is documented in ``docs/schema.md``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

__all__ = [
    "DOUBTS",
    "SCHEMA",
    "STATUSES",
    "UNCERTAIN",
    "ClipResult",
    "Segment",
    "Status",
    "columns",
    "doubted",
]

SCHEMA: Final = "emotool.results/1"
"""Name and version of the schema; the version grows when a column changes its meaning."""

Status = Literal["ok", "silent", "too_short", "failed"]
STATUSES: Final[tuple[Status, ...]] = ("ok", "silent", "too_short", "failed")

UNCERTAIN: Final = "uncertain"
"""Stands for the label of a clip that the model is not sure enough of."""

DOUBTS: Final = ("speechless", "clipped", "narrow_band", "noisy")
"""Flags of clips that are not the kind of sound that models have learnt from."""


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
        What else to know about it: any of `DOUBTS`, ``long``, and what
        `emotool.audio.channels` finds.
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
    source_rate : int
        The file's sample rate in Hz; 0 if it is not known.
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
    source_rate: int = 0


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
