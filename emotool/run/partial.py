"""Results that are not complete yet: sums over a clip's windows, and batches of windows."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emotool.inputs.clips import Clip

__all__ = ["Batch", "LabelledBatch", "PartialResult"]


@dataclass(slots=True)
class PartialResult:
    """Sums over the windows of a clip that the model has labelled so far."""

    clip: "Clip"
    total: "NDArray[np.float64]"  # [labels + embedding]
    final: dict[str, Any] | None = None
    submitted: int = 0  # windows given to the model
    labelled: int = 0  # windows that it has labelled
    # Of each window, if segments are asked for: start and end, probabilities and embedding.
    spans: "list[tuple[float, float]]" = field(default_factory=list)
    predictions: list[tuple[tuple[float, ...], bytes]] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether the clip was read to its end, and the model has labelled all its windows."""
        return self.final is not None and self.labelled == self.submitted


@dataclass(slots=True)
class Batch:
    """Windows for one call of the model, and the clips that they belong to."""

    windows: "list[NDArray[np.float32]]" = field(default_factory=list)  # each [n, n_mels, frames]
    owners: list[PartialResult] = field(default_factory=list)  # one per array
    size: int = 0

    def add(self, windows: "NDArray[np.float32]", owner: PartialResult) -> None:
        """Add windows of a clip, float32 ``[n, n_mels, frames]``."""
        self.windows.append(windows)
        self.owners.append(owner)
        self.size += len(windows)
        owner.submitted += len(windows)


# A batch, and a row for each of its windows: [windows, labels + embedding]
LabelledBatch = tuple[Batch, "NDArray[np.float32]"]
