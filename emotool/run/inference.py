"""What the model says of windows: asked in batches, and of each window whatever becomes of others.

Several batches may be asked about at the same time, by threads of their own.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

import numpy as np

from emotool.errors import ModelError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from emotool.features.spec import SpectrogramSpec

__all__ = ["Labeller", "Lanes", "Windows"]


T = TypeVar("T")


class Lanes(Generic[T]):
    """A few threads for work that leaves Python's lock alone, such as running a model.

    Leaving the block drops what has not begun and waits for what has.

    Parameters
    ----------
    count : int
        How many calls run at once. With one there are no threads: each runs where it begins.
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

    def begin(self, work: Callable[[], T]) -> None:
        """Begin a call as soon as a lane is free; with one lane, do it now."""
        if self._threads is None:
            result = work()
            self._results.append(lambda: result)
            return
        future = self._threads.submit(work)
        self._running.append(future)
        self._results.append(future.result)

    def ready(self) -> Iterator[T]:
        """Yield the results that are there, and wait while more calls than lanes are under way.

        So each lane has work while the caller prepares more, and what waits stays bounded.
        Raises what a call has raised.
        """
        while self._results and self._first_is_due():
            yield self._take()

    def rest(self) -> Iterator[T]:
        """Yield all results that are left, waiting for them."""
        while self._results:
            yield self._take()

    def _first_is_due(self) -> bool:
        return not self._running or len(self._running) > self._count or self._running[0].done()

    def _take(self) -> T:
        if self._running:
            self._running.popleft()
        return self._results.popleft()()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)


class Labeller(Protocol):
    """What is needed of a classifier."""

    @property
    def name(self) -> str:
        """The model's name."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Its labels, in the order of the probabilities."""

    @property
    def spec(self) -> "SpectrogramSpec":
        """The spectrogram it has to be given."""

    @property
    def batch_size(self) -> int:
        """How many windows are best given at once, where it runs."""

    @property
    def batches_at_once(self) -> int:
        """How many batches are best run side by side, where it runs."""

    def predict(self, log_mels: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Probabilities [batch, labels] of windows [batch, n_mels, frames]."""

    def run(
        self, log_mels: "NDArray[np.float32]", outputs: Sequence[str]
    ) -> "dict[str, NDArray[np.float32]]":
        """Chosen outputs, for ``embeddings`` only."""

    def embedding_size(self) -> int:
        """Numbers in a window's embedding, for ``embeddings`` only."""


class Windows:
    """Asks a model about windows.

    Parameters
    ----------
    classifier : Labeller
        The model.
    batch_size : int
        Windows given to it at once.
    embeddings : bool
        Ask for its embeddings as well.

    Attributes
    ----------
    labels : int
        How many probabilities a window gets.
    width : int
        How many numbers it gets, labels first: probabilities and embedding travel as one row.
    error : str
        Why the model last failed on a window.
    """

    def __init__(self, classifier: Labeller, batch_size: int, *, embeddings: bool) -> None:
        self._classifier = classifier
        self._batch_size = batch_size
        self._embeddings = embeddings
        self.labels = len(classifier.labels)
        self.width = self.labels + (classifier.embedding_size() if embeddings else 0)
        self.error = "the model gave no numbers"

    def ask(self, windows: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Let the model label any number of windows.

        Parameters
        ----------
        windows : ndarray of float32, shape (windows, n_mels, frames)
            Spectrograms in dB.

        Returns
        -------
        ndarray of float32, shape (windows, width)
            NaN for a window on which the model fails, which costs no other its label.

        Raises
        ------
        ModelError
            If what it answers has another shape.
        """
        pieces = [
            self._predict(windows[start : start + self._batch_size])
            for start in range(0, len(windows), self._batch_size)
        ]
        return np.concatenate(pieces)  # [windows, labels + embedding]

    def parted(self, row: "NDArray[Any]") -> tuple[tuple[float, ...], bytes]:
        """Part what was said of a window or a clip: probabilities, and embedding as float32."""
        probabilities = tuple(row[: self.labels].tolist())
        if not self._embeddings:
            return probabilities, b""
        return probabilities, row[self.labels :].astype("<f4").tobytes()

    def _predict(self, windows: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Label a batch, [windows, n_mels, frames] to [windows, labels + embedding]."""
        # ONNX Runtime multiplies a single row by another kernel, which rounds differently: what
        # a clip gets must not depend on whether it was the last one.
        batch = np.repeat(windows, 2, axis=0) if len(windows) == 1 else windows
        try:
            said = self._answer(batch)
        except ModelError as error:
            if len(windows) == 1:
                self.error = error.message
                return np.full((1, self.width), np.nan, np.float32)
            half = len(windows) // 2
            return np.concatenate([self._predict(windows[:half]), self._predict(windows[half:])])
        if said.shape != (len(batch), self.width):
            raise ModelError(
                f"{self._classifier.name} answered {len(batch)} windows "
                f"with an array of shape {said.shape}"
            )
        return said[: len(windows)]

    def _answer(self, batch: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Let the model answer, [windows, n_mels, frames] to [windows, labels + embedding]."""
        if not self._embeddings:
            return self._classifier.predict(batch)
        names = ("probabilities", "embedding")
        said = self._classifier.run(batch, names)
        return np.concatenate([said[name] for name in names], axis=1)
