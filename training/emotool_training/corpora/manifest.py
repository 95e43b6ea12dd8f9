"""Clips of your own: a CSV or TSV with one row per clip.

Columns ``path`` (from the CSV's folder) and ``label`` (or ``emotion``) must be there;
``speaker``, ``corpus``, ``sex``, ``intensity``, ``sentence`` and ``language`` may be. Without a
speaker only a split by clips is possible.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from emotool.errors import CorpusError, InputError
from emotool.inputs.delimited import read_delimited
from emotool.inputs.encoding import read_text
from emotool.inputs.names import Names
from emotool.text import printable
from emotool_training.corpora import registry
from emotool_training.corpora.base import Problem, Utterance
from emotool_training.corpora.names import CorpusNames

__all__ = ["COLUMNS", "read"]

REQUIRED = ("path", "label")
_OLD_NAMES = {"label": "emotion"}
"""Other names of columns, where a table has no column of the first name."""
OPTIONAL = ("speaker", "corpus", "sex", "intensity", "sentence", "language")
_HINT = (
    f"a table of clips has the columns {' and '.join(REQUIRED)} and may have "
    f"{', '.join(OPTIONAL)}; a report's corrections have path and correction"
)
COLUMNS = REQUIRED + OPTIONAL
"""The columns that are read, in any order; others are ignored."""

_SUFFIXES = (".csv", ".tsv")
_SEXES = {"m": "male", "male": "male", "f": "female", "female": "female"}


def read(path: Path, names: CorpusNames, problems: list[Problem]) -> Iterator[Utterance]:
    """Read a manifest.

    Parameters
    ----------
    path : Path
        A CSV or TSV with a header, in any dialect of `emotool.inputs.delimited`.
    names : CorpusNames
        Names the corpus of rows that name none.
    problems : list of Problem
        Rows without a path or a label, and files that are not there, are added here.

    Yields
    ------
    Utterance
        One per usable row.

    Raises
    ------
    CorpusError
        If the file is no such table, lacks a required column or has one twice.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise CorpusError(
            f"{path}: training data is a folder or a CSV manifest, and this is neither",
            hint=f"a manifest is named .csv or .tsv and has the columns {', '.join(COLUMNS)}",
        )
    try:
        table = read_delimited(read_text(str(path), str(path)), str(path))
    except InputError as error:
        raise CorpusError(f"{error.message}: cannot be read as a CSV", hint=error.hint) from error
    _check_header(path, table.columns)
    columns = _renamed(table.columns)
    files = Names()
    for line, row in table.rows:
        found = dict(zip(columns, row, strict=True))
        cells = {name: found.get(name, "").strip() for name in COLUMNS}
        problem = _fault(cells, path, line, files)
        if problem is None:
            cells["label"] = names.label(cells["label"])
            yield _clip(cells, path.parent, cells["corpus"] or names.of(path))
        else:
            problems.append(problem)


def _renamed(names: Sequence[str]) -> list[str]:
    """Give columns their present names."""
    new = {old: name for name, old in _OLD_NAMES.items() if name not in names}
    return [new.get(name, name) for name in names]


def _check_header(path: Path, names: Sequence[str]) -> None:
    """Refuse a table that lacks a column, or has one twice."""
    if not names:
        raise CorpusError(f"{path} is empty", hint=_HINT)
    there = ", ".join(map(printable, names))
    names = _renamed(names)
    for name in COLUMNS:
        if names.count(name) > 1:
            raise CorpusError(f"{path}: has two columns called {name}")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        what = f"column {missing[0]}" if len(missing) == 1 else f"columns {' and '.join(missing)}"
        raise CorpusError(f"{path} has no {what}; its columns: {there}", hint=_HINT)


def _fault(cells: dict[str, str], manifest: Path, line: int, files: Names) -> Problem | None:
    """Say what is wrong with a row, if anything is; a path becomes that of the file it means."""
    empty = [name for name in REQUIRED if not cells[name]]
    if empty:
        return Problem("bad row", manifest, f"line {line} has no {' and no '.join(empty)}")
    audio = manifest.parent / cells["path"]
    if not audio.is_file():
        meant = files.find(cells["path"], str(manifest.parent))
        if meant is None or not Path(meant).is_file():
            near = files.near(cells["path"], str(manifest.parent))
            what = f"named in {manifest.name}, line {line}, and missing"
            return Problem("missing", audio, f"{what}; {near}" if near else what)
        folder = os.path.join(manifest.parent, "")  # noqa: PTH118 - with a slash at its end
        cells["path"] = meant.removeprefix(folder)
    return None


def _clip(cell: Mapping[str, str], folder: Path, corpus: str) -> Utterance:
    """Convert a valid row to a clip."""
    audio = folder / cell["path"]
    known = corpus in registry.facts()  # its clips have one key, however they are found
    name = Path(cell["path"]).with_suffix("").as_posix()
    key = registry.key_of(corpus, cell["path"]) if known else f"{corpus}/{name}"
    speaker = cell["speaker"].removeprefix(f"{corpus}-")
    return Utterance(
        key=key,
        path=audio,
        corpus=corpus,
        language=cell["language"],
        speaker=f"{corpus}-{speaker}" if speaker else "",
        sex=_SEXES.get(cell["sex"].lower(), "unknown"),
        emotion=cell["label"],
        intensity=cell["intensity"],
        sentence=cell["sentence"],
    )
