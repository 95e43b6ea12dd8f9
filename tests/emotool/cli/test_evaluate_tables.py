"""What evaluate's tables say of what their figures are about."""

import io

import pytest

pytest.importorskip("keras", reason="training is in the extra `train`")

from rich.console import Console

from emotool.cli.evaluate_tables import _table

pytestmark = pytest.mark.training

_PART = {"clips": 30, "speakers": 3, "uar": 0.9, "accuracy": 0.8, "f1": 0.7}


@pytest.mark.parametrize(("averaged", "told"), [(["mine"], True), (["mine", "small"], False)])
def test_corpora_that_are_not_averaged_are_named(averaged: list[str], told: bool) -> None:
    """A headline of fewer corpora than the table lists says which, and why."""
    corpora = {"mine": _PART, "small": _PART | {"clips": 7}}
    figures = _PART | {
        "averaged_corpora": averaged,
        "per_corpus": corpora,
        "per_sex": {},
        "per_intensity": {},
    }
    console = Console(file=io.StringIO(), width=120)
    with console.capture() as said:
        console.print(_table(figures, speakers=False))
    text = " ".join(said.get().split())
    assert ("small left out: fewer than 20 clips" in text) is told
    assert f"the mean over {', '.join(averaged)}" in text
