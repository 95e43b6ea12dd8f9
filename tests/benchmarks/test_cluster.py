"""Ways to use several machines are judged by their ratio to a local run, start-up aside."""

import pytest

from benchmarks.cluster import table

ABOUT = {"processor": "P", "cores": 2, "clips": 1016, "model": "cnn", "shards": 4}


@pytest.mark.parametrize(("seconds", "verdict"), [(11.7, "met"), (11.8, "missed")])
def test_ray_may_take_a_seventh_longer(seconds: float, verdict: str) -> None:
    """1,000 clips in 10 s by the local engine; start-up counts on neither side."""
    local = {"start_s": 2.0, "all_s": 12.0}
    ray = {"start_s": 20.0, "all_s": 20.0 + seconds}
    text = table(ABOUT, [{"local": local, "shards": local, "ray": ray}])
    row = text.splitlines()[-1]
    assert row.startswith("| ray | 20.0 | ")
    assert row.endswith(f"0.85: {verdict} |")
