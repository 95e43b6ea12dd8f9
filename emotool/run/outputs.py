"""The outputs of a run: checked, opened, written and put in their places."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from emotool.errors import OutputError
from emotool.files.atomic import place_of
from emotool.files.destination import replaced_file
from emotool.files.remote import is_remote, split_remote
from emotool.files.zip_members import file_of
from emotool.inputs.clips import Clip
from emotool.results.columns import Columns
from emotool.results.row import ClipResult
from emotool.results.segments import segment_rows
from emotool.run.options import Output, RunOptions
from emotool.run.origin import Origin
from emotool.text import printable, redacted_url
from emotool.writers.annotation_folder import AnnotationFolder, Named
from emotool.writers.base import STDOUT, Sources, Writer
from emotool.writers.embeddings import EmbeddingOptions
from emotool.writers.failures import FailureTable
from emotool.writers.registry import (
    check_embeddings,
    check_target,
    open_embeddings,
    open_writer,
)

if TYPE_CHECKING:
    from emotool.files.remote_file import RemotePlace
    from emotool.model.classifier import Classifier

__all__ = ["Outputs", "check_inputs", "columns_of", "files_of", "places_of"]


def files_of(outputs: Sequence[Output]) -> list[Path]:
    """List the regular files that the outputs will make or replace, links resolved.

    Parameters
    ----------
    outputs : sequence of Output

    Raises
    ------
    OutputError
        If an output's format is unknown, it cannot be written to, or is named twice.
    """
    files: list[Path] = []
    single = [output for output in outputs if not output.is_folder]
    for output in outputs:
        if output.is_folder and is_remote(output.target):
            raise OutputError(
                f"cannot write {redacted_url(output.target)}: folders of annotations are local"
            )
    for output in single:
        if output.content == "embeddings":
            check_embeddings(output.target)
        else:
            check_target(output.target, output.suffix)
    for target in (output.target for output in single):
        file = None if target == STDOUT else replaced_file(target)
        if file is None:
            continue
        # The folder's links are resolved too: one file must not be known by two names.
        file = file.parent.resolve() / file.name
        if file in files:
            raise OutputError(f"{printable(target)} is named twice as an output")
        if not file.parent.is_dir():
            raise OutputError(
                f"cannot write {printable(target)}: there is no such folder",
                hint="make the folder first, or correct the path",
            )
        files.append(file)
    return files


def places_of(outputs: Sequence[Output]) -> "list[Path | RemotePlace]":
    """List the files of `files_of`, and the objects that the outputs will make or replace.

    Raises
    ------
    OutputError
        As `files_of`.
    """
    remote = [place_of(each.target) for each in outputs if is_remote(each.target)]
    return [*files_of(outputs), *remote]


def columns_of(
    options: RunOptions, labels: Sequence[str], dimensions: Sequence[str] = ()
) -> Columns:
    """Return the columns of a run's tables, given the model's labels and dimensions."""
    return Columns(
        labels,
        segments=options.segments,
        top=options.top,
        manifest=options.manifest,
        dimensions=dimensions,
    )


def check_inputs(
    files: Sequence[Path], clips: Sequence[Clip], outputs: Sequence[Output] = ()
) -> None:
    """Check that no output would replace an input, by whatever name either is called.

    Parameters
    ----------
    files : sequence of Path
        The outputs that are files, as `files_of` lists them.
    clips : sequence of Clip
        The inputs.
    outputs : sequence of Output
        All outputs; those in object storage are checked, too.

    Raises
    ------
    OutputError
        If one would.
    """
    there = {_identity(file) for file in files} - {None}
    objects = {remote.place for each in outputs if (remote := split_remote(each.target))}
    if not there and not objects:
        return
    for clip in clips:
        if clip.problem is not None:
            continue
        remote = split_remote(clip.path)
        if (remote.place in objects) if remote else _identity(file_of(clip.path)) in there:
            raise OutputError(
                f"{printable(clip.shown)} is an input: the table would overwrite it",
                hint="give the table another name with -o",
            )


def _identity(path: str | Path) -> tuple[int, int] | None:
    """Return what identifies a file under all its names, None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - for every clip
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


class Outputs:
    """Opens every output of a run, and writes each result to all of them.

    Leaving the block by an exception leaves what was there before. Otherwise `close` must
    have been called.

    Parameters
    ----------
    options : RunOptions
        What is written, and how.
    model : Classifier or Origin
        The model that labels the clips, or what made the rows that are written.
    clips : sequence of Clip
        The inputs.
    files : sequence of Path
        The outputs that are files, as `files_of` lists them.

    Attributes
    ----------
    rows : int
        Rows written to tables.
    lacks_windows : bool
        Whether windows are asked for and no table has rows about them.

    Raises
    ------
    EmotoolError
        If an output cannot be written to, or the model has no embeddings.
    """

    def __init__(
        self,
        options: RunOptions,
        model: "Classifier | Origin",
        clips: Sequence[Clip] = (),
        files: Sequence[Path] = (),
    ) -> None:
        self._options, self._model, self._files = options, model, files
        self._facts: dict[str, Any] = {}
        self.rows = 0
        self._table = columns_of(options, model.labels, model.dimensions)
        self._failures = _failure_table(options, files)
        self._writers: list[Writer] = []
        sources = None if isinstance(model, Origin) else Sources(clips, model)
        try:
            for output in options.outputs:
                self._writers.append(self._open(output, sources))
        except BaseException:
            self.discard()
            raise
        written = zip(options.outputs, self._writers, strict=True)
        tables = [writer for output, writer in written if output.content == "table"]
        self.lacks_windows = options.segments and all(map(_takes_whole_clips, tables))

    def _open(self, output: Output, sources: Sources | None) -> Writer:
        """Open one output."""
        model = self._model
        if output.content == "table":
            options = replace(self._options.writer, sources=sources)
            return open_writer(output.target, self._table, self._facts, options, output.suffix)
        if isinstance(model, Origin):
            raise OutputError(f"cannot write {printable(output.target)}: only tables can be merged")
        if output.is_folder:
            names = Named(model.labels, model.dimensions, model.spec.f_max)
            return AnnotationFolder(output, self._window_rows, names, self._files)
        about = EmbeddingOptions(model.embedding_size(), model.name, model.sha256)
        return open_embeddings(output.target, self._table, about)

    def write(self, labelled: ClipResult) -> ClipResult:
        """Write a result everywhere it belongs.

        Parameters
        ----------
        labelled : ClipResult
            With the model's label, whatever its confidence.

        Returns
        -------
        ClipResult
            The clip's row, labelled uncertain if its confidence is too low.
        """
        result = labelled.uncertain_below(self._options.min_confidence)
        rows = self._window_rows(labelled) if self._options.segments else [result]
        self.rows += len(rows)
        for writer in self._writers:
            for row in [result] if _takes_whole_clips(writer) else rows:
                writer.write(row)
        if result.status == "failed" and self._failures is not None:
            self._failures.add(result)
        return result

    def _window_rows(self, result: ClipResult) -> list[ClipResult]:
        """Return the rows about a clip's windows."""
        rows = segment_rows(result, self._model.labels, merge=self._options.merge)
        return [row.uncertain_below(self._options.min_confidence) for row in rows]

    def close(self, facts: dict[str, Any] | None = None) -> Path | None:
        """Put everything in its place.

        Parameters
        ----------
        facts : dict, optional
            What differs from run to run, for formats that have a place for it.

        Returns
        -------
        Path or None
            Where the table of failures is, if anything failed.
        """
        self._facts.update(facts or {})
        while self._writers:
            self._writers[0].close()
            del self._writers[0]
        return None if self._failures is None else self._failures.close()

    def discard(self) -> None:
        """Discard what is not in its place yet. Never raises."""
        for writer in self._writers:
            writer.discard()
        if self._failures is not None:
            self._failures.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.discard()


def _takes_whole_clips(writer: Writer) -> bool:
    return bool(getattr(writer, "whole_clips", False))


def _failure_table(options: RunOptions, files: Sequence[Path]) -> FailureTable | None:
    if not files:
        return None
    sources = [Path(path) for path in options.sources]
    spared = [*files, *(path.parent.resolve() / path.name for path in sources)]
    return FailureTable(files[0], raw=options.writer.raw, spared=spared)
