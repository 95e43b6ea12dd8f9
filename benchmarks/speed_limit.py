"""How fast the bare kernels are with all cores busy, and the limit that follows."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from benchmarks.speed_process import ROOT, CommandFailedError, environment
from emotool.cores import usable_cores

__all__ = ["KERNEL_NAMES", "Setting", "best_setting", "kernel_rate", "limit"]

KERNEL_NAMES = ("decode", "resample", "log-mel", "network")
BATCHES = (4, 8, 16, 32, 64)
_SEARCHED = 10  # one clip of so many is enough to choose a batch size


@dataclass(frozen=True)
class Setting:
    """How the ONNX session is run.

    Parameters
    ----------
    batch : int
        Windows at once.
    threads : int
        Of one session; there are as many processes as leave no core idle.
    """

    batch: int
    threads: int


def kernel_rate(
    kernel: str, model: str, clips: Path, setting: Setting | None = None, every: int = 1
) -> float:
    """Return a kernel's clips/s with all cores busy; 0 if no clip needs it."""
    setting = setting or Setting(32, 1)
    processes = max(1, usable_cores() // setting.threads)
    running = []
    for part in range(processes):
        command = [sys.executable, str(ROOT / "benchmarks" / "speed_kernels.py"), kernel]
        command += ["--clips", str(clips), "--model", model, "--share", f"{part}/{processes}"]
        command += ["--every", str(every), "--batch", str(setting.batch)]
        command += ["--threads", str(setting.threads)]
        # Each process has one core, so libraries shall not start threads of their own.
        one = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        running.append(subprocess.Popen(command, env=environment(one), **pipes))  # type: ignore[call-overload]
    for process in running:
        if process.stdout.readline().strip() != "ready":
            raise CommandFailedError(f"the kernel {kernel} cannot start")
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [json.loads(process.communicate()[0]) for process in running]
    slowest = max(float(one["seconds"]) for one in said)
    return sum(int(one["clips"]) for one in said) / slowest


def best_setting(model: str, clips: Path) -> Setting:
    """Try batch sizes and threads on a part of the clips; return the fastest."""
    settings = [Setting(b, t) for b, t in product(BATCHES, sorted({1, usable_cores()}))]
    return max(settings, key=lambda one: kernel_rate("network", model, clips, one, _SEARCHED))


def limit(rates: Mapping[str, float]) -> float:
    """Return the clips/s of the kernels one after another, each with all cores.

    Examples
    --------
    >>> limit({"decode": 2000.0, "log-mel": 2000.0})
    1000.0
    """
    return 1 / sum(1 / rate for rate in rates.values())
