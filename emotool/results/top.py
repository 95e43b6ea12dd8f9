"""The most probable labels of a clip, in columns of their own: for models with many labels."""

from collections.abc import Sequence
from typing import Any

from emotool.results.row import ClipResult
from emotool.results.row_values import PROBABILITY_DECIMALS

__all__ = ["TopLabels"]


class TopLabels:
    """Ranks a clip's labels, the most probable first.

    Parameters
    ----------
    labels : sequence of str
        The model's labels.
    wanted : int
        How many, 0 or more; a model with fewer labels gives all it has.

    Attributes
    ----------
    columns : tuple of str
        ``top_1``, ``top_1_p``, ``top_2``, … No label's ``p_`` column can be called so.

    Examples
    --------
    >>> top = TopLabels(["calm", "happy", "sad"], 2)
    >>> top.columns
    ('top_1', 'top_1_p', 'top_2', 'top_2_p')
    >>> top.ranked(ClipResult(0, "a.wav", "ok", "cnn", "sad", 0.7, (0.1, 0.2, 0.7)))
    [('sad', 0.7), ('happy', 0.2)]
    """

    def __init__(self, labels: Sequence[str], wanted: int) -> None:
        self._labels = tuple(labels)
        self._places = range(min(wanted, len(self._labels)))
        self.columns = tuple(
            name for place in self._places for name in (f"top_{place + 1}", f"top_{place + 1}_p")
        )

    def ranked(self, result: ClipResult) -> list[tuple[str, float]]:
        """Return labels and their rounded probabilities; nothing for a clip without a label.

        Of equally probable labels the model's first goes first, as for ``label``.
        """
        if not self._places or not result.probabilities:
            return []
        pairs = zip(self._labels, result.probabilities, strict=True)
        ranked = sorted(pairs, key=lambda pair: -pair[1])  # stable; by what is not yet rounded
        return [
            (label, round(share, PROBABILITY_DECIMALS))
            for label, share in ranked[: len(self._places)]
        ]

    def values(self, result: ClipResult) -> list[Any]:
        """Return typed values, one per column of `columns`; absent ones are ``None``."""
        ranked = self.ranked(result)
        return [value for pair in ranked for value in pair] or [None] * len(self.columns)

    def record(self, result: ClipResult) -> dict[str, Any]:
        """Return what an object for JSON has more: ``top``, if it was asked for."""
        if not self._places:
            return {}
        ranked = [{"label": label, "probability": share} for label, share in self.ranked(result)]
        return {"top": ranked or None}
