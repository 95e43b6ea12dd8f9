"""Label clips by a model that is adapted to the statistics of all of them.

The statistics are known when the last clip is embedded, and labels follow from embeddings alone.
So a run passes twice: first the base's results are recorded with the embeddings of every window,
then each clip is labelled from what was recorded. Resumed or not, the same clips give the same sums
in the same order, and the same bytes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from emotool.errors import EmotoolError, ModelError
from emotool.inputs.clips import Clip
from emotool.model.linear_head import LEAST_CLIPS, LinearHead, Moments, Statistics
from emotool.results.row import ClipResult, Segment
from emotool.results.tally import Tally
from emotool.run.journal import Journal
from emotool.run.options import Progress
from emotool.text import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emotool.model.classifier import Classifier

__all__ = ["OwnStatistics"]

_HINT: Final = "leave out --adapt, or adapt a model to other recordings with `emotool adapt`"


class OwnStatistics:
    """The first pass of a run, and the labels of the second.

    Parameters
    ----------
    model : Classifier
        The base.
    clips : int
        How many there are.
    journal : Journal
        Stores what the second pass needs.

    Raises
    ------
    EmotoolError
        If the base stores no statistics, or there are too few clips.
    """

    def __init__(self, model: "Classifier", clips: int, journal: Journal) -> None:
        head = model.linear_head
        if head is None:
            raise ModelError(
                f"{printable(model.name)} stores no statistics that --adapt could change",
                hint="use --model whisper or whisper6",
            )
        if clips < LEAST_CLIPS:
            raise EmotoolError(
                f"--adapt needs {LEAST_CLIPS} clips or more, and there are {clips}", hint=_HINT
            )
        self._head: LinearHead = head
        self._model, self._journal = model, journal
        self._own: Statistics | None = None
        self._held: dict[int, ClipResult] = {}  # by index, what the journal does not store
        self._identities: dict[int, str] = {}

    def record(self, result: ClipResult, identity: str) -> None:
        """Receive a result of the base, to be stored (see `emotool.run.pipeline.Recorder`)."""
        if result.status == "ok" and self._journal.record(result, identity):
            self._identities[result.index] = identity
        else:
            self._held[result.index] = result

    def idle(self) -> None:
        """Do deferred work."""
        self._journal.idle()

    def gather(
        self,
        rows: Iterable[ClipResult],
        progress: Progress,
        check: Callable[[Tally, ClipResult], None],
    ) -> int:
        """Read all of the base's results in order; return how many clips gave statistics.

        Parameters
        ----------
        rows : iterable of ClipResult
            With the embeddings of their windows.
        progress : Progress
            Receives how many are embedded.
        check : callable
            Called with each failed result, and the tally so far.

        Raises
        ------
        EmotoolError
            If too few have a label.
        """
        moments, tally = Moments(self._head.mean.size), Tally(self._model.labels)
        for result in rows:
            if result.status == "ok":
                moments.add(_embeddings(result))
            else:
                self._held[result.index] = result
            tally.add(result)
            progress.embedded(tally.rows)
            if result.status == "failed":
                check(tally, result)
        if moments.clips < LEAST_CLIPS:
            raise EmotoolError(
                f"--adapt needs {LEAST_CLIPS} usable clips or more, and there are {moments.clips}",
                hint=_HINT,
            )
        self._own = moments.statistics()
        return moments.clips

    def model(self) -> "Classifier":
        """Return the adapted model, for what is computed beside labels."""
        from emotool.model.classifier import with_statistics

        return with_statistics(self._model, self._statistics)

    @property
    def _statistics(self) -> Statistics:
        if self._own is None:
            raise EmotoolError("no statistics are gathered: this is a bug in emotool")
        return self._own

    def results(self, clips: Sequence[Clip], done: Mapping[int, int]) -> Iterator[ClipResult]:
        """Yield each clip's result with the labels of the adapted model, in order.

        Parameters
        ----------
        clips : sequence of Clip
        done : mapping of int to int
            Clips that an earlier run had embedded, and where the journal has them.
        """
        self._journal.flush()
        places = self._journal.places()
        for clip in clips:
            held = self._held.get(clip.index)
            if held is None:
                place = done.get(clip.index)
                place = places[self._identities[clip.index]] if place is None else place
                held = self._journal.result(clip, place)
            yield self._labelled(held) if held.status == "ok" else held

    def _labelled(self, result: ClipResult) -> ClipResult:
        """Give a result the adapted model's labels and embeddings."""
        embeddings = self._statistics.apply(_embeddings(result))  # [windows, size]
        temperature = self._model.metadata.temperature
        logits = self._head.logits(embeddings) / temperature  # [windows, labels]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        rows = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        mean = rows.astype(np.float64).mean(axis=0)  # [labels]
        probabilities = tuple(mean.tolist())
        return replace(
            result,
            label=self._model.labels[int(mean.argmax())],
            confidence=max(probabilities),
            probabilities=probabilities,
            embedding=_stored(embeddings.mean(axis=0)),
            segments=tuple(
                Segment(part.start_s, part.end_s, tuple(row.tolist()), _stored(one))
                for part, row, one in zip(result.segments, rows, embeddings, strict=True)
            ),
        )


def _embeddings(result: ClipResult) -> "NDArray[np.float32]":
    """Return the embeddings of a clip's windows, [windows, size]."""
    return np.stack([np.frombuffer(part.embedding, "<f4") for part in result.segments])


def _stored(embedding: "NDArray[Any]") -> bytes:
    return embedding.astype("<f4").tobytes()
