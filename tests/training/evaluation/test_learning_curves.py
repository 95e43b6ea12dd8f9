"""Pictures of how training went."""

from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="needs the train extra")

from emotool_training.evaluation.plots import save_learning_curves

ROW = {"epoch": 1, "loss": 0.7, "validation_loss": 0.6, "validation_uar": 0.5}


@pytest.mark.parametrize("epochs", [1, 30])
def test_curves_are_drawn_for_any_number_of_epochs(tmp_path: Path, epochs: int) -> None:
    """A single one too."""
    history = [{**ROW, "epoch": n + 1, "validation_accuracy": 0.5} for n in range(epochs)]
    path = tmp_path / "curves.png"
    save_learning_curves(history, epochs - 1, path, title="cnn")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_stage_without_scores_has_one_panel(tmp_path: Path) -> None:
    """Reconstruction has losses alone."""
    path = tmp_path / "curves.png"
    save_learning_curves([{"epoch": 1, "loss": 0.1, "validation_loss": 0.2}], 0, path)
    assert path.stat().st_size > 1000
