"""Learning to give spectrograms back: the objective, and pictures of how well it goes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from matplotlib.figure import Figure

from emotool.files.atomic import atomic_write

__all__ = ["Reconstruction", "save_reconstructions"]

BATCH = 32

Floats = npt.NDArray[np.float32]


class Reconstruction:
    """Mean squared error between a normalised spectrogram and what a decoder makes of it.

    Parameters
    ----------
    model : keras.Model
        From an architecture's ``build_autoencoder``.
    clips : sequence of ndarray of float32, shape (windows, n_mels, frames)
        Validation clips, dB; labels are not asked for.
    """

    def __init__(self, model: keras.Model, clips: Sequence[Floats]) -> None:
        self._model = model
        self._windows = np.concatenate(list(clips))  # [windows, n_mels, frames]
        self._error = tf.function(lambda x: self._of(x, training=False), autograph=False)

    def loss(self, windows: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Error of a batch of which patches were masked; f32 []."""
        del targets
        return tf.reduce_mean(self._of(windows, training=True))

    def validate(self) -> dict[str, float]:
        """Return ``validation_loss``, of whole spectrograms."""
        starts = range(0, len(self._windows), BATCH)
        errors = [self._error(tf.constant(self._windows[s : s + BATCH])).numpy() for s in starts]
        return {"validation_loss": float(np.concatenate(errors).mean())}

    def score(self, figures: dict[str, Any]) -> tuple[float, ...]:
        """Rank by error: less is better."""
        return (-figures["validation_loss"],)

    def _of(self, windows: Any, *, training: bool) -> Any:
        outputs = self._model(windows, training=training)
        squares = tf.square(outputs["image"] - outputs["reconstruction"])
        return tf.reduce_mean(squares, axis=(1, 2, 3))  # [batch]


def save_reconstructions(
    model: keras.Model, windows: Floats, path: Path, *, title: str = ""
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
    figure = Figure(figsize=(2.6 * len(windows), 4.4), layout="constrained")
    rows = figure.subplots(2, len(windows), squeeze=False, sharex=True, sharey=True)
    for shown, images, axes_row in zip(("before", "after"), (before, after), rows, strict=True):
        for image, below, axes in zip(images, before, axes_row, strict=True):
            # The same colours for both, or a faint copy would look as good as a true one.
            axes.imshow(image, origin="lower", aspect="auto", vmin=below.min(), vmax=below.max())
        axes_row[0].set_ylabel(f"{shown}\nmel band")
    for axes in rows[1]:
        axes.set_xlabel("frame")
    if title:
        figure.suptitle(title, fontsize=10)
    with atomic_write(path) as handle:
        figure.savefig(handle, format="png", dpi=130)
