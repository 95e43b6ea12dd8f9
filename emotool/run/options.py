"""What a run does, and who is informed of its progress."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from emotool.inputs.manifest import Manifest
from emotool.inputs.shards import Portion, Shard
from emotool.model.catalog import DEFAULT_MODEL
from emotool.results.row import ClipResult
from emotool.workers.pool import PoolOptions
from emotool.writers.base import Output, WriterOptions

__all__ = ["Details", "Output", "Progress", "RunOptions", "Silence", "Wanted"]


@dataclass(frozen=True, slots=True)
class Details:
    """What results hold beyond a clip's label.

    Parameters
    ----------
    segments : bool, default False
        The probabilities of each window.
    embeddings : bool, default False
        The output of the model's last layer but one, for the clip and its segments.
    """

    segments: bool = False
    embeddings: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the results of the Python interface hold."""

    details: Details
    merge: bool
    min_confidence: float

    def check(self) -> None:
        """Refuse options that contradict each other or are out of range."""
        if self.merge and not self.details.segments:
            raise ValueError("merge joins segments: give segments=True as well")
        if not 0 <= self.min_confidence <= 1:
            raise ValueError(f"min_confidence is a probability, not {self.min_confidence}")


@dataclass(frozen=True)
class RunOptions:
    """What a run does.

    Parameters
    ----------
    paths : sequence of str
        Files, folders and patterns.
    outputs : sequence of Output
        What is written.
    model, device : str
        As `emotool.model.classifier.load_classifier` takes them.
    threads : int, optional
        The model's threads on the CPU; chosen by its size if not given.
    batch_size : int, optional
        Windows given to the model at once.
    pool : PoolOptions
        How clips are read.
    writer : WriterOptions
        Choices that formats leave.
    top : int, default 0
        How many of the most probable labels get columns of their own.
    max_errors : int, optional
        Stop when more clips than this have failed; never if not given.
    restart : bool, default False
        Start over instead of resuming an interrupted run.
    min_confidence : float, default 0
        Clips with a lower confidence are labelled uncertain.
    listed : sequence of str, optional
        More paths, from a list; patterns among them are not expanded.
    manifest : Manifest, optional
        A table of the clips, instead of ``paths`` and ``listed``.
    segments : bool, default False
        Tables have a row for each window of a clip, instead of one for the clip.
    merge : bool, default False
        Neighbouring windows of one label are one row.
    lists : sequence of str, optional
        Files that ``listed`` was read from: no output may replace them.
    shard : Shard, optional
        Which shard of the inputs this run is about; all of them if not given.
    adapt : bool, default False
        The model is adapted to the statistics of all clips before they are labelled.
    portion : Portion, optional
        A shard's inputs, if they are known: then nothing is searched.
    update : {"mark", "drop"}, optional
        Label only what is new or changed since the first output was written, keep its other rows,
        and mark or drop those whose files have vanished.
    """

    paths: Sequence[str]
    outputs: Sequence[Output]
    model: str = DEFAULT_MODEL
    device: str = "auto"
    threads: int | None = None
    batch_size: int | None = None
    pool: PoolOptions = field(default_factory=PoolOptions)
    writer: WriterOptions = field(default_factory=WriterOptions)
    top: int = 0
    max_errors: int | None = None
    restart: bool = False
    min_confidence: float = 0.0
    listed: Sequence[str] = ()
    manifest: Manifest | None = None
    segments: bool = False
    merge: bool = False
    lists: Sequence[str] = ()
    shard: Shard | None = None
    portion: Portion | None = None
    update: Literal["mark", "drop"] | None = None
    adapt: bool = False

    @property
    def sources(self) -> list[str]:
        """The files that list the clips."""
        return [*self.lists, *([] if self.manifest is None else [self.manifest.path])]

    @property
    def details(self) -> Details:
        """What results hold beyond a clip's label."""
        return Details(
            segments=self.segments
            or self.adapt
            or any(output.is_folder for output in self.outputs),
            embeddings=self.adapt or any(output.content == "embeddings" for output in self.outputs),
        )


class Progress(Protocol):
    """Receives the progress of a run."""

    def begin(
        self, total: int, resumed: int, labels: Sequence[str] = (), unchanged: int = 0
    ) -> None:
        """Receive the number of rows, the labels, and how many rows need no work.

        An interrupted run has done ``resumed``; the table that is updated has ``unchanged``.
        """

    def advance(self, result: ClipResult) -> None:
        """Receive a row, in input order."""

    def embedded(self, done: int) -> None:
        """Receive the number of clips that are embedded, of those whose labels come later."""

    def note(self, message: str) -> None:
        """Receive a message for the user."""


class Silence:
    """Ignores the progress of a run."""

    def begin(
        self, total: int, resumed: int, labels: Sequence[str] = (), unchanged: int = 0
    ) -> None:
        """Do nothing."""

    def advance(self, result: ClipResult) -> None:
        """Do nothing."""

    def embedded(self, done: int) -> None:
        """Do nothing."""

    def note(self, message: str) -> None:
        """Do nothing."""
