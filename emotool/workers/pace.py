"""How long clips take, and how many a worker is sent at once."""

import time

__all__ = ["GATHER_SECONDS", "REMOTE_ASKED", "Clock", "Pace"]

MOST_ASKED = 32  # clips in a worker's hands
LOOKAHEAD_SECONDS = 0.08  # of work in a worker's hands: longer than its supervisor sleeps
REMOTE_ASKED = 16  # remote clips in a worker's hands, which fetches them side by side
GATHER_SECONDS = 0.01  # of sleep in which answers about short clips gather


class Clock:
    """How long a worker has been at its present clip; one object per clip.

    Only time in which the parent both waited and watched is counted: not while the worker's
    answers had to wait for the model or for a reader who paused the output, and not while the
    whole machine slept.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.expired = False


class Pace:
    """How many clips to leave in a worker's hands, by how fast it is through with them.

    Several short clips keep it busy while its supervisor sleeps; long ones are better left for
    whichever worker is free first.
    """

    def __init__(self) -> None:
        self.least = self.depth = 1
        self._seconds = LOOKAHEAD_SECONDS  # a clip, smoothed
        self._last = time.monotonic()

    def settle(self) -> None:
        """Note that a clip is done."""
        now = time.monotonic()
        self._seconds += 0.3 * (now - self._last - self._seconds)
        self._last = now
        self.depth = max(
            self.least, min(MOST_ASKED, int(LOOKAHEAD_SECONDS / max(self._seconds, 1e-6)))
        )

    @property
    def is_quick(self) -> bool:
        """Whether several answers come while its supervisor sleeps."""
        return self._seconds * 1.5 <= GATHER_SECONDS
