"""Where a table goes that nobody has named a file for: never over labels of other clips."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from emotool.errors import InputError
from emotool.files.destination import numbered
from emotool.inputs.clips import Clip
from emotool.inputs.delimited import read_delimited
from emotool.run.options import Output
from emotool.text import harmless, path_text

__all__ = ["settle"]

_OURS = ("path", "status", "label")  # how tables of ours begin


def settle(output: Output, clips: Sequence[Clip]) -> Output:
    """Choose the file of a table by what is there already.

    A table is replaced if every clip in it is among those that the new one is about: then no
    label is lost. Anything else stays, and the next number is tried: ``labels_2.csv``.

    Parameters
    ----------
    output : Output
        Of a file that was not named by the user.
    clips : sequence of Clip
        What the rows will be about.

    Returns
    -------
    Output
        The first that is free, or a table of these clips.
    """
    shown = {path_text(clip.shown) for clip in clips}
    shown |= {harmless(path) for path in shown}
    for file in numbered(Path(output.target)):
        if not file.exists():
            break
        paths = _paths(file)
        if paths is not None and paths <= shown:
            break
    return replace(output, target=str(file))


def _paths(file: Path) -> set[str] | None:
    """Read the paths in a table; None where that is not possible, or it is none of ours."""
    try:
        text = file.read_bytes().decode("utf-8-sig") if file.is_file() else ""
        if file.suffix == ".json":
            return {str(clip["path"]) for clip in json.loads(text)["clips"]}
        if file.suffix == ".jsonl":
            return {str(json.loads(line)["path"]) for line in text.split("\n") if line}
        table = read_delimited(text, str(file))
        if table.columns[: len(_OURS)] != _OURS:
            return None
        return {cells[0] for _, cells in table.rows}
    except (OSError, ValueError, LookupError, TypeError, RecursionError, InputError):
        return None
