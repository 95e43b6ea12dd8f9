"""Running a command to measure it: wall time, processor time, and memory of all its processes."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "CommandFailedError", "Measured", "environment", "measure", "watched"]

ROOT = Path(__file__).resolve().parents[1]

# Set where other people's builds are tested: they choose kernels for another processor, which
# slow numpy. One without the other is worse than both, so they are taken out together.
_DISTORTING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_SAMPLES_PER_SECOND = 10


class CommandFailedError(Exception):
    """A command that was to be measured has failed; its last words are the message."""


@dataclass(frozen=True)
class Measured:
    """What a command took.

    Parameters
    ----------
    wall_s, cpu_s : float
        Wall time, and processor time of the command and what it started, in seconds.
    peak_mib : float
        Largest sum of the proportional set sizes (PSS) of its processes seen at one moment,
        MiB; 0 if it was not watched.
    stdout : str
        What it printed.
    """

    wall_s: float
    cpu_s: float
    peak_mib: float
    stdout: str


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for measured commands: this one, without what distorts."""
    kept = {name: value for name, value in os.environ.items() if name not in _DISTORTING}
    return kept | {"TF_CPP_MIN_LOG_LEVEL": "3", "ORT_DISABLE_TELEMETRY": "1"} | dict(extra or {})


def measure(command: Sequence[str], *, cwd: Path | None = None, watch: bool = False) -> Measured:
    """Run a command to its end.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    cwd : Path, optional
        Where to run it.
    watch : bool, default False
        Add up the memory of its processes ten times a second, which costs them a little time.

    Raises
    ------
    CommandFailedError
        If it ends with anything but 0.
    """
    began = time.perf_counter()
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    complaints: list[str] = []
    with subprocess.Popen(command, env=environment(), cwd=cwd, text=True, **pipes) as process:  # type: ignore[call-overload]
        drain = threading.Thread(target=lambda: complaints.append(process.stderr.read()))
        drain.start()
        with watched(process.pid if watch else None) as peak:
            stdout = process.stdout.read()
            # Waited for by hand: the kernel then tells what it and its children used.
            _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        drain.join()
    if process.returncode:
        said = "".join(complaints).strip().splitlines()[-3:]
        raise CommandFailedError(f"{' '.join(command)[:200]}: {' / '.join(said)}")
    return Measured(wall, usage.ru_utime + usage.ru_stime, peak.mib, stdout)


class watched:  # noqa: N801 - used like a function
    """A block during which the memory of a process and its descendants is watched.

    Parameters
    ----------
    pid : int or None
        The process; None watches nothing.

    Attributes
    ----------
    mib : float
        The largest sum of PSS so far, MiB.
    """

    def __init__(self, pid: int | None) -> None:
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.mib = 0.0

    def _look(self) -> None:
        while not self._ended.wait(1 / _SAMPLES_PER_SECOND):
            if self._pid is not None:
                self.mib = max(self.mib, sum(map(_pss_mib, _family(self._pid))))

    def __enter__(self) -> "watched":
        if self._pid is not None:
            self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._ended.set()
        if self._pid is not None:
            self._thread.join()


def _family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    found = [pid]
    for one in found:
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text("ascii").split())
        except OSError:  # it has ended
            continue
    return found


def _pss_mib(pid: int) -> float:
    """Return a process's share of the memory it uses; 0 if it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    except OSError:
        return 0.0
    return (
        next((int(line.split()[1]) for line in text.splitlines() if line[:4] == "Pss:"), 0) / 1024
    )
