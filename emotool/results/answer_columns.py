"""The columns of what a model gives: labels with their probabilities, dimensions."""

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Final

from emotool.results.column import Column, Entry
from emotool.results.row import ClipResult

__all__ = ["dimension_entry", "label_entries", "single", "top_labels"]

_DECIMALS: Final = 6


def single(column: Column, meaning: str) -> Entry:
    """Return the entry of a column that JSON has under the same name."""
    return Entry(column.name, column.rounded, (column,), meaning=meaning)


def label_entries(labels: Sequence[str]) -> Iterator[Entry]:
    """Yield what is known of a clip's label."""
    yield single(
        Column("label", "text", lambda result: result.label or None),
        "the most probable label, or `uncertain` below `--min-confidence`; empty unless `ok`",
    )
    yield single(
        Column("confidence", "share", attrgetter("confidence"), _DECIMALS, width=12),
        "probability of the most probable label, 0 to 1, six decimals; empty unless `ok`",
    )
    yield _probabilities(labels)


def _probabilities(labels: Sequence[str]) -> Entry:
    """Return the entry with one column per label, an object in JSON."""

    def probability(place: int) -> Callable[[ClipResult], float | None]:
        return lambda result: result.probabilities[place] if result.probabilities else None

    columns = [
        Column(f"p_{label}", "share", probability(place), _DECIMALS, key=label)
        for place, label in enumerate(labels)
    ]

    def value(result: ClipResult) -> dict[str, float] | None:
        pairs = zip(labels, result.probabilities, strict=False)  # `Columns.check` counts them
        return {label: round(p, _DECIMALS) for label, p in pairs} or None

    return Entry(
        "probabilities",
        value,
        columns,
        meaning="one column per label, in the model's order: its mean probability over the "
        "clip's windows; empty unless `ok`",
    )


def dimension_entry(names: Sequence[str]) -> Entry:
    """Return the entry with one column per dimension, an object in JSON."""

    def number(place: int) -> Callable[[ClipResult], float | None]:
        return lambda result: result.dimensions[place] if result.dimensions else None

    columns = [
        Column(name, "number", number(place), _DECIMALS, key=name)
        for place, name in enumerate(names)
    ]

    def value(result: ClipResult) -> dict[str, float] | None:
        pairs = zip(names, result.dimensions, strict=False)  # `Columns.check` counts them
        return {name: round(number, _DECIMALS) for name, number in pairs} or None

    return Entry(
        "dimensions",
        value,
        columns,
        meaning="instead of labels, or beside them, for a model that gives dimensions: one column "
        "per dimension, named as the model names it (`arousal`): its mean over the clip's windows, "
        "six decimals; empty unless `ok`",
    )


def top_labels(labels: Sequence[str], count: int) -> Entry:
    """Return the entry with the most probable labels, the most probable first.

    Of equally probable labels the model's first comes first, as for ``label``.
    """
    last: tuple[ClipResult | None, list[tuple[str, float]]] = (None, [])

    def ranked(result: ClipResult) -> list[tuple[str, float]]:
        nonlocal last
        if last[0] is not result:  # ranked once for all columns and writers
            pairs = zip(labels, result.probabilities, strict=False)
            known = [pair for pair in pairs if pair[1] is not None]
            last = (result, sorted(known, key=lambda pair: -pair[1])[:count])  # stable
        return last[1]

    def part(place: int, which: int) -> Callable[[ClipResult], Any]:
        return lambda result: pairs[place][which] if place < len(pairs := ranked(result)) else None

    columns = []
    for place in range(count):
        name = f"top_{place + 1}"
        columns.append(Column(name, "text", part(place, 0), indent=True))
        columns.append(Column(f"{name}_p", "share", part(place, 1), _DECIMALS))

    def value(result: ClipResult) -> list[dict[str, Any]] | None:
        return [
            {"label": label, "probability": round(share, _DECIMALS)}
            for label, share in ranked(result)
        ] or None

    return Entry(
        "top",
        value,
        columns,
        meaning="with `--top N`, after all others: the N most probable labels and their "
        "probabilities, most probable first, also where `label` is `uncertain`",
    )
