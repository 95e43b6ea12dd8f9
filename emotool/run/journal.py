"""The results of an unfinished run, from which the same command resumes.

The journal is an SQLite database in WAL mode beside the output: a transaction is a few rows
appended to one file, it survives ``kill -9`` at any moment, and a damaged tail is recognised and
dropped, which a text file would need code for. Rows are found by the identity of their file
(`emotool.inputs.identity`), so a changed file is classified again. Everything else that decides
a result (model, device, versions) is written once; if it differs, the journal starts over. It is
removed when the outputs are in place.
"""

import base64
import contextlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from emotool.errors import JournalError
from emotool.files.lock import beside
from emotool.inputs.identity import file_identity
from emotool.results.row import ClipResult, Segment
from emotool.text import printable

if TYPE_CHECKING:
    from emotool.inputs.clips import Clip
    from emotool.workers.protocol import Reading

__all__ = ["TRANSIENT_STAGES", "Journal"]

FORMAT = 6  # of what is stored; a journal of another format starts over
_FLUSH_ROWS = 256
_FLUSH_SECONDS = 0.5
_MOST_STORED = 1 << 26  # characters; a day's windows with embeddings are computed again instead
# Failures that may have another cause than the file, and pass: they are tried again, a timeout
# because the machine may have less to do now, or the limit may be another.
TRANSIENT_STAGES = frozenset({"open", "model", "timeout"})
_SETTINGS = """
    PRAGMA locking_mode = EXCLUSIVE; -- no shared memory, so network drives will do
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL; -- a power cut may cost the last rows, never the journal
    CREATE TABLE IF NOT EXISTS parameters (only TEXT NOT NULL);
    -- No index: identities are random, so each row would dirty a page of its own.
    CREATE TABLE IF NOT EXISTS results (identity TEXT NOT NULL, result TEXT NOT NULL);
"""
_GIVEN = {"index", "shown", "span"}  # by the clip; results of parts are not journalled
_STORED = tuple(field.name for field in fields(ClipResult) if field.name not in _GIVEN)


class Journal:
    """Stores the results of an unfinished run.

    Leaving the block keeps the journal when it raises, and removes it otherwise.

    Parameters
    ----------
    target : Path
        The output beside which it lies, links resolved; its lock must be held.
    parameters : mapping
        Everything but the files that decides the results, as JSON values.
    restart : bool, default False
        Start over instead of resuming an interrupted run.

    Attributes
    ----------
    outdated : bool
        Whether an interrupted run's journal was dropped, its parameters being others.
    kept : bool
        Whether, after the block, there are results to resume from.

    Raises
    ------
    JournalError
        If it cannot be read or written; from every method.
    """

    def __init__(
        self, target: Path, parameters: Mapping[str, Any], *, restart: bool = False
    ) -> None:
        self._path = beside(target, "journal")
        self._parameters = json.dumps({"format": FORMAT} | dict(parameters), sort_keys=True)
        self._pending: list[tuple[str, str]] = []
        self._flushed = time.monotonic()
        self._database: sqlite3.Connection | None = None
        self.outdated = self.kept = False
        if restart:
            self._remove()
        elif self._path.exists():
            try:
                self._opened()
            except sqlite3.Error as error:
                raise self._error(error) from error

    def _opened(self) -> sqlite3.Connection:
        """Return the database; a run that is over in no time never makes one."""
        if self._database is None:
            database = sqlite3.connect(self._path, timeout=1.0, isolation_level=None)
            try:
                database.executescript(_SETTINGS)
                self._agree(database)
            except BaseException:
                database.close()
                raise
            self._database = database
        return self._database

    def _agree(self, database: sqlite3.Connection) -> None:
        """Drop what was done with other parameters."""
        found = database.execute("SELECT only FROM parameters").fetchone()
        if found is not None and found[0] == self._parameters:
            return
        self.outdated = found is not None and not _is_empty(database)
        with _transaction(database):
            database.execute("DELETE FROM results")
            database.execute("DELETE FROM parameters")
            database.execute("INSERT INTO parameters VALUES (?)", (self._parameters,))

    def known(self, clips: "Iterable[Clip]", reading: "Reading") -> dict[int, int]:
        """Find the clips that an interrupted run has classified.

        Returns
        -------
        dict of int to int
            Clips' indexes, and where their results are, for `result`.
        """
        found: dict[int, int] = {}
        places = self.places()
        for clip in clips if places else ():
            if clip.problem is not None:
                continue
            with contextlib.suppress(OSError, ValueError):
                place = places.get(file_identity(clip.path, by_content=reading.by_content))
                if place is not None:
                    found[clip.index] = place
        return found

    def places(self) -> dict[str, int]:
        """Return where each identity's newest result is, for `result`."""
        if self._database is None:
            return {}
        try:
            return dict(self._database.execute("SELECT identity, rowid FROM results"))
        except sqlite3.Error as error:
            raise self._error(error) from error

    def result(self, clip: "Clip", place: int) -> ClipResult:
        """Return the stored result of a clip that `known` has found."""
        try:
            query = "SELECT result FROM results WHERE rowid = ?"
            (stored,) = self._opened().execute(query, (place,)).fetchone()
            return ClipResult(index=clip.index, shown=clip.shown, **_restored(stored))
        except (sqlite3.Error, ValueError, TypeError, KeyError) as error:
            raise self._error(error) from error

    def record(self, result: ClipResult, identity: str) -> bool:
        """Store a result; it is written to the disk within half a second.

        Returns
        -------
        bool
            Whether it is stored: what may pass, and what is too large, is computed again.
        """
        if not identity or result.stage in TRANSIENT_STAGES:
            return False
        stored = _stored(result)
        if len(stored) > _MOST_STORED:
            return False
        self._pending.append((identity, stored))
        if len(self._pending) >= _FLUSH_ROWS:
            self.flush()
        else:
            self.idle()
        return True

    def idle(self) -> None:
        """Write what has waited long enough."""
        if time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        self._flushed = time.monotonic()
        if not self._pending:
            return
        try:
            database = self._opened()
            with _transaction(database):
                database.executemany("INSERT INTO results VALUES (?, ?)", self._pending)
        except sqlite3.Error as error:
            raise self._error(error) from error
        # Only now: an interrupted flush is repeated on the way out.
        self._pending.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            # The error that ended the run is reported, not one of these.
            with contextlib.suppress(JournalError, sqlite3.Error):
                self._finish(complete=kind is None)
        finally:
            if self._database is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._database.close()
        if not self.kept:
            self._remove()

    def _finish(self, *, complete: bool) -> None:
        """Write what waits, or see that nothing needs to be written any more."""
        self.kept = not complete and self._path.exists()
        if not complete:
            self.flush()
            self.kept = self._database is not None and not _is_empty(self._database)
        elif self._database is not None:
            self._database.execute("PRAGMA synchronous = OFF")  # closing need not wait for a disk

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                self._path.with_name(self._path.name + suffix).unlink()

    def _error(self, error: Exception) -> JournalError:
        hint = "--restart starts over without it"
        if getattr(error, "sqlite_errorname", "") in {"SQLITE_FULL", "SQLITE_IOERR_WRITE"}:
            hint = "free some space and run the same command to resume"
        return JournalError(
            f"cannot use the journal {printable(str(self._path))}: {error}", hint=hint
        )


def _stored(result: ClipResult) -> str:
    """Return a result without its clip as JSON, embeddings in base64."""
    values = {name: getattr(result, name) for name in _STORED}
    values["embedding"] = base64.b64encode(result.embedding).decode("ascii")
    values["segments"] = [
        part._replace(embedding=base64.b64encode(part.embedding).decode("ascii"))  # type: ignore[arg-type]
        for part in result.segments
    ]
    # repr() of a float, which JSON uses, is read back to the same bits.
    return json.dumps(values)


def _restored(stored: str) -> dict[str, Any]:
    """Read what `_stored` has written."""
    values: dict[str, Any] = json.loads(stored)
    values["probabilities"] = tuple(values["probabilities"])
    values["flags"] = tuple(values["flags"])
    values["dimensions"] = tuple(values["dimensions"])
    values["embedding"] = base64.b64decode(values["embedding"])
    values["segments"] = tuple(
        Segment(start, end, tuple(probabilities), base64.b64decode(embedding), tuple(dimensions))
        for start, end, probabilities, embedding, dimensions in values["segments"]
    )
    return values


def _is_empty(database: sqlite3.Connection) -> bool:
    return database.execute("SELECT 1 FROM results LIMIT 1").fetchone() is None


@contextlib.contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    if database.in_transaction:  # Ctrl-C came before it could be taken back
        database.execute("ROLLBACK")
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # a full disk has rolled back already
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
