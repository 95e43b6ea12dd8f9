"""A thread that supervises one worker process at a time.

It sends the worker clips, receives its answers and, when it dies, finds the clip that caused it
and starts another. A worker answers in order, so the cause is the first clip without an answer.
It is retried once, as the first of a new process: a worker can die for reasons outside its clip
(killed by a user, no memory left), and a row must not depend on that. Dying
again, or not answering in time, makes it a failed row. The clips behind it are not affected.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from emotool.errors import EmotoolError
from emotool.inputs.identity import file_identity
from emotool.workers.process import WorkerProcess, current_folder, worker_command
from emotool.workers.protocol import Message, Reading, to_bytes
from emotool.workers.queues import Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from emotool.features.waveform_spec import InputSpec
    from emotool.inputs.clips import Clip

from emotool.files.remote import is_remote
from emotool.workers.pace import GATHER_SECONDS, REMOTE_ASKED, Clock, Pace

__all__ = ["Answer", "Supervisor"]

_WAITED_SECONDS = 2e-4  # an answer that was there already comes sooner
START_SECONDS = 120.0  # for a worker's imports, from a cold disk on a loaded machine
START_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """Part of a worker's result for a clip.

    Attributes
    ----------
    index : int
        The clip's identity within the run.
    number : int
        0, 1, 2, …; 0 begins the clip, possibly for a second time.
    windows : ndarray of float32 or None
        Windows in their order, ``[windows, n_mels, frames]`` or, of waveforms, ``[windows, samples
        of the longest]``; None when there are none.
    final : dict or None
        In the last part, ``status``, ``duration_s``, ``flags`` and ``identity``, or ``stage``,
        ``reason`` and ``identity``.
    spans : list of (float, float)
        Where each window begins and ends, in seconds from the start of the file.
    lengths : list of int
        Samples of each window of a waveform; empty for spectrograms.
    """

    index: int
    number: int
    windows: "NDArray[np.float32] | None"
    final: dict[str, Any] | None
    spans: list[tuple[float, float]] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        """About how many bytes it occupies."""
        return 1024 + (0 if self.windows is None else self.windows.nbytes)


Put = Callable[[Answer | BaseException | bool, int], bool]


class Supervisor:
    """Start, feed, read, time and replace a worker process.

    Parameters
    ----------
    command : sequence of str
        What to run instead of a worker; empty for a worker.
    timeout_s : float
        Seconds a worker may spend on one clip.
    """

    def __init__(self, command: Sequence[str], timeout_s: float) -> None:
        self._command = tuple(command) or worker_command()
        self._timeout_s = timeout_s
        self._folder = current_folder()
        self._setup: Mapping[str, object] = {}
        self._reading = Reading()
        self._asked: deque[Clip] = deque()  # without a final answer yet
        self._backlog: deque[Clip] = deque()  # to be asked again
        self._suspect: int | None = None  # the clip whose worker died once
        self._identity = ""  # of its file
        self._parts = 0  # of the present clip, so far
        self._clock = Clock()
        self._pace = Pace()
        self._starts = 0  # in vain, in a row
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._worker = WorkerProcess(self._command, self._folder)

    @property
    def pid(self) -> int:
        """The present worker's process id."""
        return self._worker.pid

    def begin(self, spec: "InputSpec", reading: Reading, source: Source, put: Put) -> None:
        """Let the thread start: take from ``source``, ``put`` answers until there are no more.

        ``put`` gets an error that ends the run, or True when this worker's share is done.

        Raises
        ------
        RuntimeError
            If the system starts no more threads.
        """
        self._setup = {"spec": spec.to_dict(), "reading": asdict(reading)}
        self._reading = reading
        thread = threading.Thread(target=self._run, args=(source, put), daemon=True)
        thread.start()
        self._thread = thread  # only now can it be waited for

    def tick(self, seconds: float) -> None:
        """Count time watched; a worker beyond its limit is killed. Called by the run's thread."""
        worker = self._worker
        limit = self._timeout_s if worker.ready else START_SECONDS
        clock = self._clock  # after asking for `ready`: once that is true, the clock is a new one
        if not worker.waiting:
            return
        clock.seconds += seconds
        if clock.seconds > limit:
            clock.expired = True
            worker.kill()  # the thread notices it like any other death

    def stop(self) -> None:
        """End the worker, at any moment; the thread ends when it notices."""
        self._closing.set()
        self._worker.kill()

    def close(self, patience_s: float) -> None:
        """End the worker, and wait so long for the thread's end."""
        self.stop()
        if self._thread is not None:
            self._thread.join(timeout=patience_s)
        self._worker.reap()  # perhaps another one, which the thread was just starting

    # What follows runs in the supervisor's own thread.

    def _run(self, source: Source, put: Put) -> None:
        try:
            self._worker.send(self._setup)
            while not self._closing.is_set() and self._ask(source):
                answer = self._next_answer()
                if answer is not None and not put(answer, answer.size):
                    return
            put(True, 0)
        except BaseException as error:  # whatever it is ends the run, in the run's own thread
            put(error, 0)

    def _ask(self, source: Source) -> bool:
        """Keep the worker supplied; False when there is nothing left to wait for."""
        depth = self._pace.depth
        if self._backlog:
            self._give(self._backlog)
            self._backlog.clear()
        elif len(self._asked) <= depth // 2:
            self._give(source.take(depth - len(self._asked), wait=not self._asked))
        return bool(self._asked)

    def _give(self, some: "Sequence[Clip] | deque[Clip]") -> None:
        if not some:
            return
        self._asked.extend(some)
        if is_remote(some[-1].path):
            self._pace.least = REMOTE_ASKED
        paths = [to_bytes(clip.path) for clip in some]
        clips = [[clip.index, len(path)] for clip, path in zip(some, paths, strict=True)]
        self._worker.send({"clips": clips}, b"".join(paths))

    def _next_answer(self) -> Answer | None:
        """Wait for an answer, or for a death, which may be one."""
        began = time.monotonic()
        message = self._worker.receive()
        if message is None:
            return self._replace()
        if self._pace.is_quick and time.monotonic() - began > _WAITED_SECONDS:
            # To be woken for each answer would take the core from the worker, or from the model,
            # hundreds of times a second. The pipe holds ten answers of
            # one window or more.
            time.sleep(GATHER_SECONDS)
        if "ready" in message.header:
            self._starts = 0
            self._clock = Clock()  # the time until now was its own, not the first clip's
            self._worker.ready = True
            return None
        return self._understand(message)

    def _understand(self, message: Message) -> Answer:
        """Check that an answer is about the clip it should be about, and unpack it."""
        header = message.header
        first = self._asked[0].index
        if (header.get("index"), header.get("part")) != (first, self._parts):
            raise EmotoolError(
                f"a worker answered {header.get('index')}/{header.get('part')} "
                f"when asked for {first}/{self._parts}: this is a bug in emotool"
            )
        spans = [(start, end) for start, end in header["spans"]]
        answer = Answer(
            first, self._parts, _unpack(message), header["final"], spans, header["lengths"]
        )
        self._parts += 1
        if answer.final is not None:
            self._settle()
        return answer

    def _settle(self) -> None:
        """Go on to the next clip."""
        self._asked.popleft()
        self._suspect = None
        self._parts = 0
        self._clock = Clock()
        self._pace.settle()

    def _replace(self) -> Answer | None:
        """Reap a dead worker and start another; return an answer for a clip that is given up."""
        cause = self._worker.reap()
        if self._closing.is_set():
            return None
        answer = self._attribute_death(cause)
        self._backlog.extendleft(reversed(self._asked))
        self._asked.clear()
        self._parts = 0
        self._clock = Clock()
        self._worker = WorkerProcess(self._command, self._folder)
        if self._closing.is_set():  # closed while it was being started
            self._worker.kill()
        self._worker.send(self._setup)
        return answer

    def _attribute_death(self, cause: str) -> Answer | None:
        """Attribute a death to the start, the time limit or a clip."""
        first = self._asked[0]
        if not self._worker.ready:
            self._starts += 1
            if self._starts >= START_ATTEMPTS:
                raise EmotoolError(f"worker processes cannot start: {cause}")
        elif self._clock.expired:
            self._identity = self._identify(first)
            return self._give_up("timeout", f"no result after {self._timeout_s:g} s")
        elif first.index == self._suspect:
            return self._give_up("crash", f"the process that read it died ({cause})")
        else:
            self._suspect = first.index
            self._identity = self._identify(first)  # of what will be tried again
        return None

    def _identify(self, clip: "Clip") -> str:
        """Identify a file in a worker's stead; by its bytes only a worker dares to."""
        if self._reading.by_content:
            return ""
        try:
            return file_identity(clip.path, by_content=False)
        except (OSError, ValueError):
            return ""

    def _give_up(self, stage: str, reason: str) -> Answer:
        final = {"stage": stage, "reason": reason, "identity": self._identity}
        answer = Answer(self._asked[0].index, 0, None, final)
        self._settle()
        return answer


def _unpack(message: Message) -> "NDArray[np.float32] | None":
    # Not at the top: the first workers are started while numpy is not yet loaded here.
    import numpy as np

    if not message.payload:
        return None
    return np.frombuffer(message.payload, dtype="<f4").reshape(message.header["shape"])
