"""The speed benchmark's tables: ratios, efficiency, and what is missing."""

from typing import Any

import pytest

from benchmarks.speed_limit import limit
from benchmarks.speed_table import tables

CONDITIONS = {
    "processor": "a processor",
    "cores": 2,
    "python": "3.11",
    "repeat": 3,
    "emotool": "checkout",
    "models": {"cnn": "0123"},
}
LENGTHS = [2.0, 4.0]


def figures(rate: float) -> dict[str, Any]:
    """Return what one round says of a program that labels so many clips a second."""
    return {"clips": 100, "clips_s": rate, "cpu_s_1000": 2.0, "start_s": 0.5, "peak_mib": 100.0}


def rounds() -> dict[str, list[dict[str, Any]]]:
    """Return three rounds of emotool, whose median is 300, one peer at 10, and the kernels."""
    kernels = {"decode": 2000.0, "resample": None, "log-mel": 1000.0, "network": 1000.0}
    return {
        "emotool cnn": [figures(rate) for rate in (100.0, 300.0, 900.0)],
        "peer notebook cnn": [figures(10.0)] * 3,
        **{
            f"kernel cnn {name}": [{"clips_s": rate, "setting": [8, 1]}] * 3
            for name, rate in kernels.items()
        },
    }


def test_ratios_are_of_medians() -> None:
    """How many times a peer's rate emotool has, is the quotient of the two medians."""
    text = tables(rounds(), CONDITIONS, LENGTHS)
    assert "| 30 | 30 |" in text
    assert "| 900 |" in text  # times real time: 300 clips of 3 s


def test_efficiency_compares_with_the_kernels_in_turn() -> None:
    """The limit is 1/Σ(1/r); a kernel that no clip needs takes no time."""
    text = tables(rounds(), CONDITIONS, LENGTHS)
    assert "| 2,000 | none | 1,000 | 1,000 | 8, 1 | 400 | 300 | 0.75 |" in text


def test_without_a_kernel_there_is_no_efficiency() -> None:
    """An efficiency against a part of the kernels would flatter."""
    found = rounds()
    del found["kernel cnn decode"]
    assert "efficiency" not in tables(found, CONDITIONS, LENGTHS)


def test_an_absent_peer_is_listed_without_figures() -> None:
    """A peer that cannot be installed has a line that says why, and no ratio."""
    found = rounds() | {"peer notebook cnn": [{"absent": "No module named 'librosa'"}] * 3}
    text = tables(found, CONDITIONS, LENGTHS)
    assert "absent: No module named 'librosa'" in text
    assert "| 30.0 |" not in text


def test_limit_of_one_kernel_is_its_rate() -> None:
    """Nothing else takes time."""
    assert limit({"decode": 120.0}) == pytest.approx(120.0)
