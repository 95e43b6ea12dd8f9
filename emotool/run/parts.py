"""The parts of a run: found, and checked to be all there and of one run."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emotool.errors import InputError
from emotool.run.part import PartRecord, read_record, record_place
from emotool.text import printable

__all__ = ["Part", "check_parts", "check_same", "find_parts"]

_SHOWN: Final = 10
_AGAIN: Final = "remove the parts with their records and run the commands of the shards again"


@dataclass(frozen=True, slots=True)
class Part:
    """A part and its record."""

    path: Path
    record: PartRecord


def find_parts(names: Sequence[str]) -> list[Part]:
    """Find parts and their records.

    Parameters
    ----------
    names : sequence of str
        Parts, and folders of parts.

    Returns
    -------
    list of Part
        In the order of their shards.

    Raises
    ------
    InputError
        If one has no record, or there is none.
    """
    parts = []
    for name in names:
        path = Path(name)
        for each in _parts_in(path) if path.is_dir() else [path]:
            parts.append(Part(each, read_record(each)))
    if not parts:
        raise InputError(
            "there are no parts to merge",
            hint="emotool classify --shard i/n writes them",
        )
    return sorted(parts, key=lambda part: part.record.shard)


def _parts_in(folder: Path) -> list[Path]:
    """Return the parts in a folder: files that have a file of their record's name beside them."""
    files = {path for path in folder.iterdir() if path.is_file()}
    return sorted(path for path in files if record_place(path) in files)


def check_parts(parts: Sequence[Part]) -> None:
    """Check that parts are all those of one run, each once.

    Raises
    ------
    InputError
        If they are not; it names the parts or the shards.
    """
    first = parts[0]
    for part in parts:
        check_same(first, part)
    shards = [part.record.shard for part in parts]
    for before, after in itertools.pairwise(parts):
        if before.record.shard == after.record.shard:
            raise InputError(
                f"{printable(str(before.path))} and {printable(str(after.path))} are both shard "
                f"{after.record.shard}/{after.record.shards}",
                hint="give the part of each shard once",
            )
    count = first.record.shards
    if len(shards) < count:
        some = _ranges(sorted(set(range(1, count + 1)) - set(shards)))
        raise InputError(
            f"{count - len(shards):,} of {count:,} shards are missing: {some}",
            hint="emotool classify --shard i/n, with the options of the others, makes each",
        )
    clips = sum(part.record.clips for part in parts)
    if clips != first.record.plan_clips:
        raise InputError(
            f"the parts have {clips:,} clips of {first.record.plan_clips:,}", hint=_AGAIN
        )


def check_same(first: Part, part: Part) -> None:
    """Check that two parts are of one run; raises `InputError` if not."""
    if part.record.whole == first.record.whole:
        return
    one, other = printable(str(first.path)), printable(str(part.path))
    if part.record.shards != first.record.shards:
        reason = f"one of {first.record.shards} shards, the other of {part.record.shards}"
    elif differing := first.record.origin.differences(part.record.origin):
        name = differing[0]
        values = [getattr(each.record.origin, name) for each in (first, part)]
        reason = f"{name} is {values[0]!r} in one and {values[1]!r} in the other"
    else:
        reason = "their inputs are not slices of the same list"
    raise InputError(
        f"{one} and {other} are not parts of one run: {printable(reason)}",
        hint="run the shards with the same inputs, options and version",
    )


def _ranges(numbers: Sequence[int]) -> str:
    """Write numbers as ranges.

    Examples
    --------
    >>> _ranges([1, 2, 3, 7, 9, 10])
    '1-3, 7, 9-10'
    """
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    texts = [f"{a}-{b}" if b > a else str(a) for a, b in ranges]
    return ", ".join(texts[:_SHOWN]) + (", …" if len(texts) > _SHOWN else "")
