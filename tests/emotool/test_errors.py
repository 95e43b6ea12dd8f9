"""Errors say what to install, and never by a name that somebody else could take."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from emotool.errors import PACKAGES, MissingExtraError, install_command

DEVELOPERS = {"dev", "docs"}


def test_packages_are_those_of_the_extras(root: Path) -> None:
    """Each extra for users has exactly the packages that pyproject.toml gives it."""
    extras = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    named = {
        extra: tuple(re.split(r"[^A-Za-z0-9._-]", need)[0] for need in needs)
        for extra, needs in extras.items()
        if extra not in DEVELOPERS
    }
    assert named == PACKAGES


@pytest.mark.parametrize("extra", sorted(PACKAGES))
def test_missing_extra_names_packages_and_not_emotool(extra: str) -> None:
    """`pip install emotool[...]` would install whatever has that name on the index."""
    hint = MissingExtraError(extra, "this").hint
    assert hint.endswith(f"-m pip install {' '.join(PACKAGES[extra])}")
    assert "emotool[" not in hint


def test_interpreter_with_a_space_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command can be pasted into a shell."""
    monkeypatch.setattr(sys, "executable", "/opt/my python/bin/python")
    assert install_command("av") == '"/opt/my python/bin/python" -m pip install av'
