"""The torture itself, in a small way: that it kills, and that it would notice."""

import sys
from pathlib import Path

import pytest

from tests.emotool.tiny_models import write_tiny_model
from tests.faults.torture import Workshop, _compare, killed_round, workshop

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Return a workshop of a few hundred clips."""
    folder = tmp_path_factory.mktemp("torture")
    return workshop(folder, write_tiny_model(folder / "tiny.onnx"), 300)


def test_killed_runs_end_with_the_same_bytes(shop: Workshop) -> None:
    """Four kills at random moments, and the table is that of a run nobody touched."""
    killed = killed_round(shop, kills=4, seed=1)
    assert killed.faults == []
    assert len(killed.done) == 4


@pytest.mark.parametrize("damage", ["twice", "missing", "changed"])
def test_what_is_wrong_is_noticed(shop: Workshop, damage: str, tmp_path: Path) -> None:
    """A row too many, a row too few, another label: each is told."""
    lines = shop.undisturbed.decode().splitlines(keepends=True)
    if damage == "twice":
        lines[2:2] = lines[1:2]
    elif damage == "missing":
        del lines[5]
    else:
        lines[5] = lines[5].replace("happy", "sad") if "happy" in lines[5] else lines[4]
    (tmp_path / "r.csv").write_text("".join(lines))
    assert list(_compare(shop, tmp_path / "r.csv"))
