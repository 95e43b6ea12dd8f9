"""Learning curves as a picture: loss and scores by epoch."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from emotool.files import atomic_write

__all__ = ["save_learning_curves"]

LOSSES = {"loss": "training", "validation_loss": "validation"}
SCORES = {
    "validation_uar": "validation UAR, mean over corpora",
    "validation_accuracy": "validation accuracy",
}


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
    # A Figure of its own, not pyplot's: no window system, no global state to clean up.
    figure = Figure(figsize=(5.2 * len(panels), 3.9), layout="constrained")
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
    if title:
        figure.suptitle(title, fontsize=10)
    with atomic_write(path) as handle:
        figure.savefig(handle, format="png", dpi=130)
