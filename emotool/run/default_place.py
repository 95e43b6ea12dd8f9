"""Where a table goes that nobody has named a file for: never over content that it does not have."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from emotool.errors import InputError
from emotool.files.destination import numbered
from emotool.inputs.clips import Clip
from emotool.inputs.delimited import read_delimited
from emotool.results.columns import Columns
from emotool.run.options import Output
from emotool.run.unfinished import is_of_others
from emotool.text import harmless, path_text

if TYPE_CHECKING:
    from emotool.workers.protocol import Reading

__all__ = ["Planned", "settle"]

_OURS: Final = ("path", "status")  # how tables of ours begin
_TIME: Final = "start_s"  # only tables of windows have it

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Planned:
    """A table that is to be written.

    Parameters
    ----------
    clips : sequence of Clip
        What the rows will be about.
    columns : Columns
    model : str
        The model's name, as in the column of that name.
    reading : Reading
        How clips are read.
    """

    clips: Sequence[Clip]
    columns: Columns
    model: str
    reading: "Reading"


def settle(output: Output, planned: Planned) -> Output:
    """Choose the file of a table by what is there already.

    A table is replaced if the new one has all its clips and columns, by the same model, so that
    nothing is lost. Anything else stays, and so does a name for which an interrupted run has
    labelled other clips: the next number is tried, ``labels_2.csv``.

    Parameters
    ----------
    output : Output
        Of a file that was not named by the user.
    planned : Planned
        The table.

    Returns
    -------
    Output
        The first that is free, or a table that the new one may replace.
    """
    shown = {path_text(clip.shown) for clip in planned.clips}
    shown |= {harmless(path) for path in shown}
    for file in numbered(Path(output.target)):
        place = Path(os.path.realpath(file))  # as of the output, beside which journals are
        if is_of_others(place, planned.clips, planned.reading):
            continue
        if not file.exists() or _loses_nothing(file, planned, shown):
            break
    return replace(output, target=str(file))


def _loses_nothing(file: Path, planned: Planned, shown: set[str]) -> bool:
    """Whether all rows and columns of a table will be in the new one."""
    table = planned.columns
    names = {name for each in table.names for name in (each, harmless(each))}
    names |= {entry.name for entry in table.entries} | {"schema"}
    models = {"", None, planned.model, harmless(planned.model)}
    try:
        return all(
            row.keys() <= names
            and (_TIME in row) == (_TIME in table.names)
            and row["path"] in shown
            and row["model"] in models
            and set(row.get("probabilities") or {}) <= set(table.labels)
            and set(row.get("dimensions") or {}) <= set(table.dimensions)
            for row in _rows(file)
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False
    except InputError:
        return False


def _rows(file: Path) -> Iterator[Row]:
    """Yield the rows of a table of ours; any of many errors where it is none."""
    text = file.read_bytes().decode("utf-8-sig") if file.is_file() else ""
    if file.suffix == ".json":
        yield from json.loads(text)["clips"]
    elif file.suffix == ".jsonl":
        yield from (json.loads(line) for line in text.split("\n") if line)
    else:
        table = read_delimited(text, str(file))
        if table.columns[: len(_OURS)] != _OURS:
            raise ValueError("not a table of labels")
        yield from (dict(zip(table.columns, cells, strict=True)) for _, cells in table.rows)
