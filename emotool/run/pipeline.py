"""Classify clips: workers read them, the model labels them, results come in input order.

>>> from emotool.inputs.clips import find_clips
>>> from emotool.model.classifier import load_classifier
>>> classifier = load_classifier("cnn")  # doctest: +SKIP
>>> for result in classify_clips(find_clips(["samples"]).clips, classifier):  # doctest: +SKIP
...     print(result.shown, result.label, result.confidence)
"""

import math
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from emotool.errors import EmotoolError
from emotool.results.row import ClipResult, Segment
from emotool.run.inference import ConcurrentCalls, Labeller, WindowClassifier
from emotool.run.options import Details
from emotool.text import printable
from emotool.workers.pool import PoolOptions, WorkerPool
from emotool.workers.supervisor import Answer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emotool.inputs.clips import Clip

from emotool.run.partial import Batch, LabelledBatch, PartialResult

__all__ = ["Recorder", "classify_clips"]


class Recorder(Protocol):
    """Receives results as soon as they are known, which may be out of order."""

    def record(self, result: ClipResult, identity: str) -> None:
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
        self._batch = Batch()
        self._calls: ConcurrentCalls[LabelledBatch] = ConcurrentCalls(classifier.batches_at_once)
        self._details = details

    def results(self, pool: WorkerPool) -> Iterator[ClipResult]:
        """Yield the results in order."""
        with self._calls, closing(pool.run(self._readable(), self._classifier.spec)) as answers:
            for answer in answers:
                if answer is None:
                    self._flush()  # nothing else to do: do not let results wait
                    if self._recorder is not None:
                        self._recorder.idle()
                else:
                    self._receive(answer)
                yield from self._in_order()
            self._flush()
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
        """Add a part of a clip to the present batch."""
        if answer.number == 0:  # begins, or begins again: what came before does not count
            zeros = np.zeros(self._model.width, np.float64)  # [labels + embedding]
            self._sums[answer.index] = PartialResult(self._open[answer.index], zeros)
        owner = self._sums[answer.index]
        if answer.windows is not None:
            if self._batch.size + len(answer.windows) > self._batch_size:
                self._flush()
            self._batch.add(answer.windows, owner)
        if self._details.segments:
            owner.spans += answer.spans
        owner.final = answer.final
        if owner.complete:  # it has no windows, or the model has seen them all
            self._finish(owner)
        if self._batch.size >= self._batch_size:
            self._flush()

    def _flush(self) -> None:
        """Run the model on the present batch, and add the rows of finished ones."""
        batch, self._batch = self._batch, Batch()
        if batch.windows:
            self._calls.submit(lambda: self._predict(batch))
        for labelled in self._calls.ready():
            self._add(*labelled)

    def _predict(self, batch: Batch) -> LabelledBatch:
        return batch, self._model.predict(np.concatenate(batch.windows))

    def _add(self, batch: Batch, rows: "NDArray[np.float32]") -> None:
        """Add the rows of a batch [windows, labels + embedding] to its clips' sums."""
        start = 0
        for array, owner in zip(batch.windows, batch.owners, strict=True):
            # Window by window, in float64: the sum must not depend on the batches.
            for row in rows[start : start + len(array)]:
                owner.total += row
                if self._details.segments:
                    owner.predictions.append(self._model.split(row))
            start += len(array)
            owner.labelled += len(array)
            if owner.complete:
                self._finish(owner)

    def _finish(self, owner: PartialResult) -> None:
        """Make the result of a clip whose windows are all labelled."""
        clip, final = owner.clip, owner.final or {}
        del self._open[clip.index], self._sums[clip.index]
        if "stage" in final:
            result = self._failed(clip, final["stage"], final["reason"])
        elif not all(map(math.isfinite, owner.total[: self._model.n_labels].tolist())):
            result = self._failed(clip, "model", self._model.error)
        else:
            result = self._labelled(owner, final)
        self._ready[clip.index] = result
        if self._recorder is not None:
            self._recorder.record(result, final.get("identity", ""))

    def _labelled(self, owner: PartialResult, final: dict[str, Any]) -> ClipResult:
        name, label, embedding = self._classifier.name, "", b""
        probabilities: tuple[float, ...] = ()
        if owner.labelled:
            mean = owner.total / owner.labelled  # [labels + embedding]
            probabilities, embedding = self._model.split(mean)
            label = self._classifier.labels[int(mean[: self._model.n_labels].argmax())]
        return ClipResult(
            owner.clip.index,
            owner.clip.shown,
            final["status"],
            name,
            label,
            max(probabilities, default=None),
            probabilities,
            final["duration_s"],
            tuple(final["flags"]),
            error="" if final["status"] == "ok" else self._why_unlabelled(final["status"]),
            segments=tuple(
                Segment(*span, *prediction)
                for span, prediction in zip(owner.spans, owner.predictions, strict=True)
            ),
            embedding=embedding,
            source_rate=final["source_rate"],
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
