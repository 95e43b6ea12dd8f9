"""Arrays in one file: written in one step, and refused when damaged (zip files carry checksums)."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emotool.files.atomic import atomic_write

__all__ = ["load_arrays", "save_arrays"]


def save_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write named arrays, of numbers or text.

    Raises
    ------
    ValueError
        If one holds objects, which would have to be pickled.
    OutputError
        If the file cannot be written; then nothing has changed.
    """
    # Looked at here, since savez before NumPy 2.2 takes allow_pickle for one more array.
    if any(array.dtype.hasobject for array in arrays.values()):
        raise ValueError(f"{path}: arrays of objects are not kept")
    plain: dict[str, Any] = {**arrays}  # any of them could be allow_pickle, as far as types tell
    with atomic_write(path) as handle:
        np.savez(handle, **plain)


def load_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read all arrays of a file.

    Raises
    ------
    ValueError
        If it is not there, cannot be read, or is damaged.
    """
    try:
        # Opened here, since numpy forgets to close a file that is no archive.
        with path.open("rb") as handle:
            stored = np.load(handle, allow_pickle=False)
            if not isinstance(stored, np.lib.npyio.NpzFile):
                raise ValueError("a single array, where several with names were expected")
            with stored:
                return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, MemoryError) as error:
        # A damaged header may claim more memory than there is.
        raise ValueError(f"{path} cannot be read: {error}") from error
