"""The picture of a confusion matrix."""

from pathlib import Path

import numpy as np
import pytest

from emotool_training.evaluation.plots import save_confusion_plot

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("size", [2, 6])
def test_a_png_is_written(tmp_path: Path, size: int) -> None:
    """Two and six labels give a picture, with a row without clips among them."""
    counts = np.arange(size * size).reshape(size, size)
    counts[0] = 0
    target = tmp_path / "confusion_matrix.png"
    save_confusion_plot(counts, [f"label{i}" for i in range(size)], target, title="cnn")
    assert target.read_bytes().startswith(PNG)
    assert [p.name for p in tmp_path.iterdir()] == ["confusion_matrix.png"]


def test_labels_must_fit_the_matrix(tmp_path: Path) -> None:
    """A matrix of another size is an error before anything is written."""
    with pytest.raises(ValueError, match="2 labels"):
        save_confusion_plot(np.zeros((3, 3)), ["happy", "sad"], tmp_path / "x.png")
    assert not list(tmp_path.iterdir())
