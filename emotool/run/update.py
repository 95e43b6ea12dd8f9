"""An update of a table: rows of files that are unchanged are kept, and the others labelled.

The rows that are kept are read back from the table (`emotool.results.stored_rows`), so that an
update where nothing has vanished writes what a new run would.
"""

import contextlib
import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from emotool.errors import OutputError
from emotool.files.remote import is_remote
from emotool.files.zip_members import file_of
from emotool.inputs.clips import Clip
from emotool.inputs.identity import file_identity
from emotool.inputs.manifest import named_clip
from emotool.inputs.remote_search import prefix_of
from emotool.results.row import VANISHED, ClipResult
from emotool.results.stored_rows import StoredTable, read_rows
from emotool.run.journal import TRANSIENT_STAGES, Journal
from emotool.run.origin import Origin
from emotool.run.outputs import columns_of, files_of
from emotool.run.state import (
    Entry,
    State,
    check_place,
    discard,
    finish,
    new_place,
    put_in_place,
    read_state,
    same_place,
)
from emotool.text import printable, unharmed
from emotool.writers.registry import table_suffix

if TYPE_CHECKING:
    from emotool.run.options import RunOptions
    from emotool.workers.protocol import Reading

__all__ = ["Update"]

_NO_PLACE: Final = -1


class Update:
    """Finds results in the table that is updated, and else in the journal of the run.

    Parameters
    ----------
    options : RunOptions
        The first of its outputs is the table, whose lock must be held.
    origin : Origin
        What makes the rows now.

    Attributes
    ----------
    unchanged : int
        Rows that are kept.
    vanished : int
        Rows whose files are no longer there: those kept, or else those dropped.

    Raises
    ------
    EmotoolError
        If the table cannot be updated, or was made by something else.
    """

    def __init__(self, options: "RunOptions", origin: Origin) -> None:
        self._options, self._origin = options, origin
        output = options.outputs[0]
        table = next(iter(files_of([output])), None)
        if table is None:
            raise OutputError(f"{printable(output.target)} cannot be updated: it is no file here")
        self._table = table
        self._suffix = table_suffix(output.target, output.suffix)
        check_place(table, self._suffix)
        self._entries: list[Entry] = []
        self._rows: list[ClipResult] = []
        self._taken: dict[int, ClipResult] = {}  # by a clip's index
        self._identities: dict[int, str] = {}
        self._journal: Journal | None = None
        self._sha256 = ""
        self.unchanged = self.vanished = 0
        self._finished = finish(table)
        if table.exists() and not options.restart:
            state, self._entries = read_state(table)
            _check_same(origin, state, table)
            self._rows = self._read(state)
            self._sha256 = state.sha256

    def _read(self, state: State) -> list[ClipResult]:
        """Read the table's rows."""
        columns = columns_of(self._options, self._origin.labels, self._origin.dimensions)
        dialect = self._origin.writer.dialect
        stored = StoredTable(
            self._table,
            state.suffix,
            columns,
            dialect.separator,
            dialect.decimal,
            as_written=True,
        )
        plain = unharmed if state.suffix in (".csv", ".tsv") and not self._origin.raw else str
        rows = []
        with contextlib.closing(read_rows(stored)) as results:
            for (result, _), (shown, _) in zip(results, self._entries, strict=True):
                flags = tuple(flag for flag in result.flags if flag != VANISHED)
                label, model = plain(result.label), plain(result.model)
                rows.append(replace(result, shown=shown, flags=flags, label=label, model=model))
        return rows

    def extended(self, clips: Sequence[Clip]) -> list[Clip]:
        """Return the clips with those of rows that are kept beside theirs, sorted and numbered."""
        by_content = self._options.pool.reading.by_content
        found = {clip.shown: _identity(clip, by_content=by_content) for clip in clips}
        paths = {path for path, _ in self._entries}
        listed = self._listed(clips)
        moved = {identity for shown, identity in found.items() if shown not in paths}
        rest = [
            (path, place)
            for place, (path, identity) in enumerate(self._entries)
            if path not in found
            and not (identity and identity in moved)
            and (identity or not (path in listed or _is_folder(path)))
        ]
        if rest:  # of files that are named in another way now, too
            there = {same_place(path) for path in found if not is_remote(path)}
            rest = [one for one in rest if is_remote(one[0]) or same_place(one[0]) not in there]
        gone = {path for path, _ in rest if path.startswith(listed) or _is_gone(path)}
        self.vanished = len(gone)
        if self._options.update == "drop":
            rest = [(path, place) for path, place in rest if path not in gone]
        places = dict(rest)
        others = [Clip(0, path, path) for path in places]
        whole = sorted([*clips, *others], key=lambda clip: clip.shown)
        whole = [replace(clip, index=index) for index, clip in enumerate(whole)]
        newest = {identity: i for i, (_, identity) in enumerate(self._entries) if identity}
        for clip in whole:
            place = places.get(clip.shown)
            identity = found[clip.shown] if place is None else self._entries[place][1]
            place = newest.get(identity) if place is None else place
            if identity:
                self._identities[clip.index] = identity
            if place is not None:
                flag = (VANISHED,) if clip.shown in gone else ()
                row = self._rows[place]
                self._taken[clip.index] = replace(row, flags=row.flags + flag)
        self.unchanged = len(self._taken)
        return whole

    def _listed(self, clips: Sequence[Clip]) -> tuple[str, ...]:
        """Return the prefixes of object storage that have been listed to their end."""
        prefixes = {prefix_of(path) for path in (*self._options.paths, *self._options.listed)}
        return tuple(prefixes - {"", *(clip.shown for clip in clips if clip.problem is not None)})

    def open_journal(self, file: Path, parameters: Mapping[str, Any]) -> Journal:
        """Open the journal of an interrupted update to find further results, and record there."""
        table = {"update": self._sha256} if self._sha256 else {}
        # The journal of an update that was finished here has nothing that the table has not.
        restart = self._options.restart or self._finished
        self._journal = Journal(file, {**parameters, **table}, restart=restart)
        return self._journal

    def known(self, clips: Iterable[Clip], reading: "Reading") -> dict[int, int]:
        """Find the clips that need not be labelled, as `Journal.known` does."""
        rest = [clip for clip in clips if clip.index not in self._taken]
        places = {} if self._journal is None else self._journal.known(rest, reading)
        return dict.fromkeys(self._taken, _NO_PLACE) | places

    def result(self, clip: Clip, place: int) -> ClipResult:
        """Return the result of a clip that `known` has found."""
        if place != _NO_PLACE and self._journal is not None:
            return self._journal.result(clip, place)
        return replace(self._taken.pop(clip.index), index=clip.index, shown=clip.shown)

    def record(self, result: ClipResult, identity: str) -> None:
        """Store a result in the journal, and its file's identity for the state."""
        known = identity if result.stage not in TRANSIENT_STAGES else ""
        self._identities[result.index] = known
        if self._journal is not None:
            self._journal.record(result, identity)

    def idle(self) -> None:
        """Let the journal write what has waited long enough."""
        if self._journal is not None:
            self._journal.idle()

    def outputs(self) -> "RunOptions":
        """Return options whose table is written beside its place."""
        first, *others = self._options.outputs
        new = replace(first, target=str(new_place(self._table)), suffix=self._suffix)
        return replace(self._options, outputs=[new, *others])

    def put_in_place(self, clips: Sequence[Clip]) -> None:
        """Write the state of the table, which is complete, and put it in its place."""
        entries = [(clip.shown, self._identities.get(clip.index, "")) for clip in clips]
        put_in_place(self._table, self._suffix, self._origin, entries)

    def discard(self) -> None:
        """Remove what a failed update has written, unless the next can finish it. Never raises."""
        discard(self._table)


def _check_same(origin: Origin, state: State, table: Path) -> None:
    """Check that a table was made by what is running now."""
    names = state.origin.differences(origin)
    if not names:
        return
    values = [f"{name} {_shown(name, state.origin)}, now {_shown(name, origin)}" for name in names]
    raise OutputError(
        f"{printable(str(table))} was made by another model or with other settings: "
        f"{'; '.join(values)}",
        hint="--restart labels all clips again; or name another table with -o",
    )


def _shown(name: str, origin: Origin) -> str:
    value = str(getattr(origin, name))
    return printable(value[:8] if name == "model_sha256" else value)


def _identity(clip: Clip, *, by_content: bool) -> str:
    if clip.problem is None:
        with contextlib.suppress(OSError, ValueError):
            return file_identity(clip.path, by_content=by_content)
    return ""


def _is_folder(path: str) -> bool:
    """Return whether a folder, which had a row while it could not be read, can be read."""
    return os.path.isdir(path) and os.access(path, os.R_OK | os.X_OK)  # noqa: PTH112 - as it is


def _is_gone(path: str) -> bool:
    """Return whether a file is no longer there; one that cannot be looked at may be."""
    if is_remote(path) or named_clip(0, "", path).problem is None:
        return False
    file = file_of(path)
    try:
        os.stat(file)  # noqa: PTH116 - bytes of names stay
    except OSError as error:
        return error.errno in (errno.ENOENT, errno.ENOTDIR)
    except ValueError:
        return True
    return os.access(file, os.R_OK)
