"""How many processor cores there are for this process."""

import math
import os
from pathlib import Path

__all__ = ["usable_cores"]


def usable_cores() -> int:
    """Return how many cores this process may keep busy, at least 1.

    Neither those that it is kept off nor, in a container, more than it gets the time of.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        cores = min(cores or 1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):  # no container, or "max": no limit
        pass
    return max(1, cores or 1)
