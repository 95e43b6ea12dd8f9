"""Classify clips: workers read them, the model labels them, results come in input order.

>>> from emotool.inputs.clips import find_clips
>>> from emotool.model.classifier import load_classifier
>>> classifier = load_classifier("cnn")  # doctest: +SKIP
>>> for result in classify_clips(find_clips(["samples"]).clips, classifier):  # doctest: +SKIP
...     print(result.shown, result.label, result.confidence)
"""

import math
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from emotool.errors import EmotoolError
from emotool.features.waveform import padded_groups
from emotool.features.waveform_spec import WaveformSpec
from emotool.results.row import ClipResult, Prediction, Segment
from emotool.run.inference import ConcurrentCalls, Labeller, WindowClassifier
from emotool.run.options import Details
from emotool.text import printable
from emotool.workers.pool import PoolOptions, WorkerPool
from emotool.workers.supervisor import Answer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emotool.inputs.clips import Clip

from emotool.run.partial import Batch, LabelledBatch, PartialResult

__all__ = ["Recorder", "classify_clips", "same_clip"]

_MOST_WAITING = 8
"""Batches' worth of windows that wait for others of their length."""


class Recorder(Protocol):
    """Receives results as soon as they are known, which may be out of order."""

    def record(self, result: ClipResult, identity: str) -> object:
        """Receive a result, and its file's identity ("" if it has none)."""

    def idle(self) -> None:
        """Do deferred work while nothing else is to do."""


def classify_clips(
    clips: "Iterable[Clip]",
    classifier: Labeller,
    options: PoolOptions | None = None,
    *,
    batch_size: int | None = None,
    pool: WorkerPool | None = None,
    recorder: Recorder | None = None,
    details: Details = Details(),
) -> Generator[ClipResult]:
    """Label clips, each of which gives exactly one result, in their order.

    Closing the generator ends the worker processes.

    Parameters
    ----------
    clips : iterable of Clip
        What to label, with distinct indexes. Taken from as needed, by other threads than the
        caller's, one at a time.
    classifier : Labeller
        A loaded model.
    options : PoolOptions, optional
        How clips are read, if ``pool`` is not given.
    batch_size : int, optional
        Windows given to the model at once; the model's best if not given. Results do not
        depend on it.
    pool : WorkerPool, optional
        Workers that were started earlier, to save their start-up time. The caller closes it.
    recorder : Recorder, optional
        Receives each result except those of clips that have a problem from the start.
    details : Details, optional
        What results hold beyond the label, which does not depend on it.

    Yields
    ------
    ClipResult
        In the order of ``clips``.

    Raises
    ------
    EmotoolError
        If workers cannot be started or the model fails on everything.
    ValueError
        At the call, if ``batch_size`` is less than 1.
    """
    if batch_size is None:
        batch_size = classifier.batch_size
    elif batch_size < 1:
        raise ValueError(f"batch_size takes 1 or more windows, not {batch_size}")
    run = _Run(clips, classifier, batch_size, recorder, details)
    return _classified(run, options, pool)


def _classified(
    run: "_Run", options: PoolOptions | None, pool: WorkerPool | None
) -> Generator[ClipResult]:
    if pool is None:
        with WorkerPool(options) as own:
            yield from run.results(own)
    else:
        yield from run.results(pool)


class _Run:
    """One pass over clips."""

    def __init__(
        self,
        clips: "Iterable[Clip]",
        classifier: Labeller,
        batch_size: int,
        recorder: Recorder | None,
        details: Details,
    ) -> None:
        self._clips = clips
        self._classifier = classifier
        self._batch_size = batch_size
        self._model = WindowClassifier(classifier, batch_size, embeddings=details.embeddings)
        self._recorder = recorder
        self._order: deque[int] = deque()  # indexes of the clips taken and not yet yielded
        self._open: dict[int, Clip] = {}  # taken, without a result
        self._sums: dict[int, PartialResult] = {}
        self._ready: dict[int, ClipResult] = {}
        self._batches: dict[int, Batch] = {}  # by the length that windows are padded to
        spec = classifier.spec
        # What the model takes one at a time need not wait for others.
        self._waits = not (isinstance(spec, WaveformSpec) and spec.one_at_a_time)
        self._calls: ConcurrentCalls[LabelledBatch] = ConcurrentCalls(classifier.batches_at_once)
        self._details = details

    def results(self, pool: WorkerPool) -> Iterator[ClipResult]:
        """Yield the results in order."""
        with self._calls, closing(pool.run(self._readable(), self._classifier.spec)) as answers:
            for answer in answers:
                if answer is None:
                    self._flush_all()  # nothing else to do: do not let results wait
                    if self._recorder is not None:
                        self._recorder.idle()
                else:
                    self._receive(answer)
                yield from self._in_order()
            self._flush_all()
            for labelled in self._calls.remaining():
                self._add(*labelled)
        yield from self._in_order()
        if left := len(self._order) + len(self._open) + len(self._ready):
            raise EmotoolError(f"{left} clips have no result: this is a bug in emotool")

    def _readable(self) -> "Iterator[Clip]":
        """Yield the clips that workers have to read: those without a known problem.

        Runs in the threads of the pool.
        """
        for clip in self._clips:
            if clip.index in self._open or clip.index in self._ready:
                raise EmotoolError(f"two clips have the index {clip.index}")
            if clip.problem is None:
                self._open[clip.index] = clip
                self._order.append(clip.index)
                yield clip
            else:
                self._ready[clip.index] = self._failed(clip, "open", clip.problem)
                self._order.append(clip.index)

    def _in_order(self) -> Iterator[ClipResult]:
        """Yield the results that are next in input order and ready."""
        while self._order and self._order[0] in self._ready:
            yield self._ready.pop(self._order.popleft())

    def _receive(self, answer: Answer) -> None:
        """Add a part of a clip to the present batches."""
        if answer.number == 0:  # begins, or begins again: what came before does not count
            zeros = np.zeros(self._model.width, np.float64)
            self._sums[answer.index] = PartialResult(self._open[answer.index], zeros)
        owner = self._sums[answer.index]
        if answer.windows is not None:
            groups = padded_groups(answer.windows, answer.lengths, self._classifier.spec)
            for padded, windows, lengths in groups:
                self._add_windows(padded, windows, owner, lengths)
        if self._details.segments:
            owner.spans += answer.spans
        owner.final = answer.final
        if owner.complete:  # it has no windows, or the model has seen them all
            self._finish(owner)
        for padded, batch in list(self._batches.items()):
            if batch.size >= self._batch_size or not self._waits:
                self._flush(padded)
        if sum(batch.size for batch in self._batches.values()) > _MOST_WAITING * self._batch_size:
            self._flush(next(iter(self._batches)))  # the oldest

    def _add_windows(
        self,
        padded: int,
        windows: "NDArray[np.float32]",
        owner: PartialResult,
        lengths: Sequence[int],
    ) -> None:
        """Add windows of a clip to the batch of those that are padded to their length."""
        batch = self._batches.get(padded)
        if batch is not None and batch.size + len(windows) > self._batch_size:
            self._flush(padded)
        self._batches.setdefault(padded, Batch()).add(windows, owner, lengths)

    def _flush_all(self) -> None:
        """Run the model on all windows that wait."""
        for padded in list(self._batches):
            self._flush(padded)
        self._add_ready()

    def _flush(self, padded: int) -> None:
        """Run the model on a batch, and add the rows of finished ones."""
        batch = self._batches.pop(padded)
        self._calls.submit(lambda: self._predict(batch))
        self._add_ready()

    def _add_ready(self) -> None:
        for labelled in self._calls.ready():
            self._add(*labelled)

    def _predict(self, batch: Batch) -> LabelledBatch:
        return batch, self._model.predict(np.concatenate(batch.windows), batch.lengths)

    def _add(self, batch: Batch, rows: "NDArray[np.float32]") -> None:
        """Add the rows of a batch [windows, width] to its clips' sums."""
        start = 0
        for array, owner, place in zip(batch.windows, batch.owners, batch.places, strict=True):
            # Window by window, in float64: the sum must not depend on the batches.
            for offset, row in enumerate(rows[start : start + len(array)]):
                for due in owner.turns(place + offset, row):
                    owner.total += due
                    if self._details.segments:
                        owner.predictions.append(self._model.split(due))
            start += len(array)
            if owner.complete:
                self._finish(owner)

    def _finish(self, owner: PartialResult) -> None:
        """Make the result of a clip whose windows are all labelled."""
        clip, final = owner.clip, owner.final or {}
        del self._open[clip.index], self._sums[clip.index]
        if "stage" in final:
            result = self._failed(clip, final["stage"], final["reason"])
        elif not all(map(math.isfinite, owner.total[: self._model.n_values].tolist())):
            result = self._failed(clip, "model", self._model.error)
        else:
            result = self._labelled(owner, final)
        self._ready[clip.index] = result
        if self._recorder is not None:
            self._recorder.record(result, final.get("identity", ""))

    def _labelled(self, owner: PartialResult, final: dict[str, Any]) -> ClipResult:
        name, label, mean = self._classifier.name, "", Prediction(())
        if owner.labelled:
            means = owner.total / owner.labelled  # [width]
            mean = self._model.split(means)
            if mean.probabilities:
                label = self._classifier.labels[int(means[: self._model.n_labels].argmax())]
        return ClipResult(
            owner.clip.index,
            owner.clip.shown,
            final["status"],
            name,
            label,
            max(mean.probabilities, default=None),
            mean.probabilities,
            final["duration_s"],
            tuple(final["flags"]),
            error="" if final["status"] == "ok" else self._why_unlabelled(final["status"]),
            segments=tuple(
                Segment(start, end, *prediction)
                for (start, end), prediction in zip(owner.spans, owner.predictions, strict=True)
            ),
            embedding=mean.embedding,
            source_rate=final["source_rate"],
            dimensions=mean.dimensions,
        )

    def _why_unlabelled(self, status: str) -> str:
        shortest = self._classifier.spec.min_seconds
        return {
            "silent": "no sound above -70 dBFS",
            "too_short": f"shorter than {shortest:g} s",
        }[status]

    def _failed(self, clip: "Clip", stage: str, reason: str) -> ClipResult:
        name = self._classifier.name
        return ClipResult(
            clip.index, clip.shown, "failed", name, stage=stage, error=printable(reason)
        )


def same_clip(clip: "Clip", result: ClipResult | None) -> ClipResult:
    """Check that a result is the clip's; a row must never carry another's label."""
    if result is None or result.index != clip.index or result.shown != clip.shown:
        raise EmotoolError(
            f"{printable(clip.shown)} has no result in its place: this is a bug in emotool"
        )
    return result
