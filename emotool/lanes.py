"""Calls that run side by side in threads, and whose results come in the order of the calls.

>>> with Lanes[int](2) as lanes:
...     for number in range(4):
...         lanes.begin(lambda number=number: number * number)
...     list(lanes.rest())
[0, 1, 4, 9]
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["Lanes"]

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
