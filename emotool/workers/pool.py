"""Worker processes that read clips, as one stream of answers.

>>> from emotool.features.spec import SpectrogramSpec
>>> from emotool.inputs.clips import Clip
>>> with WorkerPool(PoolOptions(workers=1)) as pool:
...     pool.start(1)
...     clips = [Clip(0, "a.wav", "no-such-clip.wav")]
...     answers = [answer for answer in pool.run(clips, SpectrogramSpec()) if answer]
...     [answer.final["stage"] for answer in answers]
['open']
"""

import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from emotool.cores import usable_cores
from emotool.errors import EmotoolError
from emotool.files.zip_members import file_of
from emotool.workers.protocol import Reading
from emotool.workers.queues import Inbox, Source
from emotool.workers.supervisor import Answer, Supervisor

if TYPE_CHECKING:
    from emotool.features.waveform_spec import InputSpec
    from emotool.inputs.clips import Clip

__all__ = ["Answer", "PoolOptions", "Reading", "WorkerPool", "workers_worth"]

# Less than this is read sooner than another worker has started.
_CLIPS_PER_WORKER = 16
_BYTES_PER_WORKER = 4_000_000
_INBOX_BYTES = 24 << 20  # some 250 windows: enough for the next batch, whatever the workers do
_TICK_SECONDS = 0.1
_MAX_STEP_SECONDS = 1.0
_PATIENCE_SECONDS = 1.0  # at the end, with all workers' threads together


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """How clips are read.

    Parameters
    ----------
    workers : int, default 0
        Worker processes; 0 takes one for each core this process may use.
    timeout_s : float, default 300
        Seconds a worker may spend on one clip before it is given up, above 0.
    reading : Reading, optional
        What decides a clip's windows and its identity.
    ahead : int, default 16384
        How many clips may be answered while an earlier one is not: the bound on what must be
        kept to give results in order.
    command : tuple of str, default ()
        What to run as a worker; empty for the real one.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> PoolOptions(workers=-1)
    Traceback (most recent call last):
    ValueError: workers takes a number of processes, or 0 for one per core, not -1
    """

    workers: int = 0
    timeout_s: float = 300.0
    reading: Reading = Reading()
    ahead: int = 16_384
    command: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ValueError(
                f"workers takes a number of processes, or 0 for one per core, not {self.workers}"
            )
        if not self.timeout_s > 0:  # nor NaN
            raise ValueError(f"timeout_s takes seconds above 0, not {self.timeout_s}")


class WorkerPool:
    """A group of worker processes, for one run.

    There is no second way, without processes, for a few clips: a hostile file must not end
    the run there either, and a worker's start hides behind the loading of the model.

    Parameters
    ----------
    options : PoolOptions
        How clips are read.
    """

    def __init__(self, options: PoolOptions | None = None) -> None:
        self._options = options or PoolOptions()
        self._supervisors: list[Supervisor] = []
        self._inbox: Inbox[Answer | BaseException | bool] = Inbox(_INBOX_BYTES)
        self._source: Source | None = None

    @property
    def workers(self) -> int:
        """How many processes there are at most."""
        return self._options.workers or usable_cores()

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the present workers."""
        return tuple(supervisor.pid for supervisor in self._supervisors)

    def start(self, count: int | None = None) -> None:
        """Have ``count`` workers, or as many as the options say if that is less.

        They load what they need while the caller does something else. Where the system refuses
        another process, there are fewer.

        Raises
        ------
        EmotoolError
            If it refuses the first.
        """
        wanted = self.workers if count is None else min(count, self.workers)
        while len(self._supervisors) < wanted:
            try:
                another = Supervisor(self._options.command, self._options.timeout_s)
            except EmotoolError:
                if not self._supervisors:
                    raise
                return
            self._supervisors.append(another)

    def run(self, clips: "Iterable[Clip]", spec: "InputSpec") -> Generator[Answer | None]:
        """Read clips.

        Parameters
        ----------
        clips : iterable of Clip
            Taken from as workers need them, by other threads than the caller's, one at a time.
        spec : SpectrogramSpec or WaveformSpec
            What to compute.

        Yields
        ------
        Answer or None
            For each clip its parts in order, the last one with ``final``. Parts of different
            clips come as they are ready. A clip whose worker died begins again with part 0.
            None when nothing came for a tenth of a second.

        Raises
        ------
        EmotoolError
            If workers cannot be started.
        """
        if not self._supervisors:
            self.start()
        source = self._source = Source(clips, self._options.ahead)
        for number, supervisor in enumerate(self._supervisors):
            try:
                supervisor.begin(spec, self._options.reading, source, self._inbox.put)
            except RuntimeError:  # no more threads: those that have begun do the work
                if not number:
                    raise
                for idle in self._supervisors[number:]:
                    idle.close(0.0)
                del self._supervisors[number:]
                break
        busy = len(self._supervisors)
        last = time.monotonic()
        while busy and not self._inbox.closed:
            item = self._inbox.get(_TICK_SECONDS)
            last = self._tick(last)
            if isinstance(item, Answer):
                if item.final is not None:
                    source.finish(item.index)
                yield item
            elif isinstance(item, BaseException):
                raise item
            elif item is None:
                yield None
            else:
                busy -= 1

    def _tick(self, last: float) -> float:
        """Count the time since ``last`` for the workers' clocks; returns the new ``last``.

        A long gap means that the caller was busy, or the machine asleep: not the worker's fault.
        """
        now = time.monotonic()
        if now - last < _TICK_SECONDS:
            return last
        for supervisor in self._supervisors:
            supervisor.tick(min(now - last, _MAX_STEP_SECONDS))
        return now

    def close(self) -> None:
        """End all workers, whatever they are doing."""
        self._inbox.close()
        if self._source is not None:
            self._source.close()
        for supervisor in self._supervisors:
            supervisor.stop()
        # For all together: an interruption can leave a lock behind for which their threads wait.
        until = time.monotonic() + _PATIENCE_SECONDS
        while self._supervisors:
            self._supervisors.pop().close(max(0.0, until - time.monotonic()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def workers_worth(clips: "Sequence[Clip]", most: int) -> int:
    """Return how many workers are busy for longer than they take to start.

    Parameters
    ----------
    clips : sequence of Clip
        What is to be read.
    most : int
        The number from which on the exact one does not matter.
    """
    wanted = -(-len(clips) // _CLIPS_PER_WORKER)
    if wanted >= most:
        return wanted
    size = 0
    for file in {file_of(clip.path) for clip in clips}:
        with suppress(OSError, ValueError):
            size += Path(file).stat().st_size
    return max(wanted, min(len(clips), 1 + size // _BYTES_PER_WORKER))
