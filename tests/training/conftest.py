"""A tiny corpus, and a run on it."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tiny_run import tiny_corpus, tiny_recipe

if TYPE_CHECKING:
    from emotool_training.runs.folder import Run


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a corpus, a recipe and a cache."""
    folder = tmp_path_factory.mktemp("training")
    tiny_corpus(folder / "corpus")
    tiny_recipe(folder / "tiny.json")
    return folder


@pytest.fixture(scope="module")
def uninterrupted(base: Path) -> "Run":
    """Make a run that nobody interrupts."""
    # Here, since other tests of this folder do without the train extra.
    from emotool_training.jobs.start import begin
    from emotool_training.jobs.train import train
    from emotool_training.runs.folder import open_run
    from tests.training.training_runs import Silent, choices, places

    run, plan = begin(str(base / "tiny.json"), choices(base), places(base, "first"))
    train(run, plan, Silent())
    return open_run(run.folder)
