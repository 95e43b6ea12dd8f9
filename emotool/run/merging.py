"""Merge the parts of a run: the rows that one undivided run would have written."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from emotool.errors import InputError, OutputError
from emotool.files.atomic import sha256_file
from emotool.files.destination import shown_from_here
from emotool.files.lock import lock_all
from emotool.inputs.manifest import Manifest
from emotool.results.row import UNCERTAIN, ClipResult
from emotool.results.stored_rows import StoredTable, read_rows
from emotool.results.tally import RunSummary, Tally
from emotool.run.options import Details, Output, RunOptions
from emotool.run.origin import parameters_of
from emotool.run.outputs import Outputs, columns_of, files_of
from emotool.run.part import record_place
from emotool.run.part_copies import local_parts
from emotool.run.parts import Part, check_parts, find_parts
from emotool.text import printable, unharmed
from emotool.writers.registry import table_suffix

__all__ = ["first_rows", "merge", "summary_of"]

_TEXT: Final = {".csv", ".tsv"}
_JSON: Final = {".json", ".jsonl"}


def merge(
    parts: Sequence[Part],
    outputs: Sequence[Output],
    advance: Callable[[ClipResult], None] = lambda result: None,
) -> RunSummary:
    """Write the rows of parts to tables, in the order of the inputs.

    Parameters
    ----------
    parts : sequence of Part
        As `emotool.run.parts.find_parts` returns them.
    outputs : sequence of Output
        The tables; their punctuation is that which the shards were given.
    advance : callable, optional
        Receives the first row of each clip.

    Returns
    -------
    RunSummary

    Raises
    ------
    EmotoolError
        If the parts are not those of one run or not complete, or an output cannot be written.
    """
    began = time.perf_counter()
    check_parts(parts)
    files = files_of(outputs)
    _spare(parts, files)
    suffixes = {table_suffix(output.target, output.suffix) for output in outputs}
    rows = _Rows(parts, as_written=suffixes <= _TEXT, exact_paths=not suffixes.isdisjoint(_JSON))
    if rows.options.segments and ".html" in suffixes:
        raise OutputError("a report of windows cannot be merged: it needs the model's evidence")
    options = replace(rows.options, outputs=outputs)
    with ExitStack() as stack:
        lock_all(files, stack)
        with Outputs(options, parts[0].record.origin, files=files) as written:
            for result, new in rows:
                written.write(result)
                if new:
                    rows.count(result)
                    advance(result)
            failures = written.close(_facts(parts))
    targets = tuple(output.target for output in outputs)
    return replace(
        rows.summary(began),
        outputs=targets,
        failures_file=None if failures is None else shown_from_here(failures),
    )


def first_rows(part: Part) -> Iterator[ClipResult]:
    """Yield the first row of each clip of a part; raises `InputError` as `merge` does."""
    return (result for result, new in _Rows([part], as_written=True) if new)


def summary_of(part: str) -> RunSummary:
    """Return the summary of a part that is complete, from its rows."""
    began = time.perf_counter()
    with local_parts([part]) as names:
        rows = _Rows(find_parts(names), as_written=True)
        for result, new in rows:
            if new:
                rows.count(result)
    return replace(rows.summary(began), outputs=(part,), is_part=True)


class _Rows:
    """The rows of parts, one part after the other.

    Parameters
    ----------
    parts : sequence of Part
        In order.
    as_written, exact_paths
        As of `StoredTable`.

    Attributes
    ----------
    options : RunOptions
        Those which decide the columns and the punctuation.
    tally : Tally
        Counts the clips.
    """

    def __init__(
        self, parts: Sequence[Part], *, as_written: bool = False, exact_paths: bool = False
    ) -> None:
        self._parts, self._as_written, self._exact_paths = parts, as_written, exact_paths
        origin = self._origin = parts[0].record.origin
        self._cells: list[tuple[str, ...]] = []
        writer = origin.writer
        self.options = RunOptions(
            paths=(),
            outputs=(),
            writer=replace(writer, raw=True) if as_written else writer,
            top=origin.top,
            segments=origin.segments,
            manifest=None
            if origin.manifest is None
            else Manifest("", origin.manifest, self._cells, place=0),
        )
        uncertain = [UNCERTAIN] if origin.min_confidence > 0 and origin.labels else []
        self.tally = Tally([*origin.labels, *uncertain], origin.dimensions)

    def __iter__(self) -> Iterator[tuple[ClipResult, bool]]:
        """Yield each row, and whether it is the first of its clip."""
        clips = 0
        for part in self._parts:
            if sha256_file(part.path) != part.record.sha256:
                raise InputError(
                    f"{printable(str(part.path))} has changed since its shard was complete",
                    hint="run the command of the shard again",
                )
            last, rows = -1, 0
            with closing(read_rows(self._table(part))) as results:
                for result, cells in results:
                    new, last, rows = result.index != last, result.index, rows + 1
                    if new and self.options.manifest is not None:
                        self._cells.append(tuple(cells.values()))
                    yield replace(result, index=clips + last), new
            clips += last + 1
            if (last + 1, rows) != (part.record.clips, part.record.rows):
                raise InputError(
                    f"{printable(str(part.path))} has {rows:,} rows of {last + 1:,} clips, its "
                    f"record says {part.record.rows:,} of {part.record.clips:,}",
                    hint="remove both and run the command of the shard again",
                )

    def count(self, result: ClipResult) -> None:
        """Count a clip, by its label without the apostrophe that CSV may have put before it."""
        self.tally.add(replace(result, label=self._label(result.label)))

    def _label(self, cell: str) -> str:
        return cell if cell in self._origin.labels else unharmed(cell)

    def _table(self, part: Part) -> StoredTable:
        dialect = self._origin.writer.dialect
        return StoredTable(
            part.path,
            part.record.suffix,
            columns_of(self.options, self._origin.labels, self._origin.dimensions),
            dialect.separator,
            dialect.decimal,
            as_written=self._as_written or self._origin.raw,
            exact_paths=self._exact_paths and part.record.suffix not in _JSON,
        )

    def summary(self, began: float) -> RunSummary:
        """Return the counts of the clips; labels of windows are not those of clips."""
        origin = self._origin
        counts = self.tally.counts()
        if origin.segments:
            counts |= {"labels": {}, "mean_confidence": None, "dimensions": {}}
        return RunSummary(
            **counts,
            seconds=time.perf_counter() - began,
            resumed=0,
            skipped=0,
            hidden=0,
            model=origin.model,
            device=origin.device,
            outputs=(),
            failures_file=None,
            parts=len(self._parts),
        )


def _spare(parts: Sequence[Part], files: Sequence[Path]) -> None:
    """Check that no output would replace a part or a record."""
    for part in parts:
        place = part.path.resolve()
        if taken := {place, record_place(place)} & set(files):
            raise OutputError(
                f"{printable(str(taken.pop()))} is a part or its record: it would be overwritten",
                hint="give the table another name with -o",
            )


def _facts(parts: Sequence[Part]) -> dict[str, Any]:
    """Return the facts of the run, for formats that have a place for them."""
    origin = parts[0].record.origin
    details = Details(segments=origin.segments)
    return {
        "clips": parts[0].record.plan_clips,
        "parts": len(parts),
        "min_confidence": origin.min_confidence,
        **parameters_of(origin, details),
    }
