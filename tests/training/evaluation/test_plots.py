"""The plots of evaluation and training, as PNG files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the train extra")

from matplotlib.figure import Figure

from emotool_training.evaluation.calibration import apply_temperature, reliability
from emotool_training.evaluation.headline import headline
from emotool_training.evaluation.plots import (
    save_confusion_plot,
    save_learning_curves,
    save_reconstructions,
    save_reliability_plot,
)


def figures(confusion: np.ndarray, labels: list[str]) -> dict[str, Any]:
    """Make figures with a confusion matrix; the UAR over corpora differs from that of all clips."""
    corpora = {"averaged_corpora": ["emodb"], "per_corpus": {"emodb": {}, "mine": {}}}
    scores = {"uar": 0.5833, "accuracy": 0.6, "clips": 60, "speakers": 12}
    return {"confusion": confusion, "labels": labels, **scores, **corpora}


PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("size", [2, 6])
def test_a_png_is_written(tmp_path: Path, size: int) -> None:
    """Two and six labels give a picture, with a row without clips among them."""
    counts = np.arange(size * size).reshape(size, size)
    counts[0] = 0
    target = tmp_path / "confusion_matrix.png"
    save_confusion_plot(figures(counts, [f"label{i}" for i in range(size)]), target, title="cnn")
    assert target.read_bytes().startswith(PNG)
    assert [p.name for p in tmp_path.iterdir()] == ["confusion_matrix.png"]


def test_labels_must_fit_the_matrix(tmp_path: Path) -> None:
    """A matrix of another size is an error before anything is written."""
    with pytest.raises(ValueError, match="2 labels"):
        save_confusion_plot(figures(np.zeros((3, 3)), ["happy", "sad"]), tmp_path / "x.png")
    assert not list(tmp_path.iterdir())


ROW = {"epoch": 1, "loss": 0.7, "validation_loss": 0.6, "validation_uar": 0.5}


@pytest.mark.parametrize("epochs", [1, 30])
def test_curves_are_drawn_for_any_number_of_epochs(tmp_path: Path, epochs: int) -> None:
    """A single one too."""
    history = [{**ROW, "epoch": n + 1, "validation_accuracy": 0.5} for n in range(epochs)]
    path = tmp_path / "curves.png"
    save_learning_curves(history, epochs - 1, path, title="cnn")
    assert path.read_bytes().startswith(PNG)


def test_a_stage_without_scores_has_one_panel(tmp_path: Path) -> None:
    """Reconstruction has losses alone."""
    path = tmp_path / "curves.png"
    save_learning_curves([{"epoch": 1, "loss": 0.1, "validation_loss": 0.2}], 0, path)
    assert path.stat().st_size > 1000


def test_a_png_is_written_with_empty_bins_too(tmp_path: Path) -> None:
    """Before and after stand side by side; bins without clips draw nothing."""
    first = np.random.default_rng(0).uniform(0.6, 1, size=200)
    probabilities = np.stack([first, 1 - first], axis=1)
    truth = [0] * 150 + [1] * 50
    diagrams = {
        "before": reliability(probabilities, truth),
        "after": reliability(apply_temperature(probabilities, 1.5), truth),
    }
    pictures = [tmp_path / "plain.png", tmp_path / "titled.png"]
    for path, title in zip(pictures, ("", "of whom"), strict=True):
        save_reliability_plot(diagrams, path, title=title)
        assert path.read_bytes().startswith(PNG)
    assert pictures[0].read_bytes() != pictures[1].read_bytes()


def test_reconstructions_are_drawn(tmp_path: Path) -> None:
    """One column for each window."""
    keras = pytest.importorskip("keras", reason="needs the train extra")
    inputs = keras.Input((8, 6))
    image = keras.layers.Reshape((8, 6, 1))(inputs)
    halving = keras.Model(inputs, {"image": image, "reconstruction": image * 0.5})
    windows = np.random.default_rng(0).normal(0, 2, (2, 8, 6)).astype(np.float32)
    save_reconstructions(halving, windows, tmp_path / "r.png", title="t")
    assert (tmp_path / "r.png").read_bytes().startswith(PNG)


def test_the_plot_shows_the_same_uar_as_the_terminal(tmp_path: Path) -> None:
    """One definition, the mean over corpora, and who is left out of it by name."""
    figure, shown = Figure(), figures(np.eye(2), ["happy", "sad"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("emotool_training.evaluation.plots.Figure", lambda **_: figure)
        save_confusion_plot(shown, tmp_path / "x.png")
    title = figure.axes[0].get_title().replace("\n", " ")
    assert title == headline(shown)
    assert "UAR 58.3 % (mean over emodb; mine left out: fewer than 20 clips)" in title
