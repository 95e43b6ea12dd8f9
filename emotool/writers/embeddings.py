"""Embeddings in a file of their own: a row for each row of the tables, in the same order.

An embedding is the output of the model's last layer but one for a window; a clip's is the mean
over its windows, as for probabilities. A clip without a label has an empty row, so that row ``i``
is about the same sound in every file of a run. Beside its embedding a row has those columns of
the tables that say what it is about.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from emotool.errors import EmotoolError
from emotool.text import printable

if TYPE_CHECKING:
    from emotool.results.column import Column
    from emotool.results.columns import Columns
    from emotool.results.row import ClipResult

__all__ = ["EmbeddingOptions", "embedding_bytes", "key_columns"]

SCHEMA: Final = "emotool.embeddings/1"

_KEYS: Final = ("path", "start_s", "end_s")


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
        Its SHA-256: embeddings of two models cannot be compared.
    """

    size: int
    model: str
    model_sha256: str

    @property
    def metadata(self) -> dict[str, str]:
        """The file's metadata, for all its rows."""
        return {"schema": SCHEMA, "model": self.model, "model_sha256": self.model_sha256}


def key_columns(table: "Columns") -> "list[Column]":
    """Return the columns that say which sound a row is about: its path, and a window's times."""
    return [column for column in table.columns if column.name in _KEYS and not column.key]


def embedding_bytes(result: "ClipResult", size: int) -> bytes:
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
            f"{wanted}: this is a bug in emotool"
        )
    return result.embedding
