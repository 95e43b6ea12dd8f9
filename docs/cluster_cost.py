"""What a million clips cost, from the results of benchmarks/speed.py."""

import re
from pathlib import Path

from docs.markdown import table

__all__ = ["million"]

ROOT = Path(__file__).resolve().parents[1]
_CORES = 64  # of a large machine
_HOURS = 24 * 365.25


def million() -> str:
    """Return a row for each model: what a million and a thousand million clips take.

    Processor time is what all processes take together; it grows with the clips and does not depend
    on how many cores share it.
    """
    text = (ROOT / "benchmarks" / "results" / "speed.md").read_text("utf-8")
    about = re.search(r"^(.*?), (\d+) cores.*? clips of (\S+) s", text, re.MULTILINE)
    if about is None:
        raise ValueError("benchmarks/results/speed.md does not say where it was measured")
    rows = []
    for name, line in re.findall(r"^\| \*\*emotool (`\w+`)\*\* \| (.*) \|$", text, re.MULTILINE):
        cells = [float(cell) for cell in line.replace(",", "").split(" | ")]
        per_second, cpu_s = cells[1], cells[4]  # clips/s; CPU s per 1,000 clips
        core_hours = cpu_s / 3.6  # of a million
        rows.append(
            [
                name,
                f"{1e6 / per_second / 3600:.1f} h",
                f"{core_hours:.1f}",
                f"{1e3 * core_hours / _CORES / 24:,.1f} days",
                f"{1e3 * core_hours / _HOURS:.2f}",
            ]
        )
    return table(
        [
            "model",
            f"a million clips, {about[2]} cores",
            "core-hours",
            f"a thousand million, {_CORES} cores",
            "core-years",
        ],
        rows,
    )
