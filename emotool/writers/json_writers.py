"""Results as one JSON document, or as JSON Lines.

The document is ``{"schema", "labels", "clips": [...], "run": {...}}``, with ``dimensions`` behind
the labels if the model gives some, streamed, one clip a line,
so that a million clips need no memory. Everything that differs from run to run (times, rates,
versions) is in ``run``, which comes last; what is before it is the same bytes whenever clips,
model and parameters are the same. JSON Lines have an object per clip and no facts of the run.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from emotool.results.row import SCHEMA, ClipResult
from emotool.writers.base import WriterOptions
from emotool.writers.file_output import TextOutput

if TYPE_CHECKING:
    from emotool.results.columns import Columns

__all__ = ["JsonLinesWriter", "JsonWriter"]


class JsonWriter(TextOutput):
    """Writes results as one JSON document.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.
    table : Columns
        Its entries are the keys of a clip's object.
    facts : mapping
        Facts of the run, read when the document is closed.
    options : WriterOptions
        None concerns JSON, whose strings are lossless as they are.
    """

    def __init__(
        self, target: str, table: "Columns", facts: Mapping[str, Any], options: WriterOptions
    ) -> None:
        super().__init__(target)
        self._table = table
        self._facts = facts
        self._separator = "\n"
        given = f'"labels": {_json(table.labels)},\n'
        if table.dimensions:
            given += f'"dimensions": {_json(table.dimensions)},\n'
        self.put(f'{{"schema": {_json(SCHEMA)},\n{given}"clips": [')

    def write(self, result: ClipResult) -> None:
        """Add a clip's object."""
        self.put(self._separator + _json(self._table.record(result)))
        self._separator = ",\n"

    def close(self) -> None:
        """Add the facts of the run, and put the file in its place."""
        try:
            self.put(f'\n],\n"run": {_json(dict(self._facts))}}}\n')
        except BaseException:
            self.discard()
            raise
        super().close()


class JsonLinesWriter(TextOutput):
    """Writes results as JSON Lines.

    Parameters
    ----------
    target, table, options
        As `JsonWriter`.
    facts : mapping
        Facts of the run; lines about clips have no place for them.
    """

    def __init__(
        self, target: str, table: "Columns", facts: Mapping[str, Any], options: WriterOptions
    ) -> None:
        super().__init__(target)
        self._table = table

    def write(self, result: ClipResult) -> None:
        """Add a clip's line."""
        self.put(_json({"schema": SCHEMA, **self._table.record(result)}) + "\n")


def _json(value: object) -> str:
    # ASCII only: control and bidirectional characters of a file name stay escaped in an
    # editor or a terminal, and every reader decodes them to the same text.
    return json.dumps(value, allow_nan=False)
