"""The fingerprint of source code."""

import sys
from pathlib import Path

import pytest

from emotool.errors import TrainingError
from emotool_training.code_fingerprint import code_fingerprint


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a package of one module that can be imported."""
    folder = tmp_path / "fingerprinted"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "kernel.py").write_text("SIZE = 1\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    code_fingerprint.cache_clear()
    return folder


def test_it_follows_every_module_of_a_package(package: Path) -> None:
    """A change in any module of a named package gives another fingerprint."""
    before = code_fingerprint("fingerprinted")
    (package / "kernel.py").write_text("SIZE = 2\n")
    code_fingerprint.cache_clear()
    assert code_fingerprint("fingerprinted") != before


def test_it_follows_a_module_alone(package: Path) -> None:
    """A named module is followed, its neighbours are not."""
    before = code_fingerprint("fingerprinted.kernel")
    (package / "__init__.py").write_text("# changed\n")
    code_fingerprint.cache_clear()
    assert code_fingerprint("fingerprinted.kernel") == before


@pytest.mark.parametrize("name", ["emotool.there_is_none", "there_is_none.at_all"])
def test_a_module_that_is_not_there_is_an_error(name: str) -> None:
    """A name that matches nothing, as after a move, is an error and no constant fingerprint."""
    with pytest.raises(TrainingError, match=name):
        code_fingerprint("emotool.errors", name)
