"""Where a run's rows go: every output that was asked for, checked, opened and written."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from emotool.errors import OutputError
from emotool.files.destination import replaced_file
from emotool.files.zip_members import file_of
from emotool.inputs.clips import Clip
from emotool.results.columns import Kept
from emotool.results.row import ClipResult, doubted
from emotool.results.segments import segment_rows
from emotool.run.options import Output, RunOptions
from emotool.text import printable
from emotool.writers.annotation_folder import AnnotationFolder, Annotations
from emotool.writers.base import STDOUT, Sources, Writer, WriterOptions
from emotool.writers.embeddings import EmbeddingOptions, check_embeddings, open_embeddings
from emotool.writers.failures import FailureTable
from emotool.writers.registry import check_target, open_writer

if TYPE_CHECKING:
    from emotool.model.classifier import Classifier

__all__ = ["Outputs", "RunOutputs", "beside", "files_of", "open_outputs", "spare_inputs"]


def files_of(outputs: Sequence[Output], embeddings: str | None = None) -> list[Path]:
    """List the regular files that the outputs will make or replace, links resolved.

    Parameters
    ----------
    outputs : sequence of Output
    embeddings : str, optional
        Where embeddings go; the last of the files.

    Raises
    ------
    OutputError
        If an output's format is unknown, its place is none to write to, or is named twice.
    """
    files: list[Path] = []
    for output in outputs:
        check_target(output.target, output.suffix)
    targets = [output.target for output in outputs]
    if embeddings is not None:
        check_embeddings(embeddings)
        targets.append(embeddings)
    for target in targets:
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


def spare_inputs(files: Sequence[Path], clips: Sequence[Clip]) -> None:
    """Refuse to put a table where one of the clips is.

    Raises
    ------
    OutputError
        If an output would replace an input, by whatever name either is called.
    """
    there = {_identity(file) for file in files} - {None}
    if not there:
        return
    for clip in clips:
        if clip.problem is None and _identity(file_of(clip.path)) in there:
            raise OutputError(
                f"{printable(clip.shown)} is an input: the table would overwrite it",
                hint="give the table another name with -o",
            )


class Outputs:
    """All outputs of a run, which take the same rows.

    Leaving the block by an exception leaves what was there before. Otherwise `close` must
    have been called.

    Parameters
    ----------
    outputs : sequence of Output
        Where rows go.
    failures : FailureTable or None
        Gets what failed.
    labels : sequence of str
        The model's labels.
    facts : mapping
        Facts of the run, read when the outputs are closed.
    options : WriterOptions
        Choices that formats leave.
    """

    def __init__(
        self,
        outputs: Sequence[Output],
        failures: FailureTable | None,
        labels: Sequence[str],
        facts: Mapping[str, Any],
        options: WriterOptions,
    ) -> None:
        self._writers: list[Writer] = []
        self._failures = failures
        try:
            for output in outputs:
                self._writers.append(
                    open_writer(output.target, labels, facts, options, output.suffix)
                )
        except BaseException:
            self.discard()
            raise

    def add_writer(self, writer: Writer) -> None:
        """Let another writer have the rows as well."""
        self._writers.append(writer)

    @property
    def about_clips(self) -> bool:
        """Whether every writer has a row for each clip, also where there are rows for parts."""
        return all(_takes_whole_clips(writer) for writer in self._writers)

    def write(self, result: ClipResult, parts: Sequence[ClipResult] = ()) -> None:
        """Add a row everywhere it belongs; in tables, rows about its parts if there are any."""
        for writer in self._writers:
            whole = _takes_whole_clips(writer)
            for row in (result,) if whole or not parts else parts:
                writer.write(row)
        if result.status == "failed" and self._failures is not None:
            self._failures.add(result)

    def close(self) -> Path | None:
        """Put everything in its place; returns where the table of failures is, if anywhere."""
        while self._writers:
            self._writers[0].close()
            del self._writers[0]
        return None if self._failures is None else self._failures.close()

    def discard(self) -> None:
        """Give up what is not in its place yet. Never raises."""
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


def _identity(path: str | Path) -> tuple[int, int] | None:
    """Return what a file is known by under all its names, None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - for every clip
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


@contextmanager
def open_outputs(
    options: RunOptions, model: "Classifier", clips: Sequence[Clip], files: Sequence[Path]
) -> Iterator["RunOutputs"]:
    """Open every output of a run; leaving by an exception leaves what was there before.

    Parameters
    ----------
    options : RunOptions
        What was asked for.
    model : Classifier
        Whose labels the rows have.
    clips : sequence of Clip
        What the rows will be about.
    files : sequence of Path
        The outputs that are files, as `emotool.run.outputs.files_of` lists them.

    Raises
    ------
    EmotoolError
        If an output cannot be written, or the model does not give what it wants.
    """
    manifest = options.manifest
    kept = Kept() if manifest is None else Kept(manifest.columns, manifest.rows)
    sources = Sources(clips, model)
    writer = replace(options.writer, sources=sources, kept=kept, spans=options.segments)
    failures = _failure_table(options, files)
    facts: dict[str, Any] = {}
    with Outputs(options.outputs, failures, model.labels, facts, writer) as outputs:
        run_outputs = RunOutputs(options, model.labels, outputs, facts)
        for wanted in options.annotations:
            outputs.add_writer(_annotation_folder(wanted, run_outputs, model, files))
        if options.embeddings is not None:
            about = EmbeddingOptions(
                model.embedding_size(), model.name, model.sha256, spans=options.segments
            )
            outputs.add_writer(open_embeddings(options.embeddings, about))
        yield run_outputs


class RunOutputs:
    """All outputs of a run, opened: takes what the model said of a clip, gives rows to each."""

    def __init__(
        self,
        options: RunOptions,
        labels: Sequence[str],
        outputs: Outputs,
        facts: dict[str, Any],
    ) -> None:
        self._options = options
        self._labels = labels
        self._outputs = outputs
        self._facts = facts
        self.lacks_windows = options.segments and outputs.about_clips

    def write(self, labelled: ClipResult) -> ClipResult:
        """Add what belongs into each output; returns the clip's row, doubted if need be."""
        result = doubted(labelled, self._options.min_confidence)
        self._outputs.write(result, self.parts(labelled) if self._options.segments else ())
        return result

    def parts(self, labelled: ClipResult) -> list[ClipResult]:
        """Return the rows about a clip's windows."""
        rows = segment_rows(labelled, self._labels, merge=self._options.merge)
        return [doubted(row, self._options.min_confidence) for row in rows]

    def close(self, facts: dict[str, Any]) -> Path | None:
        """Put everything in its place.

        Parameters
        ----------
        facts : dict
            What differs from run to run, for formats that have a place for it.

        Returns
        -------
        Path or None
            Where the table of failures is, if anything failed.
        """
        self._facts.update(facts)
        return self._outputs.close()


def beside(options: RunOptions) -> tuple[tuple[str, str], ...]:
    """Name what a run writes beside its tables: what it is, and where."""
    written = [(f"files for {each.program}", each.folder) for each in options.annotations]
    if options.embeddings is not None:
        written.append(("embeddings", options.embeddings))
    return tuple(written)


def _failure_table(options: RunOptions, files: Sequence[Path]) -> FailureTable | None:
    if not files:
        return None
    sources = [Path(path) for path in options.sources]
    spared = [*files, *(path.parent.resolve() / path.name for path in sources)]
    return FailureTable(files[0], raw=options.writer.raw, spared=spared)


def _annotation_folder(
    wanted: Annotations, run_outputs: RunOutputs, model: "Classifier", files: Sequence[Path]
) -> AnnotationFolder:
    return AnnotationFolder(wanted, run_outputs.parts, model.labels, model.spec.f_max, files)
