"""Manifests: tables that name one clip a row and say more about it in columns of their own."""

import os
from dataclasses import dataclass, field, replace
from typing import Final

from emotool.errors import InputError
from emotool.files.opening import kind_of, plain_reason
from emotool.files.remote import BUCKETS, is_remote, shown_url, split_remote, url_problem
from emotool.files.zip_members import is_archive, member_problem, split_member
from emotool.inputs.clips import Clip, Found
from emotool.inputs.delimited import read_delimited
from emotool.inputs.encoding import read_text
from emotool.inputs.names import Names
from emotool.text import printable

__all__ = ["MAX_COLUMNS", "Manifest", "named_clip", "read_manifest"]

MAX_COLUMNS: Final = 1_000
"""Most columns that a manifest may have; a spreadsheet must hold them beside the results'."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A table of clips.

    Parameters
    ----------
    path : str
        The file it was read from; paths in it are relative to its folder.
    columns : tuple of str
        Names of all columns, each once.
    rows : list of tuple of str
        As many cells as columns each, in the file's order.
    place : int
        Which column names the files.
    notice : str, default ""
        How the table was read, where there are two ways.
    links : dict of int to str
        The URLs of rows that have secrets, by the rows' places; the rows show none.
    """

    path: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    place: int
    notice: str = ""
    links: dict[int, str] = field(default_factory=dict)

    def found(self) -> Found:
        """Return one clip per row, in order, also where a file is missing or listed twice.

        Raises
        ------
        InputError
            If no row names a file that can be opened.
        """
        folder = os.path.dirname(self.path)  # noqa: PTH120 - keeps what was typed
        names = Names()
        clips = [
            _clip(index, folder, self.links.get(index, row[self.place]), names)
            for index, row in enumerate(self.rows)
        ]
        if all(clip.problem is not None for clip in clips):
            first = clips[0]
            raise InputError(
                f"{printable(self.path)}: none of its {len(clips):,} rows names a file that can "
                f"be opened; the first: {printable(first.shown)!r}: {first.problem}",
                hint="paths are relative to the manifest's folder; --column says where they are",
            )
        return Found(clips, skipped=0, hidden=0)


def _clip(index: int, folder: str, cell: str, names: Names) -> Clip:
    """Find the file that a cell names, or one that the cell can mean."""
    if not cell:
        return Clip(index, "", "", "the manifest names no file in this row")
    if remote := split_remote(cell):
        if remote.scheme in BUCKETS and url_problem(remote) is None:
            from emotool.files.stores import open_store

            open_store(remote.scheme, remote.bucket)  # without credentials no row can be read
        return Clip(index, shown_url(cell), remote.url, url_problem(remote))
    clip = named_clip(index, folder, cell)
    if clip.problem is None:
        return clip
    found = names.find(cell, folder)
    if found is not None:
        other = named_clip(index, "", found)
        return clip if other.problem is not None else other
    near = names.near(cell, folder)
    return replace(clip, problem=f"{clip.problem}; {near}") if near else clip


def named_clip(index: int, folder: str, name: str) -> Clip:
    """Return the clip that a name in a table is exactly, with the problem if it is no file.

    Parameters
    ----------
    index : int
        The clip's place.
    folder : str
        What a relative name is relative to.
    name : str
        A path, also of a member of a zip archive.
    """
    path = os.path.join(folder, name)  # noqa: PTH118 - keeps what was typed
    try:
        kind = kind_of(os.stat(path).st_mode)  # noqa: PTH116 - for every clip
        problem = None if kind == "file" else f"not a file but a {kind}"
        if problem is None and is_archive(path):
            problem = f"a zip archive: name its clips, as in {os.path.basename(path)}/a.wav"  # noqa: PTH119
    except (OSError, ValueError) as error:
        inside = split_member(path)
        problem = member_problem(*inside) if inside else plain_reason(error)
    return Clip(index, path.replace(os.sep, "/"), path, problem)


def read_manifest(path: str, column: str) -> Manifest:
    r"""Read a CSV or TSV file that lists clips, in any dialect of `read_delimited`.

    Parameters
    ----------
    path : str
        The file, UTF-8 or UTF-16.
    column : str
        Name of the column that names the files.

    Returns
    -------
    Manifest

    Raises
    ------
    InputError
        If it cannot be read, has no such column, the same column twice or no row, or a row has
        more or fewer cells than the header.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(b"file;speaker\na.wav;Ann\n")
    ...     file.flush()
    ...     manifest = read_manifest(file.name, "file")
    >>> manifest.columns, manifest.rows
    (('file', 'speaker'), [('a.wav', 'Ann')])
    """
    shown = printable(path)
    table = read_delimited(read_text(path, f"the manifest {shown}"), shown)
    place = _place(table.columns, column, shown)
    if not table.rows:
        raise InputError(f"the manifest {shown} lists no clip")
    notice = ""
    if table.stray:
        notice = (
            f"{shown}: quotes from line {table.stray} on are read as ordinary characters, so that "
            f"each line is a row: {len(table.rows):,} rows"
        )
    links, rows = _without_links([cells for _, cells in table.rows], place)
    return Manifest(path, table.columns, rows, place, notice, links)


def _without_links(
    rows: list[tuple[str, ...]], place: int
) -> tuple[dict[int, str], list[tuple[str, ...]]]:
    """Take URLs with secrets out of a column of paths; return them, and the rows without."""
    links: dict[int, str] = {}
    for index, row in enumerate(rows):
        if is_remote(row[place]) and (shown := shown_url(row[place])) != row[place]:
            links[index] = row[place]
            rows[index] = (*row[:place], shown, *row[place + 1 :])
    return links, rows


def _place(header: tuple[str, ...], column: str, shown: str) -> int:
    """Find the column of paths in a header that can be made columns of a table."""
    if len(header) > MAX_COLUMNS:
        raise InputError(f"{shown} has {len(header):,} columns, more than {MAX_COLUMNS:,}")
    for name in header:
        if header.count(name) > 1:
            raise InputError(f"{shown} has two columns called {printable(name)!r}")
    if column not in header:
        raise InputError(
            f"{shown} has no column {printable(column)!r}",
            hint=f"--column takes one of: {', '.join(map(printable, header)) or 'none'}",
        )
    return header.index(column)
