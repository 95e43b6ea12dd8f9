"""Files that an untrusted table names, found within one folder and nowhere else."""

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from emotool.inputs.manifest import named_clip
from emotool.inputs.names import Names
from emotool.text import unharmed

__all__ = ["Within"]

_TRIED: Final = 200  # paths by which it is found what they are relative to


class Within:
    """Finds the files that paths mean in a folder.

    Folders that all paths begin with are left out, as many as it takes to find the most files,
    since the folder itself may have been one of them. No path leads out of the folder.

    Parameters
    ----------
    root : str
        The folder; the current one if empty.
    paths : sequence of str
        All paths of the table.
    """

    def __init__(self, root: str, paths: Sequence[str]) -> None:
        self._root = root
        self._whole = os.path.abspath(root)  # noqa: PTH100 - links stay
        self._names = Names()
        self._slashed = os.sep == "/" and all("\\" in path for path in paths)
        common = _shared([self._parts(path)[:-1] for path in paths])
        tried = paths[:: len(paths) // _TRIED + 1]
        self._dropped = max(
            range(common + 1),
            key=lambda count: (sum(self._exists(path, count) for path in tried), -count),
        )

    def find(self, path: str) -> tuple[str, str]:
        """Return the file that a path means and "", or "" and why there is none."""
        inside = self._inside(path, self._dropped)
        if not path or inside is None:
            return "", "outside of the folder" if path else "the row names no file"
        clip = named_clip(0, self._root, inside)
        if clip.problem is None:
            return clip.path, ""
        other = self._names.find(inside, self._root)
        if other is not None and self._is_inside(other):
            found = named_clip(0, "", other)
            if found.problem is None:
                return found.path, ""
        near = self._names.near(inside, self._root)
        return "", f"{clip.problem}; {near}" if near else clip.problem

    def _exists(self, path: str, dropped: int) -> bool:
        inside = self._inside(path, dropped) or self._inside(unharmed(path), dropped)
        return inside is not None and named_clip(0, self._root, inside).problem is None

    def _inside(self, path: str, dropped: int) -> str | None:
        """Return a path relative to the folder; None if it would lead out of it."""
        parts = self._parts(path)
        kept = parts[min(dropped, len(parts) - 1) :]
        if not kept or kept[0] in ("/", "..") or os.path.isabs(kept[0]):  # noqa: PTH117
            return None
        return os.path.join(*kept)  # noqa: PTH118

    def _parts(self, path: str) -> list[str]:
        """Split a path without ``.`` and ``..``, from the folder on if it lies there."""
        path = path.replace("\\", "/") if self._slashed else path
        path = os.path.normpath(path) if path else ""
        if os.path.isabs(path) and self._is_inside(path):  # noqa: PTH117
            path = os.path.relpath(path, self._whole)
        return list(Path(path).parts)

    def _is_inside(self, path: str) -> bool:
        whole = os.path.abspath(path)  # noqa: PTH100 - links stay
        return whole.startswith(os.path.join(self._whole, ""))  # noqa: PTH118


def _shared(folders: Sequence[list[str]]) -> int:
    """Return with how many equal parts all paths begin."""
    if not folders:
        return 0
    pairs = zip(min(folders), max(folders), strict=False)  # all others lie between these
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
