"""What the tests of whole training runs share."""

from pathlib import Path
from typing import Any

import numpy as np

from emotool_training.features.cache import FeatureCache
from emotool_training.jobs.choices import Choices
from emotool_training.jobs.start import Places
from emotool_training.jobs.trained import load_model
from emotool_training.progress import Display
from emotool_training.runs.folder import Run

SAME = ("history.csv", "metrics.json", "predictions.csv", "split.json")
"""Files in which two runs of the same seed do not differ in a single byte."""


class CrashError(Exception):
    """The end of a process, as far as a run can tell."""


class Silent(Display):
    """Shows nothing, and crashes where it is told to."""

    def __init__(self, at_epoch: int = 0, at_step: int = 0) -> None:
        super().__init__(3)
        self.at = (at_epoch, at_step)
        self.place = (0, 0)
        self.losses: list[float] = []
        self.said: list[str] = []

    def say(self, text: str) -> None:
        """Keep still, and keep it."""
        self.said.append(text)

    def epoch_begins(self, epoch: int, steps: int) -> None:
        """Count."""
        self.place = (epoch + 1, 0)

    def step_ends(self, loss: float) -> None:
        """Count, and crash in the middle of an epoch."""
        self.place = (self.place[0], self.place[1] + 1)
        if self.place == self.at:
            raise CrashError

    def epoch_ends(self, row: dict[str, float], best: int) -> None:
        """Crash after an epoch."""
        self.losses.append(row["loss"])
        if (self.place[0], 0) == self.at:
            raise CrashError


def places(base: Path, runs: str = "runs") -> Places:
    """Return where runs of a test are kept."""
    return Places(base / runs, FeatureCache(base / "cache", workers=1))


def choices(base: Path, **changes: Any) -> Choices:
    """Return the choices of a run on the tiny corpus."""
    return Choices(data=(str(base / "corpus"),), **changes)


def weights(run: Run) -> list[np.ndarray]:
    """Return the best weights of a run."""
    found: list[np.ndarray] = load_model(run).get_weights()
    return found


def assert_same(run: Run, other: Run) -> None:
    """Check that two runs have the same results, bit for bit."""
    for name in SAME:
        assert (run.folder / name).read_bytes() == (other.folder / name).read_bytes(), name
    for mine, theirs in zip(weights(run), weights(other), strict=True):
        assert np.array_equal(mine, theirs)
