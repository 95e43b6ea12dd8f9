"""Batched inference: windows through the model, several batches at once.

`WindowClassifier` runs the model on any number of windows, and isolates those on which it fails.
`ConcurrentCalls` runs a few such calls at once, in threads.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

import numpy as np

from emotool.errors import ModelError
from emotool.features.waveform_spec import WaveformSpec
from emotool.results.row import Prediction

if TYPE_CHECKING:
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from emotool.features.waveform_spec import InputSpec

__all__ = ["ConcurrentCalls", "Labeller", "WindowClassifier"]

T = TypeVar("T")


class Labeller(Protocol):
    """The part of a classifier that inference needs."""

    @property
    def name(self) -> str:
        """The model's name."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Its labels, in the order of the probabilities; none if it gives only dimensions."""

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of the numbers that it gives."""

    @property
    def spec(self) -> "InputSpec":
        """The spectrogram or waveform that it needs."""

    @property
    def batch_size(self) -> int:
        """The best number of windows in a batch, where it runs."""

    @property
    def batches_at_once(self) -> int:
        """The best number of concurrent batches, where it runs."""

    def predict(self, log_mels: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Return probabilities [batch, labels] of windows [batch, n_mels, frames]."""

    def run(
        self, windows: "NDArray[np.float32]", outputs: Sequence[str], lengths: Sequence[int] = ()
    ) -> "dict[str, NDArray[np.float32]]":
        """Return chosen outputs; for spectrograms with ``embeddings`` only."""

    def embedding_size(self) -> int:
        """Return the numbers in a window's embedding, for ``embeddings`` only."""


class WindowClassifier:
    """Runs a model on windows, in batches.

    Parameters
    ----------
    classifier : Labeller
        The model.
    batch_size : int
        Most windows in a batch.
    embeddings : bool
        Return its embeddings as well.

    Attributes
    ----------
    n_labels : int
        Probabilities per window.
    n_values : int
        Probabilities and dimensions per window.
    width : int
        Numbers per window: these, then the embedding if asked for.
    error : str
        Why the model last failed on a window.
    """

    def __init__(self, classifier: Labeller, batch_size: int, *, embeddings: bool) -> None:
        self._classifier = classifier
        self._batch_size = batch_size
        self._embeddings = embeddings
        spec = classifier.spec
        self._alone = isinstance(spec, WaveformSpec) and spec.one_at_a_time
        if self._alone:
            self._batch_size = 1
        found = {"probabilities": classifier.labels, "dimensions": classifier.dimensions}
        self._outputs = [name for name, names in found.items() if names]
        self._outputs += ["embedding"] if embeddings else []
        self.n_labels = len(classifier.labels)
        self.n_values = self.n_labels + len(classifier.dimensions)
        self.width = self.n_values + (classifier.embedding_size() if embeddings else 0)
        self.error = "the model returned NaN or infinity"

    def predict(
        self, windows: "NDArray[np.float32]", lengths: Sequence[int] = ()
    ) -> "NDArray[np.float32]":
        """Run the model on any number of windows.

        Parameters
        ----------
        windows : ndarray of float32, shape (windows, n_mels, frames) or (windows, samples)
            Spectrograms in dB, or waveforms.
        lengths : sequence of int
            Samples of each waveform without its padding.

        Returns
        -------
        ndarray of float32, shape (windows, width)
            NaN for a window on which the model fails; the others keep their numbers.

        Raises
        ------
        ModelError
            If the model's output has another shape.
        """
        batches = [
            self._predict_batch(
                windows[start : start + self._batch_size],
                lengths[start : start + self._batch_size],
            )
            for start in range(0, len(windows), self._batch_size)
        ]
        return np.concatenate(batches)  # [windows, width]

    def split(self, row: "NDArray[Any]") -> Prediction:
        """Split a row [width] into probabilities, dimensions, and the embedding as bytes."""
        values = tuple(row[: self.n_values].tolist())
        embedding = row[self.n_values :].astype("<f4").tobytes() if self._embeddings else b""
        return Prediction(values[: self.n_labels], embedding, values[self.n_labels :])

    def _predict_batch(
        self, windows: "NDArray[np.float32]", lengths: Sequence[int]
    ) -> "NDArray[np.float32]":
        """Run the model on a batch, to rows [windows, width]."""
        # ONNX Runtime multiplies a single row by another kernel, which rounds differently: a
        # clip's numbers must not depend on whether it was the last one. Models that take one
        # window at a time always use that kernel.
        twice = len(windows) == 1 and not self._alone
        batch = np.repeat(windows, 2, axis=0) if twice else windows
        try:
            output = self._run(batch, [*lengths, *lengths] if twice else lengths)
        except ModelError as error:
            if len(windows) == 1:
                self.error = error.message
                return np.full((1, self.width), np.nan, np.float32)
            half = len(windows) // 2
            first = self._predict_batch(windows[:half], lengths[:half])
            return np.concatenate([first, self._predict_batch(windows[half:], lengths[half:])])
        if output.shape != (len(batch), self.width):
            raise ModelError(
                f"{self._classifier.name} answered {len(batch)} windows "
                f"with an array of shape {output.shape}"
            )
        return output[: len(windows)]

    def _run(self, batch: "NDArray[np.float32]", lengths: Sequence[int]) -> "NDArray[np.float32]":
        """Run the model once, to rows [windows, width]."""
        if self._outputs == ["probabilities"] and not lengths:
            return self._classifier.predict(batch)
        outputs = self._classifier.run(batch, self._outputs, *([lengths] if lengths else []))
        return np.concatenate([outputs[name] for name in self._outputs], axis=1)


class ConcurrentCalls(Generic[T]):
    """Runs a few calls at once, in threads, and returns their results in the order of the calls.

    For work that releases Python's lock, such as running a model. Leaving the block cancels
    calls that have not started and waits for those that have.

    Parameters
    ----------
    count : int
        Most calls at once. With one there are no threads: each call runs when it is submitted.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._results: deque[Callable[[], T]] = deque()  # of calls, in their order
        self._running: deque[Future[T]] = deque()  # the same calls, if there are threads
        self._threads = None
        if count > 1:
            # Not at the top: it imports logging, and one clip with a small model needs neither.
            from concurrent.futures import ThreadPoolExecutor

            self._threads = ThreadPoolExecutor(count)

    def submit(self, work: Callable[[], T]) -> None:
        """Start a call as soon as a thread is free; without threads, run it now."""
        if self._threads is None:
            result = work()
            self._results.append(lambda: result)
            return
        future = self._threads.submit(work)
        self._running.append(future)
        self._results.append(future.result)

    def ready(self) -> Iterator[T]:
        """Yield the results that are ready, and wait while more calls than threads are pending.

        So each thread has work while the caller prepares more, and memory stays bounded.
        Raises the exception of a call.
        """
        while self._results and self._first_is_due():
            yield self._pop()

    def remaining(self) -> Iterator[T]:
        """Yield all results that are left, waiting for them."""
        while self._results:
            yield self._pop()

    def _first_is_due(self) -> bool:
        return not self._running or len(self._running) > self._count or self._running[0].done()

    def _pop(self) -> T:
        if self._running:
            self._running.popleft()
        return self._results.popleft()()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
