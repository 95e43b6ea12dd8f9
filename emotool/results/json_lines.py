"""Results as JSON Lines: one object per clip and line, each complete in itself.

Piped to another program, each line leaves when its row is known, so that it can be worked on
while the run goes on. A file appears when it is complete, as with every other format.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from emotool.results import WriterOptions
from emotool.results.row import SCHEMA, ClipResult
from emotool.results.row_values import record
from emotool.results.text_output import TextOutput
from emotool.results.top import TopLabels

__all__ = ["JsonLinesWriter"]


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
