"""Load and set up TensorFlow: quiet, reproducible, and with an allocator that fits training."""

import ctypes
import os
import platform
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emotool.errors import TrainingError
from emotool_training.extras import require_extra

__all__ = ["device_name", "keep_freed_memory", "load_tensorflow", "precision", "prepare"]

BFLOAT16_CAPABILITY = (8, 0)
"""Compute capability from which NVIDIA's GPUs multiply bfloat16 fast."""

# Parameters of mallopt, from glibc's malloc.h.
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX, ARENA_MAX = -1, -2, -4, -8

LARGEST = 2**31 - 1
"""Largest value that can be set, bytes."""

AHEAD = 2**28
"""Bytes requested from the system at a time."""


def keep_freed_memory() -> bool:
    """Make malloc keep freed memory, where it has such settings (glibc).

    A layer's output in training is tens of megabytes, which glibc requests from the system and
    returns each time; the system then clears every page again. Call it before anything large is
    allocated.

    Returns
    -------
    bool
        Whether malloc took the settings.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library, such as musl
        return False
    # One arena: those of other threads hold blocks of at most 64 MB.
    settings = {MMAP_MAX: 0, TRIM_THRESHOLD: LARGEST, TOP_PAD: AHEAD, ARENA_MAX: 1}
    taken = [mallopt(name, value) == 1 for name, value in settings.items()]
    return all(taken)


_THREADS, _THREADS_PER_CORE = 8, 4
"""About what TensorFlow starts."""


def load_tensorflow(purpose: str) -> Any:
    """Import TensorFlow without its messages about processors and missing GPUs.

    Its C++ side writes to the process's stderr before it can be configured; that is held back
    while it starts, and printed only if it fails.

    Parameters
    ----------
    purpose : str
        What needs it, for the error: ``"emotool train"``.

    Returns
    -------
    module

    Raises
    ------
    MissingExtraError
        If it is not installed.
    TrainingError
        If the system does not let it start as many threads as it needs.
    """
    require_extra("train", purpose)
    _require_threads(_THREADS + _THREADS_PER_CORE * (os.cpu_count() or 1))
    keep_freed_memory()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if platform.machine() in ("x86_64", "AMD64"):
        # By itself TensorFlow takes oneDNN's kernels only where there is AVX-512 with VNNI;
        # they are faster with AVX2, too.
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with _stderr_held_back(), _no_sockets():
        import tensorflow as tf

        for gpu in tf.config.list_physical_devices("GPU"):
            # Otherwise the first process takes all memory of the GPU.
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.zeros(1) + 1  # starts what still prints messages
    return tf


def prepare(seed: int) -> None:
    """Make TensorFlow deterministic and seed it.

    Same seed, machine and number of threads: same bits.
    """
    import keras
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)


@contextmanager
def precision(wanted: str) -> Iterator[None]:
    """Set the precision of models built in the block; their weights are always float32.

    Parameters
    ----------
    wanted : str
        ``float32``, ``bfloat16`` (mixed), or ``auto``: bfloat16 on a GPU that is fast at it.
    """
    import keras

    before = keras.config.dtype_policy()
    half = wanted == "bfloat16" or (wanted == "auto" and _gpu_has_bfloat16())
    keras.config.set_dtype_policy("mixed_bfloat16" if half else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def device_name() -> str:
    """Name what TensorFlow computes on.

    Returns
    -------
    str
        The GPU's name, or ``CPU (n cores)``.
    """
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return f"CPU ({os.cpu_count()} cores)"
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))


def _gpu_has_bfloat16() -> bool:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return bool(details) and all(
        d.get("compute_capability", (0, 0)) >= BFLOAT16_CAPABILITY for d in details
    )


def _require_threads(count: int) -> None:
    """Try whether so many threads can be started: TensorFlow ends the process if it cannot."""
    over = threading.Event()
    begun = []
    try:
        for _ in range(count):
            thread = threading.Thread(target=over.wait)
            thread.start()
            begun.append(thread)
    except RuntimeError as error:
        raise TrainingError(
            f"TensorFlow needs about {count} threads, and the system allows {len(begun)} more",
            hint="raise the limit on processes (ulimit -u, or the container's)",
        ) from error
    finally:
        over.set()
        for thread in begun:
            thread.join()


@contextmanager
def _no_sockets() -> Iterator[None]:
    """Keep urllib3, which Keras imports, from binding a socket to find out whether there is IPv6.

    It would go nowhere; but a program that opens no connection needs no socket.
    """
    before = socket.has_ipv6
    socket.has_ipv6 = False
    try:
        yield
    finally:
        socket.has_ipv6 = before


@contextmanager
def _stderr_held_back() -> Iterator[None]:
    """Hold back what is written to stderr; show it if the block raises."""
    try:
        stderr = sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):  # no real stderr: a notebook, a test
        stderr = 2
    sys.stderr.flush()
    kept = os.dup(stderr)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), stderr)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, stderr)
            os.close(kept)
