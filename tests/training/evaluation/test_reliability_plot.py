"""The picture of calibration."""

from pathlib import Path

import numpy as np

from emotool_training.evaluation.calibration import apply_temperature, reliability
from emotool_training.evaluation.plots import save_reliability_plot


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
        assert path.read_bytes().startswith(b"\x89PNG")
    assert pictures[0].read_bytes() != pictures[1].read_bytes()
