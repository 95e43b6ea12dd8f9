"""Results as one JSON document: ``{"schema", "labels", "clips": [...], "run": {...}}``.

Written as a stream, one clip a line, so that a million clips need no memory. Everything that
differs from run to run (times, rates, versions) is in ``run``, which comes last; what is
before it is the same bytes whenever clips, model and parameters are the same.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from emotool.results.columns import TopLabels, record
from emotool.results.row import SCHEMA, ClipResult
from emotool.writers.base import TextOutput, WriterOptions

__all__ = ["JsonLinesWriter", "JsonWriter"]


class JsonWriter(TextOutput):
    """Writes results as one JSON document.

    Parameters
    ----------
    target : str
        A path.
    labels : sequence of str
        The model's labels.
    facts : mapping
        Facts of the run, read when the document is closed.
    options : WriterOptions
        ``top``, ``kept`` and ``spans`` concern JSON; its strings are lossless as they are.
    """

    def __init__(
        self,
        target: str,
        labels: Sequence[str],
        facts: Mapping[str, Any],
        options: WriterOptions,
    ) -> None:
        super().__init__(target)
        self._labels = tuple(labels)
        self._top = TopLabels(labels, options.top)
        self._spans = options.spans
        self._facts = facts
        self._kept = options.kept
        self._separator = "\n"
        self.put(f'{{"schema": {_json(SCHEMA)},\n"labels": {_json(self._labels)},\n"clips": [')

    def write(self, result: ClipResult) -> None:
        """Add a clip's object."""
        clip = record(result, self._labels, spans=self._spans)
        clip |= self._top.record(result) | self._kept.record(result)
        self.put(self._separator + _json(clip))
        self._separator = ",\n"

    def close(self) -> None:
        """Add the facts of the run, and put the file in its place."""
        try:
            self.put(f'\n],\n"run": {_json(dict(self._facts))}}}\n')
        except BaseException:
            self.discard()
            raise
        super().close()


def _json(value: object) -> str:
    # ASCII only: control and bidirectional characters of a file name stay escaped in an
    # editor or a terminal, and every reader decodes them to the same text.
    return json.dumps(value, allow_nan=False)


class JsonLinesWriter(TextOutput):
    """Writes results as JSON Lines.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.
    labels : sequence of str
        The model's labels.
    facts : mapping
        Facts of the run; lines about clips have no place for them.
    options : WriterOptions
        ``top``, ``kept`` and ``spans`` concern JSON; its strings are lossless as they are.
    """

    def __init__(
        self,
        target: str,
        labels: Sequence[str],
        facts: Mapping[str, Any],
        options: WriterOptions,
    ) -> None:
        super().__init__(target)
        self._labels = tuple(labels)
        self._top = TopLabels(labels, options.top)
        self._kept = options.kept
        self._spans = options.spans

    def write(self, result: ClipResult) -> None:
        """Add a clip's line."""
        clip = record(result, self._labels, spans=self._spans)
        clip |= self._top.record(result) | self._kept.record(result)
        line = {"schema": SCHEMA, **clip}
        self.put(json.dumps(line, allow_nan=False) + "\n")
