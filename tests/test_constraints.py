"""constraints.txt pins what pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def pins(root: Path) -> list[str]:
    """Return the lines of constraints.txt that are no comments."""
    lines = (root / "constraints.txt").read_text("utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, list[str]]:
    """Return what is needed, by extra; what is always needed under the empty name."""
    table = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return {"": table["dependencies"], **table["optional-dependencies"]}


def normal(requirement: str) -> str:
    """Return a requirement's package name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement)[0]).lower()


def test_every_pin_is_one_version_and_no_address(pins: list[str]) -> None:
    """Each line is NAME==VERSION: no ranges, options, paths, addresses or local versions."""
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []


def test_every_dependency_is_pinned_once(pins: list[str], project: dict[str, list[str]]) -> None:
    """What pyproject.toml names, extras included, has exactly one version (`make constraints`)."""
    pinned = [normal(pin) for pin in pins]
    needed = {normal(need) for needs in project.values() for need in needs}
    assert needed <= set(pinned)
    assert len(pinned) == len(set(pinned))


def test_make_test_installs_every_extra(root: Path, project: dict[str, list[str]]) -> None:
    """The Makefile names all extras, so that no test skips for want of a package."""
    found = re.search(r"^EXTRAS := (.*)$", (root / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert found is not None
    assert set(found[1].split(",")) == set(project) - {""}
