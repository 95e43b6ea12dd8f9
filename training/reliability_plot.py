"""The reliability diagram: how often the model is right at each level of confidence."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotool.files import atomic_write
from training.calibration import Reliability

__all__ = ["save_reliability_plot"]


def save_reliability_plot(
    diagrams: Mapping[str, Reliability], path: Path, *, title: str = ""
) -> None:
    """Draw reliability diagrams side by side and write them as one PNG.

    Above, the share labelled rightly in each bin of confidence, against the diagonal on
    which a calibrated model lies; below, how many clips each bin holds, since a bin with
    three clips says little.

    Parameters
    ----------
    diagrams : mapping of str to Reliability
        By title, for example ``{"before": …, "after, T = 1.40": …}``; at least one.
    path : Path
        Where the PNG goes; replaced in one step.
    title : str, optional
        A line above the picture.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    figure = Figure(figsize=(0.6 + 3.9 * len(diagrams), 4.8), layout="constrained")
    axes = figure.subplots(
        2, len(diagrams), squeeze=False, sharex=True, sharey="row", height_ratios=[3, 1]
    )
    for column, (name, diagram) in enumerate(diagrams.items()):
        _draw_bins(axes[0, column], diagram)
        axes[0, column].set_title(f"{name}\nECE {diagram.ece:.3f}", fontsize=10)
        bins = len(diagram.counts)
        axes[1, column].bar(_centres(bins), diagram.counts, width=0.9 / bins, color="0.5")
        axes[1, column].set_xlabel("confidence")
    axes[0, 0].set_ylabel("share labelled rightly")
    axes[1, 0].set_ylabel("clips")
    axes[0, 0].legend(loc="upper left", fontsize=8)
    if title:
        figure.suptitle(title, fontsize=10)
    with atomic_write(path) as handle:
        figure.savefig(handle, format="png", dpi=150)


def _centres(bins: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Middles of the bins, shape (bins,)."""
    return (np.arange(bins) + 0.5) / bins


def _draw_bins(axes: Axes, diagram: Reliability) -> None:
    """Draw accuracy as bars and confidence as dots, so that the gap can be seen."""
    bins = len(diagram.counts)
    filled = diagram.counts > 0
    centres = _centres(bins)[filled]
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1, label="calibrated")
    axes.bar(centres, diagram.accuracy[filled], width=0.9 / bins, color="tab:blue", label="right")
    axes.plot(centres, diagram.confidence[filled], "o", color="tab:orange", label="confidence")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
