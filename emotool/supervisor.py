"""One worker process and the thread that looks after it.

The thread gives the worker clips, hears its answers and, when it dies, finds the culprit and
starts another. A worker answers in order, so the culprit is the first clip without an answer.
It is tried once more, alone in a fresh process: a worker can die through no fault of its clip
(someone killed it, another program ate the memory), and a row must not depend on that. Dying
again, or not answering in time, makes it a failed row. The clips behind it lose nothing.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotool.errors import EmotoolError
from emotool.queues import Source, Task
from emotool.worker import BOOTSTRAP, Message, ProtocolError, file_identity, receive, send

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Answer", "Supervisor"]

CHUNK = 8  # clips a message: enough to keep a worker busy while the parent is
START_SECONDS = 120.0  # for a worker's imports, from a cold disk on a loaded machine
START_ATTEMPTS = 3
# One thread for each worker's linear algebra: there is a worker for every core already.
_ENVIRONMENT = {
    f"{name}_NUM_THREADS": "1"
    for name in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMEXPR")
}
_PIPE_BYTES = 1 << 20  # several clips' windows, so that a worker need not wait for its reader


@dataclass(frozen=True, slots=True)
class Answer:
    """A part of what a worker has to say about a clip.

    Attributes
    ----------
    index : int
        The clip's identity within the run.
    number : int
        0, 1, 2, …; 0 begins the clip, possibly for a second time.
    log_mels : ndarray of float32 [windows, n_mels, frames] or None
        Windows in their order; None when there are none.
    final : dict or None
        In the last part, ``status``, ``duration_s``, ``flags`` and ``identity``, or ``stage``,
        ``reason`` and ``identity``.
    """

    index: int
    number: int
    log_mels: "NDArray[np.float32] | None"
    final: dict[str, Any] | None

    @property
    def size(self) -> int:
        """About how many bytes it occupies."""
        return 1024 + (0 if self.log_mels is None else self.log_mels.nbytes)


Put = Callable[[Answer | BaseException | bool, int], bool]


class _Clock:
    """How long a worker has been at its present clip; one object per clip.

    Only time in which the parent both waited and watched is counted: not while the worker's
    answers had to wait for the model or for a reader who paused the output, and not while the
    whole machine slept.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.expired = False


class Supervisor:
    """Starts, feeds, hears, times and replaces one worker process.

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
        self._folder = Path.cwd()
        self._setup: Mapping[str, object] = {}
        self._asked: deque[Task] = deque()  # without a final answer yet
        self._backlog: deque[Task] = deque()  # to be asked again
        self._suspect: int | None = None  # the clip whose worker died once
        self._identity = ""  # of its file
        self._parts = 0  # of the present clip, so far
        self._clock = _Clock()
        self._waiting = False  # for the worker
        self._ready = False
        self._starts = 0  # in vain, in a row
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._spawn()

    def _spawn(self) -> None:
        environment = os.environ | _ENVIRONMENT
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env=environment,
            )
        except OSError as error:
            raise EmotoolError(f"cannot start a worker process: {error.strerror}") from error
        self._widen_pipe()
        self._ready = False
        self._clock = _Clock()
        self._parts = 0

    def _widen_pipe(self) -> None:
        if sys.platform == "linux":
            import fcntl

            # Refused beyond a user's quota; the usual 64 KiB then serve.
            with contextlib.suppress(OSError):
                fcntl.fcntl(self._stdout.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    @property
    def _stdin(self) -> Any:
        return self._process.stdin

    @property
    def _stdout(self) -> Any:
        return self._process.stdout

    @property
    def pid(self) -> int:
        """The present worker's process id."""
        return self._process.pid

    def begin(self, setup: Mapping[str, object], source: Source, put: Put) -> None:
        """Let the thread start: take from ``source``, ``put`` answers until there are no more.

        ``put`` gets an error that ends the run, or True when this worker's share is done.
        """
        self._setup = setup
        self._thread = threading.Thread(target=self._run, args=(source, put), daemon=True)
        self._thread.start()

    def tick(self, seconds: float) -> None:
        """Count time watched; a worker beyond its limit is killed. Called by the run's thread."""
        clock, ready = self._clock, self._ready
        if not self._waiting:
            return
        clock.seconds += seconds
        if clock.seconds > (self._timeout_s if ready else START_SECONDS):
            clock.expired = True
            self._process.kill()  # the thread hears of it as of any other death

    def close(self) -> None:
        """End the worker and the thread, at any moment."""
        self._closing.set()
        self._process.kill()
        if self._thread is not None:
            self._thread.join(timeout=1.0)
        self._process.kill()  # one that the thread was just starting
        self._reap()

    def _reap(self) -> int:
        self._process.kill()
        with contextlib.suppress(OSError):
            self._stdin.close()
        self._stdout.close()
        return self._process.wait()

    # What follows runs in the supervisor's own thread.

    def _run(self, source: Source, put: Put) -> None:
        try:
            self._greet()
            while not self._closing.is_set() and self._ask(source):
                message = self._hear()
                answer = self._bury() if message is None else self._understand(message)
                if answer is not None and not put(answer, answer.size):
                    return
            put(True, 0)
        except BaseException as error:  # whatever it is ends the run, in the run's own thread
            put(error, 0)

    def _greet(self) -> None:
        self._tell(self._setup, b"")

    def _ask(self, source: Source) -> bool:
        """Keep the worker supplied; False when there is nothing left to wait for."""
        if self._suspect is not None:  # alone, so that there is no doubt if it kills again
            if not self._asked:
                self._give([self._backlog.popleft()])
        elif self._backlog:
            self._give(self._backlog)
            self._backlog.clear()
        elif len(self._asked) < CHUNK:
            self._give(source.take(CHUNK, wait=not self._asked))
        return bool(self._asked)

    def _give(self, tasks: Sequence[Task] | deque[Task]) -> None:
        if not tasks:
            return
        self._asked.extend(tasks)
        paths = [os.fsencode(task.path) for task in tasks]
        clips = [[task.index, len(path)] for task, path in zip(tasks, paths, strict=True)]
        self._tell({"clips": clips}, b"".join(paths))

    def _tell(self, header: Mapping[str, object], payload: bytes) -> None:
        self._waiting = True
        try:
            send(self._stdin, header, payload)
        except OSError:
            pass  # it is dead: the next hearing says so
        finally:
            self._waiting = False

    def _hear(self) -> Message | None:
        """Wait for the next answer; None when the worker died or talks nonsense."""
        self._waiting = True
        try:
            while (message := receive(self._stdout)) is not None:
                if "fatal" in message.header:
                    raise EmotoolError(f"worker processes cannot start: {message.header['fatal']}")
                if "ready" not in message.header:
                    return message
                self._ready, self._starts, self._clock = True, 0, _Clock()
        except (ProtocolError, OSError, ValueError):
            pass
        finally:
            self._waiting = False
        return None

    def _understand(self, message: Message) -> Answer | None:
        """Check that an answer is about the clip it should be about, and unpack it."""
        header = message.header
        first = self._asked[0].index
        if (header.get("index"), header.get("part")) != (first, self._parts):
            raise EmotoolError(
                f"a worker answered {header.get('index')}/{header.get('part')} "
                f"when asked for {first}/{self._parts}: this is a fault in emotool"
            )
        answer = Answer(first, self._parts, _unpack(message), header["final"])
        self._parts += 1
        if answer.final is not None:
            self._settle()
        return answer

    def _settle(self) -> None:
        """Go on to the next clip."""
        self._asked.popleft()
        self._suspect = None
        self._parts = 0
        self._clock = _Clock()

    def _bury(self) -> Answer | None:
        """Clear away a dead worker, start another; an answer when a clip is given up."""
        code = self._reap()
        if self._closing.is_set():
            return None
        answer = None
        if not self._ready:
            self._starts += 1
            if self._starts >= START_ATTEMPTS:
                raise EmotoolError(f"worker processes cannot start: {_obituary(code)}")
        elif self._clock.expired:
            self._identity = self._identify(self._asked[0])
            answer = self._give_up("timeout", f"no result after {self._timeout_s:g} s")
        elif self._asked[0].index == self._suspect:
            answer = self._give_up("crash", f"reading it ends the process ({_obituary(code)})")
        else:
            self._suspect = self._asked[0].index
            self._identity = self._identify(self._asked[0])  # of what will be tried again
        self._backlog.extendleft(reversed(self._asked))
        self._asked.clear()
        self._spawn()
        if self._closing.is_set():  # closed while it was being started
            self._process.kill()
        self._greet()
        return answer

    def _identify(self, task: Task) -> str:
        """Identify a file in a worker's stead; by its bytes only a worker dares to."""
        if self._setup.get("by_content"):
            return ""
        try:
            return file_identity(task.path, by_content=False)
        except (OSError, ValueError):
            return ""

    def _give_up(self, stage: str, reason: str) -> Answer:
        final = {"stage": stage, "reason": reason, "identity": self._identity}
        answer = Answer(self._asked[0].index, 0, None, final)
        self._settle()
        return answer


def worker_command() -> tuple[str, ...]:
    """Return the command that starts a worker with this process's modules.

    A plain Python with this one's ``sys.path``: unlike multiprocessing it never imports the
    caller's main module again, so it works from notebooks, from scripts without a guard, and
    the same on every system.
    """
    folders = [entry or str(Path.cwd()) for entry in sys.path if isinstance(entry, str)]
    return (sys.executable, "-I", "-c", BOOTSTRAP, json.dumps(folders))


def _unpack(message: Message) -> "NDArray[np.float32] | None":
    # Not at the top: the first workers are started while numpy is not yet loaded here.
    import numpy as np

    if not message.payload:
        return None
    return np.frombuffer(message.payload, dtype="<f4").reshape(message.header["shape"])


def _obituary(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
