"""Pieces of Markdown that several generators write."""

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; bars in cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )


def first_table(lines: Sequence[str]) -> tuple[int, int]:
    """Return the index of the first line of the first table, and of the line after its last."""
    first = next((place for place, line in enumerate(lines) if line.startswith("|")), len(lines))
    rest = range(first, len(lines))
    return first, next((n for n in rest if not lines[n].startswith("|")), len(lines))


def percent(rate: float) -> str:
    """Return a rate in [0, 1] as a percentage with one decimal."""
    return f"{100 * rate:.1f} %"
