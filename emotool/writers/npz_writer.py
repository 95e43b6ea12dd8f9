"""Embeddings as numpy's NPZ: ``numpy.load("voices.npz")["embedding"]``.

How many rows there are is known at the end, and NumPy's format says it at the beginning: the
numbers wait in a file without a name beside the output, so that memory holds some tens of bytes a
row. The archive bears no times, so that the same rows give the same bytes.
"""

import contextlib
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from typing import IO, Any, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from emotool.files.destination import output_error, replaced_file
from emotool.results.columns import path_text
from emotool.results.row import ClipResult
from emotool.writers.base import BinaryOutput
from emotool.writers.embeddings import EmbeddingOptions, numbers_of

__all__ = ["NpzWriter"]

_CHUNK: Final = 1 << 20  # bytes copied at once
_PATHS_AT_ONCE: Final = 1024
_UNIX: Final = 3  # as the system that made the archive, wherever it is made


class NpzWriter(BinaryOutput):
    """Writes ``embedding``, ``path`` and, for parts of clips, ``start_s`` and ``end_s``.

    Parameters
    ----------
    target : str
        A path.
    options : EmbeddingOptions
        ``model``, ``model_sha256`` and ``schema`` are arrays of one text each.
    """

    def __init__(self, target: str, options: EmbeddingOptions) -> None:
        self._options = options
        self._empty = np.full(options.size, np.nan, "<f4").tobytes()
        self._paths: list[str] = []
        self._starts, self._ends = array("d"), array("d")
        super().__init__(target)
        try:
            self._spool = _spool(target)
        except OSError as error:
            super().discard()
            raise output_error(self._file.shown, error) from error

    @contextlib.contextmanager
    def _spooling(self) -> Iterator[None]:
        """Say which output it is about when the waiting numbers cannot be kept."""
        try:
            yield
        except OSError as error:
            raise output_error(self._file.shown, error) from error

    def write(self, result: ClipResult) -> None:
        """Add a row; NaN for a clip without a label."""
        numbers = numbers_of(result, self._options.size) or self._empty
        with self._spooling():
            self._spool.write(numbers)
        self._paths.append(path_text(result.shown))
        if self._options.spans:
            start, end = result.span or (np.nan, np.nan)
            self._starts.append(start)
            self._ends.append(end)

    def close(self) -> None:
        """Put the arrays together, and the file in its place."""
        try:
            with ZipFile(self.sink, "w") as archive:
                self._put_arrays(archive)
        except BaseException:
            self.discard()
            raise
        self._spool.close()
        super().close()

    def discard(self) -> None:
        """Give the file up; what was there before stays."""
        super().discard()
        with contextlib.suppress(OSError):  # a full disk: what waits is not wanted any more
            self._spool.close()

    def _put_arrays(self, archive: ZipFile) -> None:
        rows = len(self._paths)
        _put(archive, "embedding", ("<f4", (rows, self._options.size)), self._numbers())
        width = max(1, *map(len, self._paths))
        _put(archive, "path", (f"<U{width}", (rows,)), _padded(self._paths, width))
        if self._options.spans:
            for name, times in (("start_s", self._starts), ("end_s", self._ends)):
                _put(archive, name, ("<f8", (rows,)), [np.asarray(times, "<f8").tobytes()])
        for name, text in self._options.about.items():
            _put(archive, name, (f"<U{len(text)}", ()), _padded([text], len(text)))

    def _numbers(self) -> Iterator[bytes]:
        with self._spooling():
            self._spool.seek(0)  # which also writes what is not on the disk yet
        while True:
            with self._spooling():
                chunk = self._spool.read(_CHUNK)
            if not chunk:
                return
            yield chunk


def _spool(target: str) -> IO[bytes]:
    """Open a file that vanishes when it is closed, on the disk that has to hold the output too."""
    place = replaced_file(target)
    return tempfile.TemporaryFile(dir=None if place is None else place.parent)


def _padded(texts: list[str], width: int) -> Iterator[bytes]:
    """Give texts as NumPy has them in an array: UTF-32, all of one width."""
    for start in range(0, len(texts), _PATHS_AT_ONCE):
        some = texts[start : start + _PATHS_AT_ONCE]
        yield b"".join(text.encode("utf-32-le").ljust(4 * width, b"\0") for text in some)


def _put(
    archive: ZipFile,
    name: str,
    kind: tuple[str, tuple[int, ...]],
    content: Iterable[bytes],
) -> None:
    """Add an array in NumPy's format, piece by piece."""
    info = ZipInfo(f"{name}.npy")  # of 1980-01-01, whenever it is made
    info.create_system = _UNIX
    # Numbers of a network hardly shrink; texts that are padded to one width do.
    info.compress_type = ZIP_STORED if kind[0] == "<f4" else ZIP_DEFLATED
    header: dict[str, Any] = {"descr": kind[0], "fortran_order": False, "shape": kind[1]}
    with archive.open(info, "w", force_zip64=True) as member:
        np.lib.format.write_array_header_1_0(member, header)
        for piece in content:
            member.write(piece)
