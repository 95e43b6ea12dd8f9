"""Where a run's rows go: every output that was asked for, checked, opened and written."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emotool.archive import file_of
from emotool.discovery import Clip
from emotool.errors import OutputError
from emotool.failure_table import FailureTable
from emotool.file_place import replaced_file
from emotool.results import STDOUT, Writer, WriterOptions, check_target, open_writer
from emotool.results.embeddings import check_embeddings
from emotool.results.row import ClipResult
from emotool.text import printable

__all__ = ["Output", "Outputs", "files_of", "spare_inputs"]


@dataclass(frozen=True, slots=True)
class Output:
    """Where rows go.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.
    suffix : str, default ""
        The format (``.csv``, ``.json``, …), if the target's own suffix shall not say it.
    """

    target: str
    suffix: str = ""


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
