"""A run's outputs: each is opened with what it needs, and gets rows as it wants them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotool.annotation_folder import AnnotationFolder, Annotations
from emotool.discovery import Clip
from emotool.failure_table import FailureTable
from emotool.outputs import Outputs
from emotool.results import ClipResult, Kept, Sources
from emotool.results.embeddings import EmbeddingOptions, open_embeddings
from emotool.results.row import doubted
from emotool.run_options import RunOptions
from emotool.segments import segment_rows

if TYPE_CHECKING:
    from emotool.model import Classifier

__all__ = ["RunOutputs", "beside", "open_outputs"]


@contextmanager
def open_outputs(
    options: RunOptions, model: "Classifier", clips: Sequence[Clip], files: Sequence[Path]
) -> Iterator["RunOutputs"]:
    """Open every output of a run; leaving by an exception leaves what was there before.

    Parameters
    ----------
    options : RunOptions
        What was asked for.
    model : Classifier
        Whose labels the rows have.
    clips : sequence of Clip
        What the rows will be about.
    files : sequence of Path
        The outputs that are files, as `emotool.outputs.files_of` lists them.

    Raises
    ------
    EmotoolError
        If an output cannot be written, or the model does not give what it wants.
    """
    manifest = options.manifest
    kept = Kept() if manifest is None else Kept(manifest.columns, manifest.rows)
    sources = Sources(clips, model)
    writer = replace(options.writer, sources=sources, kept=kept, spans=options.segments)
    failures = _failure_table(options, files)
    facts: dict[str, Any] = {}
    with Outputs(options.outputs, failures, model.labels, facts, writer) as outputs:
        run_outputs = RunOutputs(options, model.labels, outputs, facts)
        for wanted in options.annotations:
            outputs.add_writer(_annotation_folder(wanted, run_outputs, model, files))
        if options.embeddings is not None:
            about = EmbeddingOptions(
                model.embedding_size(), model.name, model.sha256, spans=options.segments
            )
            outputs.add_writer(open_embeddings(options.embeddings, about))
        yield run_outputs


class RunOutputs:
    """All outputs of a run, opened: takes what the model said of a clip, gives rows to each."""

    def __init__(
        self,
        options: RunOptions,
        labels: Sequence[str],
        outputs: Outputs,
        facts: dict[str, Any],
    ) -> None:
        self._options = options
        self._labels = labels
        self._outputs = outputs
        self._facts = facts
        self.lacks_windows = options.segments and outputs.about_clips

    def write(self, labelled: ClipResult) -> ClipResult:
        """Add what belongs into each output; returns the clip's row, doubted if need be."""
        result = doubted(labelled, self._options.min_confidence)
        self._outputs.write(result, self.parts(labelled) if self._options.segments else ())
        return result

    def parts(self, labelled: ClipResult) -> list[ClipResult]:
        """Return the rows about a clip's windows."""
        rows = segment_rows(labelled, self._labels, merge=self._options.merge)
        return [doubted(row, self._options.min_confidence) for row in rows]

    def close(self, facts: dict[str, Any]) -> Path | None:
        """Put everything in its place.

        Parameters
        ----------
        facts : dict
            What differs from run to run, for formats that have a place for it.

        Returns
        -------
        Path or None
            Where the table of failures is, if anything failed.
        """
        self._facts.update(facts)
        return self._outputs.close()


def beside(options: RunOptions) -> tuple[tuple[str, str], ...]:
    """Name what a run writes beside its tables: what it is, and where."""
    written = [(f"files for {each.program}", each.folder) for each in options.annotations]
    if options.embeddings is not None:
        written.append(("embeddings", options.embeddings))
    return tuple(written)


def _failure_table(options: RunOptions, files: Sequence[Path]) -> FailureTable | None:
    if not files:
        return None
    sources = [Path(path) for path in options.sources]
    spared = [*files, *(path.parent.resolve() / path.name for path in sources)]
    return FailureTable(files[0], raw=options.writer.raw, spared=spared)


def _annotation_folder(
    wanted: Annotations, run_outputs: RunOutputs, model: "Classifier", files: Sequence[Path]
) -> AnnotationFolder:
    return AnnotationFolder(wanted, run_outputs.parts, model.labels, model.spec.f_max, files)
