"""Manifests: tables that name one clip a row and say more about it in columns of their own."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emotool.errors import InputError
from emotool.files.opening import kind_of, plain_reason
from emotool.files.zip_members import is_archive, member_problem, split_member
from emotool.inputs.clips import Clip, Found
from emotool.inputs.delimited import delimited_rows
from emotool.text import printable, unharmed

__all__ = ["MAX_COLUMNS", "Manifest", "read_manifest"]

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
    """

    path: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    place: int

    def found(self) -> Found:
        """Return one clip per row, in order, also where a file is missing or listed twice.

        Raises
        ------
        InputError
            If no row names a file that can be opened.
        """
        folder = os.path.dirname(self.path)  # noqa: PTH120 - keeps what was typed
        clips = [_clip(index, folder, row[self.place]) for index, row in enumerate(self.rows)]
        if all(clip.problem is not None for clip in clips):
            first = clips[0]
            raise InputError(
                f"{printable(self.path)}: none of its {len(clips):,} rows names a file that can "
                f"be opened; the first: {printable(first.shown)!r}: {first.problem}",
                hint="paths are relative to the manifest's folder; --column says where they are",
            )
        return Found(clips, passed_over=0, hidden=0)


def _clip(index: int, folder: str, cell: str) -> Clip:
    """Find the file that a cell names, perhaps behind an apostrophe that a table of ours has."""
    if not cell:
        return Clip(index, "", "", "the manifest names no file in this row")
    clip = _named(index, folder, cell)
    # The apostrophe may be the name's own: only where nothing is called so, it is taken away.
    if clip.problem is not None and unharmed(cell) != cell:
        other = _named(index, folder, unharmed(cell))
        return clip if other.problem is not None else other
    return clip


def _named(index: int, folder: str, name: str) -> Clip:
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
    r"""Read a CSV file (commas, semicolons, tabs or bars) that lists clips.

    Parameters
    ----------
    path : str
        The file, UTF-8 with or without a byte-order mark.
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
    try:
        # Not read_text(), which would change line breaks within cells.
        text = Path(path).read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        hint = "" if isinstance(error, OSError) else "save it as CSV UTF-8"
        raise InputError(f"cannot read the manifest {shown}: {reason}", hint=hint) from error
    lines = delimited_rows(text, shown)
    header = next(lines, (0, ()))[1]
    place = _place(header, column, shown)
    rows: list[tuple[str, ...]] = []
    for number, cells in lines:
        if len(cells) != len(header):
            raise InputError(
                f"{shown}: line {number} has {len(cells)} cells, the header {len(header)}"
            )
        rows.append(cells)
    if not rows:
        raise InputError(f"the manifest {shown} lists no clip")
    return Manifest(path, header, rows, place)


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
