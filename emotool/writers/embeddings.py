"""Embeddings in files of their own: a row for each row of the tables, in the same order.

An embedding is what the model's last layer but one says of a window; a clip's is the mean over
its windows, as for probabilities. A clip without a label has an empty row, so that row ``i``
is about the same sound in every file of a run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePath
from typing import Final

from emotool.errors import EmotoolError, MissingExtraError, OutputError
from emotool.results.row import ClipResult
from emotool.text import printable
from emotool.writers.base import Writer
from emotool.writers.registry import EXTRAS

__all__ = ["WRITERS", "EmbeddingOptions", "check_embeddings", "numbers_of", "open_embeddings"]

SCHEMA: Final = "emotool.embeddings/1"

WRITERS: Final[Mapping[str, str]] = {
    ".npz": "emotool.writers.npz_writer:NpzWriter",
    ".parquet": "emotool.writers.parquet_writers:EmbeddingsParquetWriter",
}
"""Which writer makes which suffix, as ``module:class``."""


@dataclass(frozen=True, slots=True)
class EmbeddingOptions:
    """What a file of embeddings holds.

    Parameters
    ----------
    size : int
        Numbers in an embedding.
    model : str
        The model's name.
    model_sha256 : str
        Its fingerprint: embeddings of two models cannot be compared.
    spans : bool, default False
        Rows are about parts of clips: say which.
    """

    size: int
    model: str
    model_sha256: str
    spans: bool = False

    @property
    def about(self) -> dict[str, str]:
        """What the file says of itself."""
        return {"schema": SCHEMA, "model": self.model, "model_sha256": self.model_sha256}


def check_embeddings(target: str) -> None:
    """Make sure that embeddings can be written to a file of this name, before any work is done.

    Raises
    ------
    OutputError
        If its suffix names no format.
    MissingExtraError
        If that needs a package that is not installed.

    Examples
    --------
    >>> check_embeddings("voices.npz")
    >>> check_embeddings("voices.csv")
    Traceback (most recent call last):
    emotool.errors.OutputError: cannot write embeddings to voices.csv
    """
    suffix = PurePath(target).suffix.lower()
    if suffix not in WRITERS:
        raise OutputError(
            f"cannot write embeddings to {printable(target)}",
            hint=f"end the file's name in one of: {', '.join(WRITERS)}",
        )
    if suffix in EXTRAS:
        extra, module = EXTRAS[suffix]
        if find_spec(module) is None:
            raise MissingExtraError(extra, f"writing {suffix}")


def open_embeddings(target: str, options: EmbeddingOptions) -> Writer:
    """Open a file for embeddings.

    Parameters
    ----------
    target : str
        A path; its suffix chooses the format.
    options : EmbeddingOptions

    Returns
    -------
    Writer
        Takes the rows that tables get.

    Raises
    ------
    OutputError, MissingExtraError
        As `check_embeddings`, and if the place cannot be written to.
    """
    check_embeddings(target)
    module, name = WRITERS[PurePath(target).suffix.lower()].split(":")
    writer: Writer = getattr(import_module(module), name)(target, options)
    return writer


def numbers_of(result: ClipResult, size: int) -> bytes:
    """Return a row's embedding, nothing if it has none, and never one of another length.

    Raises
    ------
    EmotoolError
        If it has another, or a label without one.
    """
    wanted = 4 * size if result.status == "ok" else 0
    if len(result.embedding) != wanted:
        raise EmotoolError(
            f"{printable(result.shown)} has {len(result.embedding)} bytes of embedding instead of "
            f"{wanted}: this is a fault in emotool"
        )
    return result.embedding
