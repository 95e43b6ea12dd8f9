"""A worker process as its parent sees it: started, sent tasks, read from, killed, reaped."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from emotool.errors import EmotoolError
from emotool.workers.protocol import Message, ProtocolError, receive, send
from emotool.workers.worker import BOOTSTRAP

__all__ = ["ONE_THREAD", "WorkerProcess", "current_folder", "worker_command"]

ONE_THREAD = {
    f"{name}_NUM_THREADS": "1"
    for name in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMEXPR")
}
"""Environment variables for linear algebra in one thread: each core has a worker already."""

# glibc gives large arrays back to the system as soon as they are done with, and has to have every
# page of the next one zeroed: some fifty pages a clip. Other systems' libraries do not look here.
_ENVIRONMENT = ONE_THREAD | {
    "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
}
_PIPE_BYTES = 1 << 20  # several clips' windows, so that a worker need not wait for its reader


class WorkerProcess:
    """One process, from its start until it is reaped.

    Parameters
    ----------
    command : sequence of str
        What to run.
    folder : Path or None
        The folder from which relative paths are meant; None for the current one.

    Attributes
    ----------
    ready : bool
        Whether it has reported that its imports are loaded.
    waiting : bool
        Whether the parent waits for it, and not it for the parent.

    Raises
    ------
    EmotoolError
        If it cannot be started.
    """

    def __init__(self, command: Sequence[str], folder: Path | None) -> None:
        self.ready = self.waiting = False
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env=os.environ | _ENVIRONMENT,
            )
        except OSError as error:
            raise EmotoolError(
                f"cannot start a worker process: {error.strerror}",
                hint="raise the limits on processes (ulimit -u), open files (ulimit -n) and memory "
                "(ulimit -v), or the container's",
            ) from error
        self._stdin = cast("BinaryIO", self._process.stdin)
        self._stdout = cast("BufferedReader", self._process.stdout)
        _widen(self._stdout.fileno())

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, header: Mapping[str, object], payload: bytes = b"") -> None:
        """Send it a message. The next `receive` notices if it is dead."""
        self.waiting = True
        try:
            send(self._stdin, header, payload)
        except OSError:
            pass
        finally:
            self.waiting = False

    def receive(self) -> Message | None:
        """Wait for its next message; None when it died or sent an invalid message.

        Raises
        ------
        EmotoolError
            If it reports that it cannot start.
        """
        self.waiting = True
        try:
            message = receive(self._stdout)
        except (ProtocolError, OSError, ValueError):  # ValueError: reaped by another thread
            return None
        finally:
            self.waiting = False
        if message is not None and "fatal" in message.header:
            raise EmotoolError(f"worker processes cannot start: {message.header['fatal']}")
        return message

    def kill(self) -> None:
        """End it at once; may be called from any thread, and again."""
        self._process.kill()

    def reap(self) -> str:
        """Kill it, wait for its end and return its exit code or signal."""
        self._process.kill()
        with contextlib.suppress(OSError):
            self._stdin.close()
        self._stdout.close()
        code = self._process.wait()
        if code >= 0:
            return f"exit code {code}"
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
        return f"signal {-code}"


def worker_command() -> tuple[str, ...]:
    """Return the command that starts a worker with this process's modules.

    A plain Python with this one's ``sys.path``: unlike multiprocessing it never imports the
    caller's main module again, so it works from notebooks, from scripts without a guard, and
    the same on every system.
    """
    here = str(current_folder() or "")
    folders = [entry or here for entry in sys.path if isinstance(entry, str)]
    # -I hides PYTHONUTF8 from it: its names of files must be made of the same bytes.
    encoding = f"utf8={sys.flags.utf8_mode}"
    return (sys.executable, "-I", "-X", encoding, "-c", BOOTSTRAP, json.dumps(folders))


def current_folder() -> Path | None:
    """Return the current folder; None if it has been removed."""
    try:
        return Path.cwd()
    except OSError:
        return None


def _widen(descriptor: int) -> None:
    if sys.platform == "linux":
        import fcntl

        # Refused beyond a user's quota; the usual 64 KiB then serve.
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
