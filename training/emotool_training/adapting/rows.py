"""Windows of labelled clips, gathered in blocks, without a second copy of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from emotool_training.adapting.embeddings import Embedded
from emotool_training.adapting.regression import BLOCK, Floats

__all__ = ["Rows", "gather"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Windows of clips.

    Parameters
    ----------
    embeddings : list of ndarray of float32, shape (rows, size)
        In blocks.
    probabilities : ndarray of float32, shape (windows, base labels)
    owner : ndarray of int64, shape (windows,)
        Each window's clip, from 0.
    places : list of int
        Each clip's place among those asked for.
    """

    embeddings: list[Floats]
    probabilities: Floats
    owner: npt.NDArray[np.int64]
    places: list[int]


@dataclass
class _Block:
    """Rows that wait until they fill a block."""

    rows: list[Floats] = field(default_factory=list)
    count: int = 0

    def add(self, rows: Floats) -> Iterable[Floats]:
        """Add rows, and give a block if there are enough."""
        self.rows.append(rows)
        self.count += len(rows)
        if self.count >= BLOCK:
            yield self.take()

    def take(self) -> Floats:
        """Give what waits."""
        block = np.concatenate(self.rows)
        self.rows, self.count = [], 0
        return block


def gather(found: Iterable[tuple[int, Embedded]]) -> Rows:
    """Gather clips' windows.

    Parameters
    ----------
    found : iterable of (int, Embedded)
        Each clip's place, and its windows, at least one.
    """
    blocks: list[Floats] = []
    waiting = _Block()
    probabilities: list[Floats] = []
    places: list[int] = []
    for place, clip in found:
        blocks += waiting.add(clip.embeddings)
        probabilities.append(clip.probabilities)
        places.append(place)
    if waiting.count:
        blocks.append(waiting.take())
    owner = np.repeat(np.arange(len(places)), [len(one) for one in probabilities])
    joined = np.concatenate(probabilities) if probabilities else np.zeros((0, 0), np.float32)
    return Rows(blocks, joined, owner.astype(np.int64), places)
