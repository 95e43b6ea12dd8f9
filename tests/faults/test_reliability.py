"""docs/reliability.md promises what is tried, and nothing else."""

import ast
from pathlib import Path

import pytest

from tests.faults.fault import ROOT, Fault, words
from tests.faults.reliability import PAGE, page
from tests.faults.table import SECTIONS, all_faults


def test_page_is_current() -> None:
    """Its text is the list's: ``python -m tests.faults.reliability`` writes it."""
    assert PAGE.read_text("utf-8") == page()


@pytest.mark.parametrize("title", [title for title, _ in SECTIONS])
def test_each_fault_names_a_test_that_exists(title: str) -> None:
    """A test that is renamed or removed takes its line with it."""
    for fault in dict(SECTIONS)[title]:
        assert fault.tests, fault.what
        for test in fault.tests:
            path, _, name = test.partition("::")
            assert name in functions_of(ROOT / path), test


def functions_of(path: Path) -> set[str]:
    """Name the functions of a file."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_faults_are_told_apart() -> None:
    """Nothing stands there twice, and every line says what happens."""
    for _, faults in SECTIONS:
        assert len({fault.what for fault in faults}) == len(faults)
    assert all(fault.outcome for fault in all_faults())


@pytest.mark.parametrize("fault", all_faults(), ids=lambda fault: fault.what)
def test_exit_codes_agree_with_what_is_said(fault: Fault) -> None:
    """A run that ends in an error is no success."""
    if fault.says.startswith("error: "):
        assert fault.code in {1, 2, 130}
    assert fault.code in {None, 0, 1, 2, 3, 130, 137, 141, 143}


@pytest.mark.parametrize(
    ("says", "text", "fits"),
    [
        ("a", "ba", True),
        ("a…c", "abc", True),
        ("a…c", "cba", False),
        ("…", "", True),
        ("a", "", False),
    ],
)
def test_dots_stand_for_anything(says: str, text: str, fits: bool) -> None:
    """The comparison that the other tests use can fail."""
    assert words(says, text) is fits
