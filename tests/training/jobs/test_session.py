"""A training run as the command line starts it."""

from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from emotool.errors import TrainingError
from emotool_training.jobs.session import run_training
from emotool_training.runs.folder import exclusively, find_runs
from tests.tiny_run import tiny_recipe
from tests.training.training_runs import choices, places

pytestmark = pytest.mark.training


def test_a_run_that_another_process_resumes_is_not_removed(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It resumes the run while the process that made it still loads TensorFlow."""
    where = places(base, "taken")
    recipe = str(tiny_recipe(base / "taken.json"))

    with ExitStack() as other:

        def load(purpose: str) -> None:
            (run,) = find_runs(where.runs, "taken", finished=False)
            other.enter_context(exclusively(run))

        monkeypatch.setattr("emotool_training.jobs.session.load_tensorflow", load)
        with pytest.raises(TrainingError, match="being trained by another process"):
            run_training(recipe, choices(base), where)
        assert len(find_runs(where.runs, "taken", finished=False)) == 1
