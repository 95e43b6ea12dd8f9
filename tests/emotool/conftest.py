"""What tests of whole runs share."""

from pathlib import Path

import pytest

from tests.emotool.batch_runs import write_sounds


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of clips that all differ, one of them no sound, and a model."""
    return write_sounds(tmp_path_factory.mktemp("sounds"))
