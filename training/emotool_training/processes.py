"""Run tasks in other processes, which end with this one and leave Ctrl-C to it."""

import multiprocessing
import os
import signal
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from emotool.errors import TrainingError

__all__ = ["in_processes"]

Result = TypeVar("Result")


def in_processes(
    work: Callable[..., Result], tasks: Sequence[tuple[Any, ...]], workers: int
) -> Iterator[tuple[tuple[Any, ...], Result]]:
    """Run tasks in a pool of processes, or in this one where the system has no locks for them.

    Parameters
    ----------
    work : callable
        A function of a module; what it imports, every process imports.
    tasks : sequence of tuple
        Its arguments, which can be pickled.
    workers : int
        How many processes.

    Yields
    ------
    tuple
        Each task with its result, in the order in which they are done.

    Raises
    ------
    TrainingError
        If a process dies.
    """
    # Spawned, not forked: a fork of a process with TensorFlow's threads can hang.
    context = multiprocessing.get_context("spawn")
    try:
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_ignore_interrupt)
    except (OSError, ImportError):  # no shared memory (/dev/shm) for locks between processes
        for task in tasks:
            yield task, work(*task)
        return
    try:
        with _plain_start():
            running = {pool.submit(work, *task): task for task in tasks}
        pending: set[Future[Result]] = set(running)
        while pending:
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                yield running[future], future.result()
    except BrokenProcessPool as error:
        raise TrainingError(
            "a process computing features died",
            hint="it may have run out of memory; progress is saved; try again",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _ignore_interrupt() -> None:
    """Leave Ctrl-C, which reaches every process of a terminal, to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _plain_start() -> Iterator[None]:
    """Start processes without the caller's main module, with one thread each.

    They use one thread each for linear algebra, and do not import the program that was started:
    it has nothing that they need, and where it is a script without a guard they would start
    everything over.
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    main = sys.modules["__main__"]
    os.environ.update(dict.fromkeys(names, "1"))
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
