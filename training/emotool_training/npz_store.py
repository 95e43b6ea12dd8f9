"""Arrays in files: written in one step, and refused when damaged (zip files carry checksums)."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emotool.errors import OutputError
from emotool.files.atomic import atomic_write
from emotool_training.code_fingerprint import code_fingerprint

__all__ = ["NpzCache", "cache_name", "load_arrays", "save_arrays"]


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
        raise ValueError(f"{path}: arrays of objects are not supported")
    plain: dict[str, Any] = {**arrays}  # any of them could be allow_pickle, as far as types show
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


def cache_name(kind: str, facts: object, *modules: str) -> str:
    """Name a cache after everything its entries depend on but the clip.

    Parameters
    ----------
    kind : str
        Begins the name.
    facts : object
        Settings, which JSON can hold.
    *modules : str
        Modules whose code computes the entries: other code has another cache.
    """
    text = json.dumps([facts, code_fingerprint(*modules)], sort_keys=True)
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class NpzCache:
    """A folder of arrays, one file for each clip's content.

    Parameters
    ----------
    folder : Path
        Named by `cache_name`; made by the first entry.
    """

    folder: Path

    def entry(self, digest: str) -> Path:
        """Return the file of a clip, given the SHA-256 of its content."""
        return self.folder / digest[:2] / f"{digest}.npz"

    def read(self, digest: str) -> dict[str, npt.NDArray[Any]] | None:
        """Read an entry; None where there is none, or it is damaged."""
        try:
            return load_arrays(self.entry(digest))
        except ValueError:
            return None

    def write(self, digest: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Write an entry in one step; `OutputError` if it cannot be written."""
        entry = self.entry(digest)
        try:
            entry.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot make the cache folder {entry.parent}: {error.strerror}",
                hint="name another with --cache",
            ) from error
        save_arrays(entry, arrays)
