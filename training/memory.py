"""Memory that is freed and wanted again a moment later stays with the process."""

import ctypes
import sys

__all__ = ["keep_freed_memory"]

# From glibc's malloc.h, of which Python knows nothing.
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX, ARENA_MAX = -1, -2, -4, -8

LARGEST = 2**31 - 1
"""Largest value that can be set, bytes."""

AHEAD = 2**28
"""Bytes asked of the system at a time."""


def keep_freed_memory() -> bool:
    """Let malloc keep what is freed, where it can be told so (glibc).

    A layer's output in training is tens of megabytes, which glibc asks of the system each time
    and gives back each time; the system then clears every page again. Call it before anything
    large is allocated.

    Returns
    -------
    bool
        Whether malloc could be told.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library, such as musl
        return False
    # One arena: those of other threads hold blocks of at most 64 MB.
    settings = {MMAP_MAX: 0, TRIM_THRESHOLD: LARGEST, TOP_PAD: AHEAD, ARENA_MAX: 1}
    told = [mallopt(name, value) == 1 for name, value in settings.items()]
    return all(told)
