"""The result of one clip: a label or numbers, or the reason why there is none."""

from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

__all__ = [
    "DOUBTS",
    "SCHEMA",
    "STATUSES",
    "UNCERTAIN",
    "VANISHED",
    "ClipResult",
    "Prediction",
    "Segment",
    "Status",
]

SCHEMA: Final = "emotool.results/1"
"""Name and version of the schema; the version grows when a column changes its meaning."""

Status = Literal["ok", "silent", "too_short", "failed"]
STATUSES: Final[tuple[Status, ...]] = ("ok", "silent", "too_short", "failed")

UNCERTAIN: Final = "uncertain"
"""Replaces the label of a clip whose confidence is too low."""

VANISHED: Final = "vanished"
"""Flag of a row that an update has kept although its file is no longer there."""

DOUBTS: Final = ("speechless", "clipped", "narrow_band", "noisy", "incomplete")
"""Flags of clips that differ from what models were trained on, or were not read as a whole."""


class Prediction(NamedTuple):
    """What a model gives for a window, or on average for a clip.

    Parameters
    ----------
    probabilities : tuple of float
        One per label in the model's order, 0 to 1; empty for a model without labels.
    embedding : bytes
        As a clip's; empty unless asked for.
    dimensions : tuple of float
        One per dimension in the model's order; mostly empty.
    """

    probabilities: tuple[float, ...]
    embedding: bytes = b""
    dimensions: tuple[float, ...] = ()


class Segment(NamedTuple):
    """The result of one window of a clip.

    Parameters
    ----------
    start_s, end_s : float
        Where it lies, in seconds from the start of the file.
    probabilities : tuple of float
        One per label in the model's order, 0 to 1.
    embedding : bytes
        As a clip's; empty unless asked for.
    dimensions : tuple of float
        As a clip's.
    """

    start_s: float
    end_s: float
    probabilities: tuple[float, ...]
    embedding: bytes = b""
    dimensions: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ClipResult:
    """The result of one clip, or of one window of it.

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
        The most probable label; empty unless ``ok``, and for a model without labels.
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
        Mean over the windows of the output of the model's last layer but one, float32,
        little-endian; empty unless ``ok`` and asked for. Bytes, since rows are compared and
        stored by the hundred thousand, and nothing reads the numbers before they are written.
    source_rate : int
        The file's sample rate in Hz; 0 if it is not known.
    dimensions : tuple of float
        Numbers such as arousal, one per dimension in the model's order; empty unless ``ok``, and
        for a model that gives only labels.
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
    dimensions: tuple[float, ...] = ()

    @property
    def reason(self) -> str:
        """Why it has no label, as ``stage: error`` if it failed."""
        return f"{self.stage}: {self.error}" if self.stage else self.error

    def uncertain_below(self, min_confidence: float) -> "ClipResult":
        """Return the result, labelled `UNCERTAIN` if its confidence is lower than that.

        Examples
        --------
        >>> row = ClipResult(0, "a.wav", "ok", "cnn", "sad", 0.6, (0.4, 0.6))
        >>> row.uncertain_below(0.7).label, row.uncertain_below(0.6).label
        ('uncertain', 'sad')
        """
        if self.confidence is None or self.confidence >= min_confidence:
            return self
        return replace(self, label=UNCERTAIN)
