"""The folder beside a large report that holds its sounds and pictures.

It comes into being whole, like the page: files are written into a folder of an unguessable name,
which takes its place when all are there. Only files that a report has made are ever removed, and
what file managers have left beside them.
"""

import contextlib
import os
import secrets
from pathlib import Path

from emotool.errors import OutputError
from emotool.files.destination import output_error
from emotool.inputs.report_folders import REPORTS_END, REPORTS_FILE, is_reports
from emotool.text import printable
from emotool.writers.html.media import ENDINGS, Media

__all__ = ["MediaFolder", "earlier_folder", "folder_beside", "remove_folder"]


def folder_beside(page: Path) -> Path:
    """Name the folder that belongs to a page.

    Examples
    --------
    >>> folder_beside(Path("out/report.html")).name
    'report_files'
    """
    return page.with_name(page.stem + REPORTS_END)


def earlier_folder(page: Path) -> Path | None:
    """Find the folder of the report that a page is about to replace.

    Parameters
    ----------
    page : Path
        The report's file, not replaced yet: it alone can say that the folder is its own.

    Returns
    -------
    Path or None
        None if that report has no folder, or something else lies in it.
    """
    folder = folder_beside(page)
    ours = not folder.is_symlink() and is_reports(str(folder), str(page))
    return folder if ours else None


class MediaFolder:
    """Takes clips' sounds and pictures, one file each, and appears when it is complete.

    Parameters
    ----------
    page : Path
        The report's file, not replaced yet.

    Raises
    ------
    OutputError
        If the folder cannot be made, or stands there already and is not the earlier report's.
    """

    def __init__(self, page: Path) -> None:
        self.path = folder_beside(page)
        self._earlier = earlier_folder(page)
        if self._earlier is None and os.path.lexists(self.path):
            raise OutputError(
                f"{printable(str(self.path))} already exists and was not made by a report",
                hint="choose another name with -o, or move that folder away",
            )
        self._growing = page.with_name(f".emotool-{secrets.token_hex(16)}.tmp")
        try:
            self._growing.mkdir()
        except OSError as error:
            raise output_error(printable(str(self.path)), error) from error

    def add(self, index: int, media: Media) -> None:
        """Write a clip's files; raises `OutputError` if the place is full or gone."""
        for kind, content in media.parts.items():
            name = f"{index:06}{ENDINGS[kind]}"
            try:
                (self._growing / name).write_bytes(content)
            except OSError as error:
                raise output_error(printable(str(self.path / name)), error) from error

    def commit(self) -> None:
        """Put the folder in its place, instead of one that an earlier report has left.

        Another's that has come meanwhile stays: `OutputError` is raised.
        """
        try:
            if self._earlier is not None and self._earlier.exists():
                old = self._growing.with_suffix(".old")
                self._earlier.rename(old)
                self._growing.rename(self.path)
                remove_folder(old)
            else:
                self._growing.rename(self.path)
        except OSError as error:
            raise output_error(printable(str(self.path)), error) from error

    def discard(self) -> None:
        """Give the folder up. Never raises."""
        remove_folder(self._growing)


def remove_folder(folder: Path) -> None:
    """Remove what a report has put into a folder, and the folder if nothing else is in it.

    Never raises: what another program holds open stays.
    """
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            if REPORTS_FILE.fullmatch(entry.name):
                with contextlib.suppress(OSError):  # or macOS took it away with its sound
                    entry.unlink()
        folder.rmdir()
