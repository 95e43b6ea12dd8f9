"""The store that benchmarks use answers as S3 does, and figures become a table."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.cloud import table
from benchmarks.loopback_store import Content


@pytest.fixture
def store(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run the store with 250,000 keys."""
    from emotool.files.stores import open_store

    pytest.importorskip("obstore", reason="needs the extra cloud")
    command = [sys.executable, str(root / "benchmarks" / "loopback_store.py"), "--keys", "250000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{server.stdout.readline().strip()}")
        monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
        open_store.cache_clear()
        yield
        open_store.cache_clear()
        server.kill()


@pytest.mark.slow
def test_a_quarter_of_a_million_keys_is_listed_side_by_side(store: None) -> None:
    """All of them, each once, in order, across folders."""
    from emotool.inputs.listing import list_objects

    content, number = Content(250_000, [b"sound"]), 0
    for page in list_objects("s3://bucket"):
        assert page[0].key == content.key(number)
        number += len(page)
        assert page[-1].key == content.key(number - 1)
    assert number == 250_000


def test_figures_become_a_table() -> None:
    """A line for each plan, and for each source of clips."""
    text = table(
        {
            "conditions": {
                "processor": "P",
                "cores": 2,
                "python": "3",
                "clips": 1000,
                "model": "cnn",
            },
            "plans": [{"keys": 1_000_000, "wall_s": 10.0, "peak_mib": 100.2, "mb": 3.0}],
            "classify": [{"source": "folder", "clips_per_s": 99.6, "cpu_s": 2.0, "peak_mib": 90.0}],
        }
    )
    assert "| 1,000,000 | 10.0 | 100,000 | 100 | 3.0 |" in text
    assert "| folder | 100 | 2.0 | 90 |" in text
