"""Run `emotool classify`: arguments in, one row per clip in every output, and a summary."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from emotool.errors import EmotoolError
from emotool.files.destination import shown_from_here
from emotool.files.lock import lock_all
from emotool.inputs.clips import Clip, Found
from emotool.inputs.shards import portion_of
from emotool.results.row import UNCERTAIN, ClipResult
from emotool.results.tally import RunSummary, Tally
from emotool.run.finding import find_inputs
from emotool.run.journal import Journal
from emotool.run.options import Output, Progress, RunOptions, Silence
from emotool.run.origin import origin_of, parameters_of
from emotool.run.outputs import Outputs, columns_of, files_of
from emotool.run.part import PartFiles
from emotool.run.update import Update
from emotool.text import printable
from emotool.workers.pool import WorkerPool, workers_worth

if TYPE_CHECKING:
    from emotool.model.classifier import Classifier
    from emotool.run.pipeline import Recorder

__all__ = ["Output", "Progress", "RunOptions", "RunSummary", "TooManyFailuresError", "run"]


class TooManyFailuresError(EmotoolError):
    """More clips failed than were allowed to."""


def run(options: RunOptions, progress: Progress | None = None) -> RunSummary:
    """Label every clip that the paths name and write one row for each.

    Outputs that are files appear whole, when all rows are known, or not at all. Until then,
    a journal beside the first of them keeps what is done: the same run resumes from it.

    Parameters
    ----------
    options : RunOptions
        What to do.
    progress : Progress, optional
        Receives the progress of the run.

    Returns
    -------
    RunSummary

    Raises
    ------
    EmotoolError
        If the run cannot be finished; what it has done is kept for the next try.
    """
    return _Batch(options, progress or Silence()).run()


class _Batch:
    """One run."""

    def __init__(self, options: RunOptions, progress: Progress) -> None:
        self._options = options
        self._progress = progress
        self._began = time.perf_counter()
        self._when = datetime.now(UTC)
        self._resumed = self._own_clips = 0
        self._done: dict[int, int] = {}  # by an earlier run: where the journal has it
        self._journal: Journal | None = None
        self._temporary = False
        self._parts: PartFiles | None = None
        self._update: Update | None = None

    def run(self) -> RunSummary:
        try:
            return self._run()
        except (KeyboardInterrupt, SystemExit):
            if self._journal is not None and self._journal.kept and not self._temporary:
                self._progress.note("Progress saved; run the same command to resume.")
            raise

    def _run(self) -> RunSummary:
        options = self._options
        files = files_of(options.outputs)
        with ExitStack() as stack:
            pool = stack.enter_context(WorkerPool(options.pool))
            pool.start(1)  # before anything else: it is ready when the model is
            found = self._find(files)
            pool.start(workers_worth(found.clips, pool.workers))
            chosen = not any(output.default for output in options.outputs)
            if chosen:  # where nothing can be written is reported before anything is read
                lock_all(files, stack)
            # Not at the top: ONNX Runtime loads while the workers do.
            from emotool.model.classifier import load_classifier

            classifier = load_classifier(options.model, options.device, options.threads)
            if not chosen:
                files = self._settle(found, files, classifier)
                lock_all(files, stack)
            if (portion := self._options.portion) is not None:
                self._parts = PartFiles(self._options, portion, classifier)
                if self._parts.complete and not options.restart:
                    return self._completed()
            if self._options.update is not None:
                self._update = Update(self._options, origin_of(self._options, classifier))
                stack.callback(self._update.discard)
                found = replace(found, clips=self._update.extended(found.clips))
            if files:
                self._journal = stack.enter_context(self._open_journal(files[0], classifier))
            if options.adapt:
                from emotool.run.own_statistics import OwnStatistics  # it needs numpy

                own = OwnStatistics(classifier, len(found.clips), self._store(stack, classifier))
                with closing(self._rows(found.clips, classifier, pool, own)) as base:
                    self._own_clips = own.gather(base, self._progress, self._check_failures)
                return self._write(own.results(found.clips, self._done), found, files, own.model())
            recorder = self._update or self._journal
            with closing(self._rows(found.clips, classifier, pool, recorder)) as rows:
                return self._write(rows, found, files, classifier)

    def _completed(self) -> RunSummary:
        """Return the summary of a shard that an earlier run has completed."""
        from emotool.run.merging import summary_of

        table = next(each.target for each in self._options.outputs if each.content == "table")
        self._progress.note(f"{printable(table)} is complete already")
        return summary_of(table)

    def _find(self, files: Sequence[Path]) -> Found:
        """Find the clips, and take those of the shard."""
        options = self._options
        found = find_inputs(options, files, self._progress)
        if options.shard is None:
            return found
        portion = portion_of(found, options.shard, options.manifest)
        self._options = replace(options, portion=portion, manifest=portion.manifest)
        return portion.found

    def _settle(self, found: Found, files: list[Path], model: "Classifier") -> list[Path]:
        """Choose other files for outputs that nobody named, where something would be lost."""
        options = self._options
        from emotool.run.default_place import Planned, settle

        columns = columns_of(options, model.labels, model.dimensions)
        planned = Planned(found.clips, columns, model.name, options.pool.reading)
        outputs = [settle(one, planned) if one.default else one for one in options.outputs]
        if outputs == list(options.outputs):
            return files
        for before, after in zip(options.outputs, outputs, strict=True):
            if before != after:
                self._progress.note(
                    f"{before.target} is kept for other clips, columns or models: writing "
                    f"{after.target}"
                )
        self._options = replace(options, outputs=outputs)
        return files_of(outputs)

    def _open_journal(self, file: Path, classifier: "Classifier") -> Journal:
        parameters = parameters_of(origin_of(self._options, classifier), self._options.details)
        if self._update is None:
            journal = Journal(file, parameters, restart=self._options.restart)
        else:
            journal = self._update.open_journal(file, parameters)
        if journal.outdated:
            self._progress.note(
                "the interrupted run had another model or other settings; starting over"
            )
        return journal

    def _store(self, stack: ExitStack, classifier: "Classifier") -> Journal:
        """Return the journal; without a file that it could be beside, one that is temporary."""
        if self._journal is None:
            folder, self._temporary = stack.enter_context(TemporaryDirectory()), True
            self._journal = stack.enter_context(self._open_journal(Path(folder, "run"), classifier))
        return self._journal

    def _rows(
        self,
        clips: Sequence[Clip],
        classifier: "Classifier",
        pool: WorkerPool,
        recorder: "Recorder | None",
    ) -> Generator[ClipResult]:
        """Yield one result per clip, in order, from the journal or the model."""
        from emotool.run.pipeline import classify_clips, same_clip

        done: dict[int, int] = {}
        earlier = self._update or self._journal
        if earlier is not None:
            done = earlier.known(clips, self._options.pool.reading)
        self._resumed, self._done = len(done) - self._unchanged, done
        self._progress.begin(len(clips), self._resumed, classifier.labels, self._unchanged)
        todo = (clip for clip in clips if clip.index not in done)
        fresh = classify_clips(
            todo,
            classifier,
            batch_size=self._options.batch_size,
            pool=pool,
            recorder=recorder,
            details=self._options.details,
        )
        with closing(fresh):
            for clip in clips:
                if earlier is not None and clip.index in done:
                    yield earlier.result(clip, done[clip.index])
                else:
                    yield same_clip(clip, next(fresh, None))
            if next(fresh, None) is not None:
                raise EmotoolError("there are more results than clips: this is a bug in emotool")

    def _write(
        self, rows: Iterator[ClipResult], found: Found, files: Sequence[Path], model: "Classifier"
    ) -> RunSummary:
        """Write the rows to every output and put the outputs in their places."""
        # The journal keeps the model's labels: a resumed run may have another threshold.
        uncertain = [UNCERTAIN] if self._options.min_confidence > 0 and model.labels else []
        tally = Tally([*model.labels, *uncertain], model.dimensions)
        options = self._options if self._update is None else self._update.outputs()
        with Outputs(options, model, found.clips, files) as outputs:
            if outputs.lacks_windows:
                self._progress.note(
                    "a report has a row for each clip, and shows the windows of its first minute "
                    "when it is opened: for a table of all windows add -o segments.csv"
                )
            for labelled in rows:
                result = outputs.write(labelled)
                tally.add(result)
                self._progress.advance(result)
                if result.status == "failed":
                    self._check_failures(tally, result)
            if tally.rows != len(found.clips):
                raise EmotoolError(
                    f"{tally.rows} rows for {len(found.clips)} clips: this is a bug in emotool"
                )
            failures = outputs.close(self._facts(model, tally))
        if self._parts is not None:
            self._parts.write_records(outputs.rows)
        if self._update is not None:
            self._update.put_in_place(found.clips)
        return self._summary(found, model, tally, failures)

    @property
    def _unchanged(self) -> int:
        return 0 if self._update is None else self._update.unchanged

    def _check_failures(self, tally: Tally, result: ClipResult) -> None:
        allowed = self._options.max_errors
        if allowed is None or tally.failed <= allowed:
            return
        many = "1 clip" if tally.failed == 1 else f"{tally.failed} clips"
        raise TooManyFailuresError(
            f"stopped because {many} failed, the last one {printable(result.shown)}: "
            f"{printable(result.stage)}: {printable(result.error)}",
            hint="run the same command to resume; --max-errors allows more",
        )

    def _facts(self, model: "Classifier", tally: Tally) -> dict[str, Any]:
        """Return the facts of the run, for formats that have a place for them."""
        seconds = time.perf_counter() - self._began
        return {
            "started": self._when.isoformat(timespec="seconds"),
            "seconds": round(seconds, 3),
            "clips": tally.rows,
            "clips_per_second": round((tally.rows - self._resumed - self._unchanged) / seconds, 1),
            "resumed": self._resumed,
            "min_confidence": self._options.min_confidence,
            **({"own_statistics_of": self._own_clips} if self._own_clips else {}),
            **parameters_of(origin_of(self._options, model), self._options.details),
        }

    def _summary(
        self, found: Found, model: "Classifier", tally: Tally, failures: Path | None
    ) -> RunSummary:
        return RunSummary(
            **tally.counts(),
            seconds=time.perf_counter() - self._began,
            resumed=self._resumed,
            skipped=found.skipped,
            hidden=found.hidden,
            archives=found.archives,
            model=model.name,
            device=model.device,
            outputs=tuple(each.target for each in self._options.outputs if each.content == "table"),
            failures_file=None if failures is None else shown_from_here(failures),
            beside=tuple(
                (f"files for {each.content}" if each.is_folder else each.content, each.target)
                for each in self._options.outputs
                if each.content != "table"
            ),
            is_part=self._options.portion is not None,
            unchanged=self._unchanged,
            vanished=0 if self._update is None else self._update.vanished,
            own_statistics_of=self._own_clips,
        )
