"""Results that are not complete yet: sums over a clip's windows, and batches of windows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from emotool.results.row import Prediction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emotool.inputs.clips import Clip

__all__ = ["Batch", "LabelledBatch", "PartialResult"]


@dataclass(slots=True)
class PartialResult:
    """Sums over the windows of a clip that the model has labelled so far."""

    clip: "Clip"
    total: "NDArray[np.float64]"  # [labels + dimensions + embedding]
    final: dict[str, Any] | None = None
    submitted: int = 0  # windows given to the model
    labelled: int = 0  # windows that it has labelled
    # Of each window, if segments are asked for: start and end, and what `Prediction` has.
    spans: "list[tuple[float, float]]" = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)
    # Rows whose turn has not come: windows of other lengths wait in other batches.
    early: "dict[int, NDArray[np.float32]]" = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the clip was read to its end, and the model has labelled all its windows."""
        return self.final is not None and self.labelled == self.submitted

    def turns(self, place: int, row: "NDArray[np.float32]") -> "Iterator[NDArray[np.float32]]":
        """Take the row of a window, and yield all rows whose turn has come.

        Sums are made window by window: they must not depend on the batches.
        """
        self.early[place] = row
        while (due := self.early.pop(self.labelled, None)) is not None:
            self.labelled += 1
            yield due


@dataclass(slots=True)
class Batch:
    """Windows for one call of the model, and the clips that they belong to."""

    # Each [n, n_mels, frames], or [n, samples] with the same number of samples.
    windows: "list[NDArray[np.float32]]" = field(default_factory=list)
    owners: list[PartialResult] = field(default_factory=list)  # one per array
    places: list[int] = field(default_factory=list)  # of each array's first window in its clip
    lengths: list[int] = field(default_factory=list)  # of each waveform, samples
    size: int = 0

    def add(
        self, windows: "NDArray[np.float32]", owner: PartialResult, lengths: Sequence[int] = ()
    ) -> None:
        """Add windows of a clip, and the lengths of waveforms."""
        self.windows.append(windows)
        self.owners.append(owner)
        self.places.append(owner.submitted)
        self.lengths += lengths
        self.size += len(windows)
        owner.submitted += len(windows)


# A batch, and a row for each of its windows: [windows, labels + dimensions + embedding]
LabelledBatch = tuple[Batch, "NDArray[np.float32]"]
