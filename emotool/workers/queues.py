"""What the threads of a pool share: clips to be done, and answers to be used.

Both are bounded, so that a run over a million clips needs no more memory than one over a
thousand, and both can be closed at any moment by a run that ends early.
"""

import itertools
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from emotool.inputs.clips import Clip

__all__ = ["Inbox", "Source"]

T = TypeVar("T")


class Source:
    """Hands out clips in their order, never too far ahead of the first unfinished one.

    Results leave the run in input order, so those that overtake a slow clip must be kept; the
    bound on them is the bound here.

    Parameters
    ----------
    clips : iterable of Clip
        Taken from as needed, one thread at a time.
    ahead : int
        How many clips may be out that follow, and include, the first unfinished one.
    """

    def __init__(self, clips: "Iterable[Clip]", ahead: int) -> None:
        self._clips = iter(clips)
        self._ahead = ahead
        self._out: deque[int] = deque()  # in order, from the first unfinished one
        self._finished: set[int] = set()  # of those in _out
        self._ended = False
        self._changed = threading.Condition()

    def take(self, count: int, *, wait: bool) -> "list[Clip]":
        """Take up to ``count`` clips.

        Parameters
        ----------
        count : int
            How many at most.
        wait : bool
            Wait for one if none may be handed out now.

        Returns
        -------
        list of Clip
            Empty when there are no more, or none yet and ``wait`` is False.
        """
        with self._changed:
            while wait and not self._ended and len(self._out) >= self._ahead:
                self._changed.wait()
            if self._ended:
                return []
            room = min(count, self._ahead - len(self._out))
            taken = list(itertools.islice(self._clips, room)) if room > 0 else []
            if len(taken) < room:
                self._end()
            self._out.extend(clip.index for clip in taken)
            return taken

    def finish(self, index: int) -> None:
        """Note that a clip taken earlier has its final answer."""
        with self._changed:
            self._finished.add(index)
            moved = False
            while self._out and self._out[0] in self._finished:
                self._finished.discard(self._out.popleft())
                moved = True
            if moved:
                self._changed.notify_all()

    def close(self) -> None:
        """Hand out nothing more, and wake waiting threads."""
        with self._changed:
            self._end()

    def _end(self) -> None:
        self._ended = True
        self._changed.notify_all()


class Inbox(Generic[T]):
    """A queue bounded by the size of what is in it.

    Parameters
    ----------
    capacity : int
        Bytes that may wait in it. A single larger item is let in when it is empty.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[tuple[T, int]] = deque()
        self._size = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def put(self, item: T, size: int = 0) -> bool:
        """Append an item, waiting for room; False when the queue was closed instead."""
        with self._changed:
            while not self._closed and self._items and self._size + size > self._capacity:
                self._changed.wait()
            if self._closed:
                return False
            self._items.append((item, size))
            self._size += size
            self._changed.notify_all()
            return True

    def get(self, timeout_s: float) -> T | None:
        """Take the first item; None when there is none for that long."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not self._items:
                left = deadline - time.monotonic()
                if left <= 0 or self._closed:
                    return None
                self._changed.wait(left)
            item, size = self._items.popleft()
            self._size -= size
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Drop what is in it and refuse more; waiting threads are woken."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()
