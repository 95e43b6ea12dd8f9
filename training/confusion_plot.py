"""The confusion matrix as a picture: counts, and the share of each true label's clips."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from emotool.files import atomic_write
from training.metrics import accuracy_of, uar_of

__all__ = ["save_confusion_plot"]

INCH_PER_LABEL = 0.85
CHARACTERS_PER_INCH = 12  # of the title's font


def save_confusion_plot(
    confusion: ArrayLike, labels: Sequence[str], path: Path, *, title: str = ""
) -> None:
    """Draw a confusion matrix and write it as a PNG.

    Colour is the row's share (recall on the diagonal), so that a label with few clips reads
    as well as one with many; each cell also says its count.

    Parameters
    ----------
    confusion : array_like of int, shape (labels, labels)
        Rows are true labels, columns predicted ones.
    labels : sequence of str
        Names, in the matrix's order.
    path : Path
        Where the PNG goes; replaced in one step.
    title : str, optional
        Stands above the picture, wrapped to its width; accuracy and UAR over all clips, which
        a mean over corpora differs from, are added beneath it.

    Raises
    ------
    ValueError
        If matrix and labels differ in size.
    OutputError
        If the file cannot be written.
    """
    counts = np.asarray(confusion)
    size = len(labels)
    if counts.shape != (size, size):
        raise ValueError(f"{size} labels need a {size}x{size} matrix, not {counts.shape}")
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)  # [labels, labels], 0 … 1
    side = 2.2 + INCH_PER_LABEL * size
    # A Figure of its own, not pyplot's: no window system, no global state to clean up.
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(size), labels=list(labels))
    axes.set_yticks(range(size), labels=list(labels))
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    for row, column in np.ndindex(size, size):
        share = shares[row, column]
        text = f"{share:.0%}\n{counts[row, column]}"
        # White ink on the darker half of the scale, black on the lighter.
        ink = "white" if share > 0.5 else "black"
        axes.text(column, row, text, ha="center", va="center", color=ink)
    scores = (
        f"all clips: accuracy {float(accuracy_of(counts)):.1%}, UAR {float(uar_of(counts)):.1%}"
    )
    wrapped = [fill(line, int(CHARACTERS_PER_INCH * side)) for line in title.splitlines()]
    axes.set_title("\n".join([*wrapped, scores]), fontsize=10)
    figure.colorbar(image, ax=axes, label="share of the true label's clips", shrink=0.8)
    with atomic_write(path) as handle:
        figure.savefig(handle, format="png", dpi=150)
