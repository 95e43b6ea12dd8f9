"""The Ray engine while a part of its cluster is killed, in a small way."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.emotool.tiny_models import write_tiny_model
from tests.faults.lost_nodes import VICTIMS, cluster_of, killed_run
from tests.faults.torture import Workshop, workshop

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")]

CLIPS = 1_500  # two parts


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Return a workshop of clips."""
    folder = tmp_path_factory.mktemp("nodes")
    return workshop(folder, write_tiny_model(folder / "tiny.onnx"), CLIPS)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Return a cluster of two nodes; one is left after the first test."""
    with cluster_of(2) as cluster:
        yield cluster


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_run_survives_what_is_killed(victim: str, shop: Workshop, cluster: Any) -> None:
    """After a node, a task or the driver is lost, every clip has one row, as in a local run."""
    assert killed_run(shop, cluster, victim) == []
