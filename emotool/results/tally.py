"""Count a run's rows, for its summary and its exit code."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from emotool.results.row import DOUBTS, STATUSES, ClipResult
from emotool.results.spread import Spread

__all__ = ["RunSummary", "Tally"]

_EXAMPLES = 10
_MAX_REASONS = 1000


@dataclass(frozen=True)
class RunSummary:
    """The counts of a finished run, for the summary on stderr and the exit code.

    Attributes
    ----------
    clips : int
        Inputs, each of which has one row.
    statuses : dict of str to int
        Rows per status (``ok``, ``silent``, ``too_short``, ``failed``), zeros included.
    labels : dict of str to int
        Rows with status ``ok`` per label, in the model's order, zeros included.
    mean_confidence : float or None
        Over the rows with status ``ok``, 0 to 1; None without any.
    reasons : dict of str to int
        Failed rows per reason (the stage and the error), most frequent first.
    examples : tuple of (str, str)
        The first failed rows (at most 10): the clip as shown and its error.
    seconds : float
        Wall time of the whole run, start-up included.
    audio_seconds : float
        Sound in all clips that could be read, in seconds.
    resumed : int
        Rows taken from the journal of an interrupted run.
    skipped, hidden, archives : int
        Files in the folders given that are no audio, hidden ones, and zip archives.
    model, device : str
        The model's name and the device that it ran on.
    outputs : tuple of str
        The tables, as named by the user; ``-`` is stdout.
    failures_file : str or None
        The table of failed clips beside the output, where there is one.
    doubted : int
        Labelled rows with a flag that makes the label doubtful.
    doubts : dict of str to int
        How many have which of these flags; only those that there are.
    beside : tuple of (str, str)
        Other outputs, such as ``embeddings``, and where they are.
    parts : int
        Parts that the rows are from; 0 if they were computed.
    own_statistics_of : int
        Clips whose statistics the model was adapted to; 0 if it was not.
    is_part : bool
        Whether the clips are one shard of a run.
    unchanged : int
        Rows that an update has kept.
    vanished : int
        Rows of the updated table whose files are no longer there.
    dimensions : dict of str to Spread
        How the numbers of the rows with status ``ok`` are distributed, by dimension.
    """

    clips: int
    statuses: dict[str, int]
    labels: dict[str, int]
    mean_confidence: float | None
    reasons: dict[str, int]
    examples: tuple[tuple[str, str], ...]
    seconds: float
    audio_seconds: float
    resumed: int
    skipped: int
    hidden: int
    model: str
    device: str
    outputs: tuple[str, ...]
    failures_file: str | None
    doubted: int = 0
    doubts: dict[str, int] = field(default_factory=dict)
    archives: int = 0
    beside: tuple[tuple[str, str], ...] = ()
    parts: int = 0
    is_part: bool = False
    unchanged: int = 0
    vanished: int = 0
    dimensions: dict[str, Spread] = field(default_factory=dict)
    own_statistics_of: int = 0

    @property
    def exit_code(self) -> int:
        """0 when every clip has a result, 3 when some failed, 1 when all of a whole run did."""
        failed = self.statuses.get("failed", 0)
        if not failed:
            return 0
        return 1 if failed == self.clips and not self.is_part else 3

    @property
    def verdict(self) -> str:
        """One line on what failed, empty if nothing did; names in it are as they are on disk."""
        failed = self.statuses.get("failed", 0)
        if not failed:
            return ""
        name, reason = self.examples[0]
        if self.clips == 1:
            return f"{name}: {reason}"
        share = f"all {self.clips:,}" if failed == self.clips else f"{failed:,} of {self.clips:,}"
        first = ": " if failed == 1 else ", the first "
        return f"{share} clips failed{first}{name}: {reason}"


@dataclass(slots=True)
class Tally:
    """Counts rows.

    Examples
    --------
    >>> tally = Tally(["happy", "sad"])
    >>> tally.add(ClipResult(0, "a.wav", "ok", label="sad", confidence=0.75, duration_s=2.0))
    >>> tally.add(ClipResult(1, "b.wav", "failed", stage="decode", error="no sound"))
    >>> tally.labels, tally.failed, tally.mean_confidence
    ({'happy': 0, 'sad': 1}, 1, 0.75)
    """

    names: Sequence[str]
    dimensions: Sequence[str] = ()
    statuses: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))
    labels: dict[str, int] = field(default_factory=dict)
    examples: list[tuple[str, str]] = field(default_factory=list)
    audio_seconds: float = 0.0
    rows: int = 0
    doubted: int = 0
    spreads: dict[str, Spread] = field(default_factory=dict)
    _confidence: float = 0.0
    _doubts: Counter[str] = field(default_factory=Counter)
    _reasons: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.labels = dict.fromkeys(self.names, 0)
        self.spreads = {name: Spread() for name in self.dimensions}

    def add(self, result: ClipResult) -> None:
        """Count a row."""
        self.rows += 1
        self.statuses[result.status] += 1
        self.audio_seconds += result.duration_s or 0.0
        if result.status == "ok":
            if result.label:
                self.labels[result.label] += 1
            self._confidence += result.confidence or 0.0
            for spread, number in zip(self.spreads.values(), result.dimensions, strict=True):
                spread.add(number)
            doubts = [flag for flag in result.flags if flag in DOUBTS]
            self._doubts.update(doubts)
            self.doubted += bool(doubts)
        elif result.status == "failed":
            reason = result.reason
            # Reasons from hostile files could all differ: their number is bounded.
            if reason in self._reasons or len(self._reasons) < _MAX_REASONS:
                self._reasons[reason] += 1
            if len(self.examples) < _EXAMPLES:
                self.examples.append((result.shown, reason))

    @property
    def failed(self) -> int:
        """How many rows say ``failed``."""
        return self.statuses["failed"]

    @property
    def mean_confidence(self) -> float | None:
        """Mean confidence of the labels, None if there are none."""
        labelled = self.statuses["ok"] if any(self.labels.values()) else 0
        return self._confidence / labelled if labelled else None

    @property
    def doubts(self) -> dict[str, int]:
        """Labelled rows per flag that makes the label doubtful, most frequent first."""
        return dict(self._doubts.most_common())

    @property
    def reasons(self) -> dict[str, int]:
        """Failed rows per reason, most frequent first."""
        return dict(self._reasons.most_common())

    def counts(self) -> dict[str, Any]:
        """Return what was counted, by the names that `RunSummary` has."""
        return {
            "clips": self.rows,
            "statuses": self.statuses,
            "labels": self.labels,
            "dimensions": self.spreads,
            "mean_confidence": self.mean_confidence,
            "reasons": self.reasons,
            "examples": tuple(self.examples),
            "audio_seconds": self.audio_seconds,
            "doubted": self.doubted,
            "doubts": self.doubts,
        }
