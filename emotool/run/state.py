"""The state beside a table that is updated: what made its rows, and which file each is about.

A table ``labels.csv`` has a state ``labels.csv.state``: JSON Lines, first what made the table and
its hash, then for each row its path and its file's identity (`emotool.inputs.identity`). Where its
hash is another's, the table was changed by something else.

An update writes the table under another name, then the state, and moves the table to its place at
last. If it ends in between, the next one finds a table with the state's hash and moves it.
"""

import contextlib
import functools
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from emotool.errors import EmotoolError, OutputError
from emotool.files.atomic import atomic_write, sha256_file
from emotool.files.destination import output_error
from emotool.files.lock import beside
from emotool.files.remote import is_remote
from emotool.files.validation import parse_json, validate
from emotool.run.origin import Origin
from emotool.run.part import PART_SUFFIXES, Sha256
from emotool.text import printable

__all__ = [
    "Entry",
    "State",
    "check_place",
    "discard",
    "finish",
    "new_place",
    "put_in_place",
    "read_state",
    "same_place",
    "state_place",
]

_SCHEMA: Final = "emotool.state/1"
_MOST_CHARACTERS: Final = 1 << 20  # of a line: it is read before it is trusted
_HINT: Final = "--restart labels all clips again and replaces it; or name another table with -o"

Entry = tuple[str, str]
"""A row's path, undecodable bytes as surrogate escapes, and its file's identity, "" if unknown."""


@dataclass(frozen=True, slots=True)
class State:
    """What made a table.

    Parameters
    ----------
    schema : str
        Name and version of the state's form.
    suffix : str
        The table's format.
    sha256 : str
        Of the table.
    clips : int
        Its rows.
    folder : str
        What its relative paths are relative to.
    origin : Origin
        What made it.
    """

    schema: Literal["emotool.state/1"]
    suffix: Literal[".csv", ".json", ".jsonl", ".parquet", ".tsv"]
    sha256: Sha256
    clips: Annotated[int, Field(ge=0)]
    folder: str
    origin: Origin


def state_place(table: Path) -> Path:
    """Return where a table's state is.

    Examples
    --------
    >>> state_place(Path("out/labels.csv")).as_posix()
    'out/labels.csv.state'
    """
    return table.with_name(table.name + ".state")


def new_place(table: Path) -> Path:
    """Return where an update writes a table before it is moved to its place.

    Examples
    --------
    >>> new_place(Path("out/labels.csv")).as_posix()
    'out/.labels.csv.emotool-new'
    """
    return beside(table, "new")


def check_place(table: Path, suffix: str) -> None:
    """Check that a table can be updated, and that its state would replace no other file.

    Raises
    ------
    OutputError
        If not.
    """
    if suffix not in PART_SUFFIXES:
        raise OutputError(
            f"{printable(str(table))} cannot be updated: its rows cannot be read again",
            hint=f"the first table is one of {', '.join(PART_SUFFIXES)}; others may follow it",
        )
    if table.exists() and not os.access(table, os.W_OK):
        raise OutputError(f"cannot write {printable(str(table))}: the file there is read-only")
    place = state_place(table)
    if not os.path.lexists(place):
        return
    if place.is_file() and not os.access(place, os.R_OK | os.W_OK):
        raise OutputError(
            f"cannot update {printable(str(table))}: its {printable(place.name)} may not be read "
            "and written",
            hint="allow it, or name another table with -o",
        )
    try:
        with place.open(encoding="utf-8") as handle:
            known = _SCHEMA in handle.readline(_MOST_CHARACTERS)
    except (OSError, ValueError):
        known = False
    if not known:
        raise OutputError(
            f"{printable(str(place))} already exists and is not the state of a table",
            hint="name another table with -o, or remove the file",
        )


def read_state(table: Path) -> tuple[State, list[Entry]]:
    """Read the state of a table, with relative paths as they are from the current folder.

    Raises
    ------
    OutputError
        If there is none, it is not valid, or the table has changed since.
    """
    state, entries = _read(table)
    if len(entries) != state.clips or sha256_file(table) != state.sha256:
        raise OutputError(
            f"{printable(str(table))} has changed since --update wrote it", hint=_HINT
        )
    if state.folder != (here := os.getcwd()):  # noqa: PTH109 - bytes of names stay
        entries = [(_from(here, path, state.folder), identity) for path, identity in entries]
    return state, entries


def _from(here: str, path: str, folder: str) -> str:
    """Return a path that is relative to another folder as it is from here."""
    if is_remote(path) or os.path.isabs(path):  # noqa: PTH117 - bytes of names stay
        return path
    whole = same_place(os.path.join(folder, path))  # noqa: PTH118 - bytes of names stay
    try:
        return os.path.relpath(whole, here).replace(os.sep, "/")
    except ValueError:  # on another drive of Windows
        return whole.replace(os.sep, "/")


def same_place(path: str) -> str:
    """Return one absolute path for all that lead to a file through folders and their links."""
    folder, name = os.path.split(os.path.join(os.getcwd(), path))  # noqa: PTH109, PTH118 - bytes
    return os.path.join(_real(folder), name)  # noqa: PTH118


@functools.lru_cache(maxsize=1024)
def _real(folder: str) -> str:
    return os.path.realpath(folder)


def _read(table: Path) -> tuple[State, list[Entry]]:
    place, shown = state_place(table), printable(str(table))
    try:
        with place.open(encoding="utf-8", newline="\n") as handle:
            state = _head(handle.readline(_MOST_CHARACTERS), printable(str(place)))
            entries: list[Entry] = []
            while len(entries) <= state.clips and (line := handle.readline(_MOST_CHARACTERS)):
                path, identity = json.loads(line)
                entries.append((str(path), str(identity)))
    except FileNotFoundError as error:
        raise OutputError(
            f"{shown} cannot be updated: it was written without --update, so that "
            f"{printable(place.name)} is not there",
            hint=_HINT,
        ) from error
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise OutputError(f"cannot read {printable(str(place))}: {error}", hint=_HINT) from error
    return state, entries


def _head(line: str, shown: str) -> State:
    """Return what the first line of a state holds."""
    try:
        return validate(State, parse_json(line, shown, OutputError), shown, OutputError)
    except OutputError as error:
        raise OutputError(f"cannot read {error.message}", hint=_HINT) from error


def finish(table: Path) -> bool:
    """Finish what an interrupted update has left; return whether its table is in its place now.

    Raises
    ------
    OutputError
        If what it has left can be neither moved nor removed.
    """
    new = new_place(table)
    if not os.path.lexists(new):
        return False
    complete = _is_complete(table)
    try:
        if complete:
            new.replace(table)
        else:
            new.unlink()
    except OSError as error:
        raise OutputError(
            f"cannot {'move' if complete else 'remove'} {printable(str(new))}, which an "
            f"interrupted update has left: {error.strerror}",
            hint="remove it, or name another table with -o",
        ) from error
    return complete


def discard(table: Path) -> None:
    """Remove what an update that failed has left, if `finish` could not use it. Never raises."""
    if not _is_complete(table):
        with contextlib.suppress(OSError):
            new_place(table).unlink()


def _is_complete(table: Path) -> bool:
    """Return whether a table at its `new_place` is the one that the state is about."""
    new = new_place(table)
    with contextlib.suppress(EmotoolError):
        return not new.is_symlink() and _read(table)[0].sha256 == sha256_file(new)
    return False


def put_in_place(table: Path, suffix: str, origin: Origin, entries: Sequence[Entry]) -> None:
    """Write the state of a table that is complete at its `new_place`, and move it to its place.

    Raises
    ------
    OutputError
        If one cannot be written.
    """
    new = new_place(table)
    head = {
        "schema": _SCHEMA,
        "suffix": suffix,
        "sha256": sha256_file(new),
        "clips": len(entries),
        "folder": os.getcwd(),  # noqa: PTH109 - bytes of names stay
        "origin": asdict(origin),
    }
    with atomic_write(state_place(table), text=True) as handle:
        handle.write(json.dumps(head) + "\n")
        handle.writelines(json.dumps(entry) + "\n" for entry in entries)
    try:
        new.replace(table)
    except OSError as error:
        raise output_error(printable(str(table)), error) from error
