"""A folder of annotations with the paths of a run's inputs: one file for each recording."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath
from types import TracebackType
from typing import Self

from emotool.errors import OutputError
from emotool.files.atomic import AtomicFile
from emotool.files.zip_members import is_archive
from emotool.results.row import UNCERTAIN, ClipResult
from emotool.text import path_text, printable
from emotool.writers.annotations import PROGRAMS
from emotool.writers.base import Output

__all__ = ["AnnotationFolder", "Named"]

_MOST_BYTES = 240
"""Of a name: file systems take 255, and some may come before it."""

_MOST_SUFFIX = 12  # characters


@dataclass(frozen=True, slots=True)
class Named:
    """What a model gives, as annotations show it.

    Parameters
    ----------
    labels, dimensions : sequence of str
        Of the model.
    top_hertz : float
        Highest frequency that the model receives.
    """

    labels: Sequence[str]
    dimensions: Sequence[str]
    top_hertz: float

    def labelled(self, row: ClipResult) -> ClipResult:
        """Return a row whose label is its numbers, if the model has no labels.

        Examples
        --------
        >>> row = ClipResult(0, "a.wav", "ok", dimensions=(0.5, -1.25))
        >>> Named((), ("arousal", "valence"), 8_000.0).labelled(row).label
        'arousal 0.50 valence -1.25'
        """
        if self.labels:
            return row
        pairs = zip(self.dimensions, row.dimensions, strict=True)
        return replace(row, label=" ".join(f"{name} {number:.2f}" for name, number in pairs))


class AnnotationFolder:
    """Writes a file for each labelled clip, as soon as its label is known, whole or not at all.

    A file that is there already is replaced only if it can be one of ours: beside recordings lie
    transcripts and annotations that people have made.

    Parameters
    ----------
    output : Output
        Its content is one of `emotool.writers.annotations.PROGRAMS`; its target is made if it is
        not there.
    rows : callable
        Returns the rows about a clip's windows.
    names : Named
        What the model gives.
    reserved : collection of Path
        Files, links of their folders resolved, that the run makes itself.

    Raises
    ------
    OutputError
        If the folder cannot be made; from `write`, if a file cannot, or is not ours.
    """

    whole_clips = True

    def __init__(
        self,
        output: Output,
        rows: Callable[[ClipResult], Sequence[ClipResult]],
        names: Named,
        reserved: Collection[Path] = (),
    ) -> None:
        self._program = PROGRAMS[output.content]
        self._folder = Path(output.target)
        self._rows, self._names = rows, names
        self._labels = (*names.labels, UNCERTAIN) if names.labels else (" ".join(names.dimensions),)
        self._reserved = frozenset(reserved)
        self._taken: set[Path] = set()
        self._made: set[Path] = set()
        self._make(self._folder)

    def write(self, result: ClipResult) -> None:
        """Write a clip's file; one without a label has none."""
        if result.status != "ok":
            return
        path = self._place(result)
        self._make(path.parent)
        self._check_free(path)
        rows = [self._names.labelled(row) for row in self._rows(result)]
        content = self._program.write(rows, self._names.top_hertz)
        # The same command writes them again, and two syncs cost more than a label.
        with AtomicFile(path, text=True, durable=False) as handle:
            handle.write(content)

    def _check_free(self, path: Path) -> None:
        """Refuse to replace a file that is no annotation of ours."""
        why = "already exists and is not an annotation by emotool"
        if self._reserved and path.parent.resolve() / path.name in self._reserved:
            why = "is an output of the same command"
        elif not os.path.lexists(path):
            return
        else:
            with contextlib.suppress(OSError, ValueError):
                if self._program.wrote(path.read_bytes().decode("utf-8"), self._labels):
                    return
        raise OutputError(
            f"{printable(str(path))} {why}: annotations would overwrite it",
            hint="name another folder for them",
        )

    def _place(self, result: ClipResult) -> Path:
        """Return a clip's path below the folder: never outside, never the same twice."""
        # Windows' separators go first: a byte that is no text is shown as \xNN.
        shown = path_text(result.shown.replace("\\", "/").replace(":", "_"))
        parts = PurePosixPath(shown).parts
        named = [part for part in parts if part not in ("/", "//", "..")] or ["clip"]
        folder = self._folder
        for part in named[:-1]:
            # Where an archive lies, no folder of that name can be made.
            folder /= _fitting(part.replace(".", "_") if is_archive(part) else part)
            while folder in self._taken:  # the folder a.txt after the recording a.flac
                folder = folder.with_name("_" + folder.name)
        suffix, clip = self._program.suffix, PurePath(named[-1])
        path = folder / _fitting(clip.stem + suffix)
        if path in self._taken:  # a.wav and a.mp3
            path = folder / _fitting(clip.name + suffix)
        while path in self._taken or path.is_dir():
            path = path.with_name("_" + path.name)
        self._taken.add(path)
        return path

    def _make(self, folder: Path) -> None:
        if folder in self._made:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot make the folder {printable(str(folder))}: {error.strerror}"
            ) from error
        self._made.add(folder)

    def close(self) -> None:
        """Do nothing more: every file is in its place."""

    def discard(self) -> None:
        """Keep what is there: each file is whole."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _fitting(name: str) -> str:
    """Shorten a name that is too long for file systems, such that no two become one."""
    if len(os.fsencode(name)) <= _MOST_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > _MOST_SUFFIX:
        stem, dot, suffix = name, "", ""
    end = f"-{hashlib.sha256(os.fsencode(name)).hexdigest()[:12]}{dot}{suffix}"
    left = _MOST_BYTES - len(os.fsencode(end))
    return os.fsencode(stem)[:left].decode("utf-8", "ignore") + end
