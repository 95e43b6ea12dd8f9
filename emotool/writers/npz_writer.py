"""Embeddings as NumPy's NPZ: ``numpy.load("voices.npz")["embedding"]``.

The number of rows is known at the end, and NumPy's format has it at the beginning: embeddings
are stored in a temporary file without a name beside the output, so that memory holds some tens of
bytes a row. The archive has no times, so that the same rows give the same bytes.
"""

import contextlib
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from emotool.files.destination import output_error, replaced_file
from emotool.results.row import ClipResult
from emotool.writers.embeddings import EmbeddingOptions, embedding_bytes, key_columns
from emotool.writers.file_output import BinaryOutput

if TYPE_CHECKING:
    from emotool.results.column import Column
    from emotool.results.columns import Columns

__all__ = ["NpzWriter"]

_CHUNK: Final = 1 << 20  # bytes copied at once
_PATHS_AT_ONCE: Final = 1024
_UNIX: Final = 3  # as the system that made the archive, wherever it is made


class NpzWriter(BinaryOutput):
    """Writes ``embedding``, ``path`` and, for windows, ``start_s`` and ``end_s``.

    Parameters
    ----------
    target : str
        A path.
    table : Columns
        The columns of the tables.
    options : EmbeddingOptions
        ``model``, ``model_sha256`` and ``schema`` are arrays of one text each.
    """

    def __init__(self, target: str, table: "Columns", options: EmbeddingOptions) -> None:
        self._options = options
        self._empty = np.full(options.size, np.nan, "<f4").tobytes()
        self._keys: dict[Column, Any] = {
            column: [] if column.decimals is None else array("d") for column in key_columns(table)
        }
        self._rows = 0
        super().__init__(target)
        try:
            self._spool = _spool(target)
        except OSError as error:
            super().discard()
            raise output_error(self._file.shown, error) from error

    @contextlib.contextmanager
    def _spooling(self) -> Iterator[None]:
        """Name the output in the error when the temporary file cannot be used."""
        try:
            yield
        except OSError as error:
            raise output_error(self._file.shown, error) from error

    def write(self, result: ClipResult) -> None:
        """Add a row; NaN for a clip without a label."""
        embedding = embedding_bytes(result, self._options.size) or self._empty
        with self._spooling():
            self._spool.write(embedding)
        self._rows += 1
        for column, values in self._keys.items():
            value = column.value(result)
            values.append(np.nan if value is None else value)

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
        """Discard the file; what was there before stays."""
        super().discard()
        with contextlib.suppress(OSError):  # a full disk: it is not needed any more
            self._spool.close()

    def _put_arrays(self, archive: ZipFile) -> None:
        rows = self._rows
        _put(archive, "embedding", ("<f4", (rows, self._options.size)), self._spooled())
        for column, values in self._keys.items():
            if isinstance(values, array):
                _put(archive, column.name, ("<f8", (rows,)), [np.asarray(values, "<f8").tobytes()])
            else:
                width = max(1, *map(len, values))
                _put(archive, column.name, (f"<U{width}", (rows,)), _padded(values, width))
        for name, text in self._options.metadata.items():
            _put(archive, name, (f"<U{len(text)}", ()), _padded([text], len(text)))

    def _spooled(self) -> Iterator[bytes]:
        with self._spooling():
            self._spool.seek(0)  # which also writes what is not on the disk yet
        while True:
            with self._spooling():
                chunk = self._spool.read(_CHUNK)
            if not chunk:
                return
            yield chunk


def _spool(target: str) -> IO[bytes]:
    """Open a temporary file on the disk of the output, deleted when it is closed."""
    place = replaced_file(target)
    return tempfile.TemporaryFile(dir=None if place is None else place.parent)


def _padded(texts: list[str], width: int) -> Iterator[bytes]:
    """Yield texts as NumPy stores them in an array: UTF-32, all of one width."""
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
