"""Plots as PNG files: confusion matrices, reliability, learning curves, reconstructions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from emotool.files.atomic import atomic_write
from emotool_training.evaluation.calibration import Reliability
from emotool_training.evaluation.headline import headline
from emotool_training.evaluation.thresholds import Thresholds

__all__ = [
    "save_confusion_plot",
    "save_learning_curves",
    "save_reconstructions",
    "save_reliability_plot",
    "save_threshold_plot",
]

LOSSES = {"loss": "training", "validation_loss": "validation"}

SCORES = {
    "validation_uar": "validation UAR, mean over corpora",
    "validation_accuracy": "validation accuracy",
}


INCH_PER_LABEL = 0.85


CHARACTERS_PER_INCH = 12  # of the title's font


def save_confusion_plot(figures: Mapping[str, Any], path: Path, *, title: str = "") -> None:
    """Draw a confusion matrix and write it as a PNG.

    Colour is the row's share (recall on the diagonal), so that a label with few clips reads
    as well as one with many; each cell also has its count.

    Parameters
    ----------
    figures : mapping
        As `emotool_training.evaluation.scores.score` gives them, of which ``confusion``
        [labels, labels] (rows are true labels, columns predicted ones) is drawn.
    path : Path
        Where the PNG goes; replaced in one step.
    title : str, optional
        Stands above the picture, wrapped to its width; beneath it stand the UAR and accuracy
        that every other output shows (`emotool_training.evaluation.headline`).

    Raises
    ------
    ValueError
        If matrix and labels differ in size.
    OutputError
        If the file cannot be written.
    """
    counts, labels = np.asarray(figures["confusion"]), figures["labels"]
    size = len(labels)
    if counts.shape != (size, size):
        raise ValueError(f"{size} labels need a {size}x{size} matrix, not {counts.shape}")
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)  # [labels, labels], 0 … 1
    side = 2.2 + INCH_PER_LABEL * size
    figure = _figure(side + 0.8, side)
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
    lines = [*title.splitlines(), headline(figures)]
    wrapped = [fill(line, int(CHARACTERS_PER_INCH * side)) for line in lines]
    axes.set_title("\n".join(wrapped), fontsize=10)
    figure.colorbar(image, ax=axes, label="share of the true label's clips", shrink=0.8)
    _save(figure, path, dpi=150)


def save_reliability_plot(
    diagrams: Mapping[str, Reliability], path: Path, *, title: str = ""
) -> None:
    """Draw reliability diagrams side by side and write them as one PNG.

    Above, the accuracy in each bin of confidence, against the diagonal on
    which a calibrated model lies; below, how many clips each bin holds, since a bin with
    three clips is no evidence.

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
    figure = _figure(0.6 + 3.9 * len(diagrams), 4.8)
    axes = figure.subplots(
        2, len(diagrams), squeeze=False, sharex=True, sharey="row", height_ratios=[3, 1]
    )
    for column, (name, diagram) in enumerate(diagrams.items()):
        _draw_bins(axes[0, column], diagram)
        axes[0, column].set_title(f"{name}\nECE {diagram.ece:.3f}", fontsize=10)
        bins = len(diagram.counts)
        axes[1, column].bar(_centres(bins), diagram.counts, width=0.9 / bins, color="0.5")
        axes[1, column].set_xlabel("confidence")
    axes[0, 0].set_ylabel("accuracy")
    axes[1, 0].set_ylabel("clips")
    axes[0, 0].legend(loc="upper left", fontsize=8)
    _save(figure, path, title, dpi=150)


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


def save_threshold_plot(
    found: Thresholds, levels: Sequence[float], path: Path, *, title: str = ""
) -> None:
    """Draw accuracy and share of kept clips by ``--min-confidence`` and write them as a PNG.

    Parameters
    ----------
    found : Thresholds
        What each threshold keeps; intervals over speakers are shaded.
    levels : sequence of float
        Accuracies of interest, 0 to 1; the lowest thresholds that reach them are marked.
    path : Path
        Where the PNG goes; replaced in one step.
    title : str, optional
        A line above the picture.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    figure = _figure(5.2, 3.9)
    axes = figure.subplots()
    some = found.clips > 0
    for name, values, bounds, colour in (
        ("correct labels among kept clips", found.accuracy, found.accuracy_bounds, "tab:blue"),
        ("kept clips", found.kept, found.kept_bounds, "tab:orange"),
    ):
        axes.plot(found.values[some], values[some], color=colour, label=name)
        if bounds is not None:
            axes.fill_between(found.values[some], *bounds[some].T, color=colour, alpha=0.15)
    for row in map(found.level, levels):
        axes.axhline(row["wanted"], color="0.7", linestyle=":", linewidth=1)
        if row["min_confidence"] is not None:
            axes.plot(row["min_confidence"], row["accuracy"], "o", color="tab:blue")
    axes.set_xlabel("--min-confidence")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left", fontsize=8)
    _save(figure, path, title, dpi=150)


def save_learning_curves(
    history: Sequence[Mapping[str, float]], best: int, path: Path, *, title: str = ""
) -> None:
    """Draw loss and validation scores by epoch and write them as a PNG.

    Parameters
    ----------
    history : sequence of mapping
        Each epoch's figures; those named in `LOSSES` and `SCORES` are drawn if they are there.
    best : int
        Index of the epoch whose weights are kept; marked.
    path : Path
        Where the PNG goes; replaced in one step.
    title : str, optional
        A line above the picture.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    epochs = [row["epoch"] for row in history]
    panels = [names for names in (LOSSES, SCORES) if any(name in history[0] for name in names)]
    figure = _figure(5.2 * len(panels), 3.9)
    for axes, names in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        # A lone epoch would be an invisible line.
        marker = "o" if len(epochs) == 1 else None
        for name, shown in names.items():
            if name in history[0]:
                axes.plot(epochs, [row[name] for row in history], label=shown, marker=marker)
        kept = epochs[best]
        axes.axvline(kept, color="grey", linestyle=":", label=f"kept: epoch {kept:g}")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
        if names is SCORES:
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
            axes.set_ylabel("score")
        else:
            axes.set_ylabel("loss")
    _save(figure, path, title, dpi=130)


def save_reconstructions(
    model: Any, windows: npt.NDArray[np.float32], path: Path, *, title: str = ""
) -> None:
    """Draw spectrograms above what a decoder makes of them, as a PNG.

    Parameters
    ----------
    model : keras.Model
        From an architecture's ``build_autoencoder``.
    windows : ndarray of float32, shape (n, n_mels, frames)
        dB; one column of the picture each.
    path : Path
        Where the PNG goes; replaced in one step.
    title : str, optional
        A line above the picture.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    outputs = model(windows, training=False)
    before, after = (outputs[name].numpy()[..., 0] for name in ("image", "reconstruction"))
    figure = _figure(2.6 * len(windows), 4.4)
    rows = figure.subplots(2, len(windows), squeeze=False, sharex=True, sharey=True)
    for shown, images, axes_row in zip(("before", "after"), (before, after), rows, strict=True):
        for image, below, axes in zip(images, before, axes_row, strict=True):
            # The same colours for both, or a faint copy would look as good as a true one.
            axes.imshow(image, origin="lower", aspect="auto", vmin=below.min(), vmax=below.max())
        axes_row[0].set_ylabel(f"{shown}\nmel band")
    for axes in rows[1]:
        axes.set_xlabel("frame")
    _save(figure, path, title, dpi=130)


def _figure(width: float, height: float) -> Figure:
    """Make a figure, inches; not pyplot's, which has global state."""
    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Figure, path: Path, title: str = "", *, dpi: int) -> None:
    """Write a figure as a PNG in one step, below a title."""
    if title:
        figure.suptitle(title, fontsize=10)
    with atomic_write(path) as handle:
        figure.savefig(handle, format="png", dpi=dpi)
