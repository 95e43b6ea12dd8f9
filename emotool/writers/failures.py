"""The clips that failed, in a table beside the output they are missing from."""

import itertools
from collections.abc import Collection, Iterator
from pathlib import Path

from emotool.files.atomic import AtomicFile
from emotool.files.lock import short_name
from emotool.results.row import ClipResult
from emotool.text import harmless, path_text
from emotool.writers.csv_writer import quoted

__all__ = ["FailureTable"]

_NAME = "failures.csv"
_DEFAULT = "labels.csv"
_SUFFIX = ".csv"
_HEADER = "path,stage,error\n"


class FailureTable:
    """Writes the failures of a run, if there are any, beside its output.

    The failures of ``labels.csv`` are in ``failures.csv``, those of ``a.csv`` in
    ``a.failures.csv`` and of ``a.json`` in ``a.json.failures.csv``: the runs into one folder
    have a table each. One that an earlier run with this output has left is removed when there are
    none. A file that is no such table is left alone, and the next free name used.

    Parameters
    ----------
    output : Path
        The output beside which it lies.
    raw : bool
        Leave cells as they are that a spreadsheet would run as a formula.
    spared : collection of Path
        Files, links of their folders resolved, that are the run's inputs or other outputs.
    """

    def __init__(self, output: Path, *, raw: bool, spared: Collection[Path] = ()) -> None:
        self._path = next(
            path for path in _places(output) if path not in {output, *spared} and _is_ours(path)
        )
        self._raw = raw
        self._file: AtomicFile | None = None

    def add(self, result: ClipResult) -> None:
        """Add a failed clip; raises `OutputError` if the disk is full."""
        if self._file is None:
            self._file = AtomicFile(self._path, text=True)
            self._file.handle.write(_HEADER)
        cells = [path_text(result.shown), result.stage, path_text(result.error)]
        if not self._raw:
            cells = [harmless(cell) for cell in cells]
        self._file.handle.write(",".join(map(quoted, cells)) + "\n")

    def close(self) -> Path | None:
        """Put the table in its place, or remove the old one; returns where it is, if anywhere."""
        if self._file is None:
            if _is_ours(self._path):
                self._path.unlink(missing_ok=True)
            return None
        self._file.commit()
        self._file = None
        return self._path

    def discard(self) -> None:
        """Discard the table after an error. Never raises."""
        if self._file is not None:
            self._file.discard()


def _places(output: Path) -> Iterator[Path]:
    """Yield paths for a table of failures, the better ones first; no two outputs share one."""
    name = short_name(output.name.removesuffix(_SUFFIX))
    if output.name == _DEFAULT:
        yield output.parent / _NAME
    yield output.with_name(f"{name}.{_NAME}")
    for number in itertools.count(2):
        yield output.with_name(f"{name}.{number}.{_NAME}")


def _is_ours(path: Path) -> bool:
    """Return whether a path is free, or holds a table of failures."""
    try:
        if path.is_symlink() or not path.is_file():
            return not path.is_symlink() and not path.exists()
        with path.open("rb") as handle:
            return handle.readline(100) == _HEADER.encode("ascii")
    except OSError:
        return False
