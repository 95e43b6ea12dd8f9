"""Folders that outputs go to."""

from pathlib import Path

from emotool.errors import OutputError
from emotool.text import printable

__all__ = ["make_folder"]


def make_folder(path: Path, hint: str = "") -> Path:
    """Make a folder, with those above it, where it is not there.

    Parameters
    ----------
    path : Path
        The folder.
    hint : str, optional
        What to do if it cannot be made.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OutputError
        If it cannot be made, or a file has its name.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"cannot make the folder {printable(str(path))}: {reason}", hint=hint
        ) from error
    return path
