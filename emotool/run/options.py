"""What a run shall do, and who hears how it goes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from emotool.inputs.manifest import Manifest
from emotool.model.catalog import DEFAULT_MODEL
from emotool.results.row import ClipResult
from emotool.workers.pool import PoolOptions
from emotool.writers.annotation_folder import Annotations
from emotool.writers.base import WriterOptions

__all__ = ["Output", "Progress", "RunOptions", "Silence"]


@dataclass(frozen=True, slots=True)
class Output:
    """Where rows go.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.
    suffix : str, default ""
        The format (``.csv``, ``.json``, …), if the target's own suffix shall not say it.
    default : bool, default False
        Whether nobody named the target: then a file there that holds anything but labels of the
        same clips is not replaced, and the next free name is taken
        (`emotool.run.default_place.settle`).
    """

    target: str
    suffix: str = ""
    default: bool = False


@dataclass(frozen=True)
class RunOptions:
    """What a run shall do.

    Parameters
    ----------
    paths : sequence of str
        Files, folders and patterns.
    outputs : sequence of Output
        Where every row goes.
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
    max_errors : int, optional
        Stop when more clips than this have failed; never if not given.
    restart : bool, default False
        Forget what an interrupted run has done.
    min_confidence : float, default 0
        Clips whose confidence is less are called uncertain.
    listed : sequence of str, optional
        More paths, from a list; patterns among them are not expanded.
    manifest : Manifest, optional
        A table of the clips, instead of ``paths`` and ``listed``.
    segments : bool, default False
        Tables have a row for each window of a clip, instead of one for the clip.
    merge : bool, default False
        Neighbouring windows of one label are one row.
    annotations : sequence of Annotations, optional
        Folders for annotation programs.
    embeddings : str, optional
        A file for the embeddings of what the tables have rows about.
    lists : sequence of str, optional
        Files that ``listed`` was read from: no output may replace them.
    """

    paths: Sequence[str]
    outputs: Sequence[Output]
    model: str = DEFAULT_MODEL
    device: str = "auto"
    threads: int | None = None
    batch_size: int | None = None
    pool: PoolOptions = field(default_factory=PoolOptions)
    writer: WriterOptions = field(default_factory=WriterOptions)
    max_errors: int | None = None
    restart: bool = False
    min_confidence: float = 0.0
    listed: Sequence[str] = ()
    manifest: Manifest | None = None
    segments: bool = False
    merge: bool = False
    annotations: Sequence[Annotations] = ()
    embeddings: str | None = None
    lists: Sequence[str] = ()

    @property
    def sources(self) -> list[str]:
        """The files that say which clips there are."""
        return [*self.lists, *([] if self.manifest is None else [self.manifest.path])]


class Progress(Protocol):
    """Hears how a run goes."""

    def begin(self, total: int, resumed: int, labels: Sequence[str] = ()) -> None:
        """Receive the number of rows, how many an interrupted run has done, and the labels."""

    def advance(self, result: ClipResult) -> None:
        """Hear of a row, in input order."""

    def note(self, message: str) -> None:
        """Hear something a person should know."""


class Silence:
    """Hears how a run goes and says nothing of it."""

    def begin(self, total: int, resumed: int, labels: Sequence[str] = ()) -> None:
        """Do nothing."""

    def advance(self, result: ClipResult) -> None:
        """Do nothing."""

    def note(self, message: str) -> None:
        """Do nothing."""
