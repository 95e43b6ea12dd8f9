"""What outputs cost is judged by differences."""

import pytest

from benchmarks.outputs import table

ABOUT = {"processor": "P", "cores": 2, "python": "3", "clips": 1000, "model": "cnn", "repeat": 3}


def rounds(*more: float) -> list[dict[str, float]]:
    """Return figures of runs that took so many seconds more than 4 s."""
    return [{"csv_s": 4.0, "more_s": s, "more_cpu_s": s / 2, "mb": 1.0} for s in more]


@pytest.mark.parametrize(("seconds", "verdict"), [(0.99, "met"), (1.01, "missed")])
def test_all_tables_may_cost_a_tenth_and_a_constant(seconds: float, verdict: str) -> None:
    """Of 4 s: 1.00 s; the median of the rounds counts."""
    text = table(ABOUT, {"all tables": rounds(seconds, 0.0, 9.0)})
    row = next(line for line in text.splitlines() if "all tables" in line)
    assert row.startswith(f"| all tables | {seconds:.2f} | {seconds / 4:.0%} |")
    assert row.endswith(f" 1.00 s: {verdict} |")


@pytest.mark.parametrize(("seconds", "verdict"), [(39.9, "met"), (40.1, "missed")])
def test_report_may_cost_forty_milliseconds_a_clip(seconds: float, verdict: str) -> None:
    """Whatever the rest costs."""
    text = table(ABOUT, {"report": rounds(seconds, seconds, seconds)})
    assert text.rstrip().endswith(f"40 ms a clip: {verdict} |")
