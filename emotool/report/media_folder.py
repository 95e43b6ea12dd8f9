"""The folder beside a large report that holds its sounds and pictures.

It comes into being whole, like the page: files are written into a folder of an unguessable name,
which takes its place when all are there. Only files that a report has made are ever removed.
"""

import contextlib
import secrets
from pathlib import Path

from emotool.errors import OutputError
from emotool.file_place import output_error
from emotool.report.media import ENDINGS, Media
from emotool.search import REPORTS_END, REPORTS_FILE
from emotool.text import printable

__all__ = ["MediaFolder", "folder_beside", "remove_stale"]


def folder_beside(page: Path) -> Path:
    """Name the folder that belongs to a page.

    Examples
    --------
    >>> folder_beside(Path("out/report.html")).name
    'report_files'
    """
    return page.with_name(page.stem + REPORTS_END)


class MediaFolder:
    """Takes clips' sounds and pictures, one file each, and appears when it is complete.

    Parameters
    ----------
    page : Path
        The report's file.

    Raises
    ------
    OutputError
        If the folder cannot be made, or stands there already and is not a report's.
    """

    def __init__(self, page: Path) -> None:
        self.path = folder_beside(page)
        if not _is_free(self.path):
            raise OutputError(
                f"{printable(str(self.path))} is there already, and no report made it",
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
        """Put the folder in its place, instead of one that an earlier report has left."""
        try:
            if self.path.exists():
                old = self._growing.with_suffix(".old")
                self.path.rename(old)
                self._growing.rename(self.path)
                _remove(old)
            else:
                self._growing.rename(self.path)
        except OSError as error:
            raise output_error(printable(str(self.path)), error) from error

    def discard(self) -> None:
        """Give the folder up. Never raises."""
        _remove(self._growing)


def remove_stale(page: Path) -> None:
    """Remove the folder that an earlier, larger report has left beside a page."""
    folder = folder_beside(page)
    if folder.is_dir() and not folder.is_symlink() and _is_free(folder):
        _remove(folder)


def _is_free(folder: Path) -> bool:
    """Say whether a folder is not there, or holds nothing but what reports put there."""
    if folder.is_symlink():
        return False
    try:
        return all(REPORTS_FILE.fullmatch(entry.name) for entry in folder.iterdir())
    except FileNotFoundError:
        return True
    except OSError:  # a file, or a folder of someone else
        return False


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            if REPORTS_FILE.fullmatch(entry.name):
                entry.unlink()
        folder.rmdir()
