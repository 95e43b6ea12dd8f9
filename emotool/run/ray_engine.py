"""Run on Ray: tasks over shards, whose parts are merged when all are there.

A task is an ordinary run of one shard (`emotool.run.ray_task`). Nothing but lists of paths travels
between nodes: clips are read from, and parts written to, file systems that all nodes share. Parts
are the checkpoint: the same command computes those that are missing. Placement, retries after a
node is lost, and autoscaling are Ray's.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from emotool.errors import EmotoolError, OutputError
from emotool.files.lock import lock_all
from emotool.inputs.shards import Shard
from emotool.results.tally import RunSummary
from emotool.run.batch import TooManyFailuresError
from emotool.run.finding import find_inputs
from emotool.run.merging import first_rows, merge
from emotool.run.options import Output, Progress, RunOptions
from emotool.run.outputs import files_of
from emotool.run.parts import Part, check_same, find_parts
from emotool.run.ray_cluster import Share, cluster
from emotool.run.ray_parts import PartFolder
from emotool.run.ray_task import Outcome, classify_part
from emotool.text import printable

__all__ = ["run_on_ray"]

_LOST: Final = 5
"""How often a task is tried again after its process or node was lost."""

_SUBMITTED: Final = 1_000
"""Most tasks that Ray knows of at a time: enough for an autoscaler to see what is needed."""

_TICK_SECONDS: Final = 0.5


def run_on_ray(options: RunOptions, progress: Progress, address: str | None = None) -> RunSummary:
    """Label every clip that the paths name, as `emotool.run.batch.run`, by tasks of Ray.

    Parameters
    ----------
    options : RunOptions
        What to do. Outputs are tables in files.
    progress : Progress
        Receives the progress of the run; the rows of a part when it is complete.
    address : str, optional
        The cluster to join; a local one is started, and ended with the run, if not given.

    Returns
    -------
    RunSummary

    Raises
    ------
    EmotoolError
        If the run cannot be finished; parts that are complete are kept for the next try.
    """
    began = time.perf_counter()
    files = files_of(options.outputs)
    _check_outputs(options.outputs, files)
    with contextlib.ExitStack() as stack:
        lock_all(files, stack)
        found = find_inputs(options, files, progress)
        parts = PartFolder(files[0], options, found)
        share = stack.enter_context(cluster(address, options.pool.workers, options.device))
        shards = parts.prepare(share.slots)
        try:
            resumed = _Tasks(parts, options, progress).run(shards, share, len(found.clips))
        except (KeyboardInterrupt, SystemExit):
            progress.note("Complete parts are kept; run the same command to resume.")
            raise
    summary = merge(parts.parts(), options.outputs)
    parts.remove()
    return replace(
        summary,
        seconds=time.perf_counter() - began,
        resumed=resumed,
        parts=0,
        skipped=found.skipped,
        hidden=found.hidden,
        archives=found.archives,
    )


def _check_outputs(outputs: Sequence[Output], files: Sequence[Path]) -> None:
    """Check that every output is a table in a file, and can be merged."""
    if len(files) < len(outputs) or not files:
        raise OutputError("--engine ray writes files only", hint="name a file with -o")
    for output in outputs:
        if output.content != "table" or output.target.lower().endswith(".html"):
            raise OutputError(
                f"cannot write {printable(output.target)} with --engine ray",
                hint="it writes tables; the local engine writes the other outputs",
            )


class _Tasks:
    """The tasks of a run.

    Parameters
    ----------
    parts : PartFolder
        Their parts.
    options : RunOptions
        What the run does.
    progress : Progress
        Receives the progress.
    """

    def __init__(self, parts: PartFolder, options: RunOptions, progress: Progress) -> None:
        self._parts, self._options, self._progress = parts, options, progress
        self._failed = 0
        self._first: Part | None = None

    def run(self, shards: Sequence[Shard], share: Share, clips: int) -> int:
        """Compute the parts of all shards that are missing; return how many clips were there."""
        complete = [shard for shard in shards if self._parts.is_complete(shard)]
        missing = iter([shard for shard in shards if shard not in set(complete)])
        resumed = sum(_clips_in(shard, clips) for shard in complete)
        self._progress.begin(clips, resumed, self._parts.labels)
        for shard in complete:
            self._receive(shard)
        submit = _submitter(share)
        running: dict[Any, Shard] = {}
        try:
            while self._fill(running, missing, submit, share):
                self._wait(running)
        finally:
            _cancel(list(running))
        return resumed

    def _fill(
        self, running: dict[Any, Shard], missing: Iterator[Shard], submit: Any, share: Share
    ) -> bool:
        """Submit tasks until there are enough; return whether any is running."""
        environment = share.environment
        while len(running) < _SUBMITTED and (shard := next(missing, None)) is not None:
            running[submit(self._parts.task(shard, share), environment)] = shard
        return bool(running)

    def _wait(self, running: dict[Any, Shard]) -> None:
        """Receive the parts of tasks that have ended."""
        import ray

        ended, _ = ray.wait(list(running), num_returns=1, timeout=_TICK_SECONDS)
        for task in ended:
            shard = running.pop(task)
            try:
                outcome: Outcome = ray.get(task)
            except ray.exceptions.RayError as error:
                reason = str(error).strip().splitlines()[-1]
                raise EmotoolError(
                    f"shard {shard} has no part after {_LOST + 1} tries: {printable(reason)}",
                    hint="the same command computes the parts that are missing",
                ) from error
            if outcome.error:
                raise EmotoolError(f"shard {shard}: {outcome.error}", hint=outcome.hint)
            self._receive(shard)

    def _receive(self, shard: Shard) -> None:
        """Report the rows of a part that is complete."""
        allowed = self._options.max_errors
        (part,) = find_parts([str(self._parts.place(shard))])
        self._first = self._first or part
        check_same(self._first, part)  # a node may have another version or model of that name
        for result in first_rows(part):
            self._progress.advance(result)
            self._failed += result.status == "failed"
            if allowed is not None and self._failed > allowed:
                raise TooManyFailuresError(
                    f"stopped because more than {allowed} clips failed, the last one "
                    f"{printable(result.shown)}: {printable(result.reason)}",
                    hint="run the same command to resume; --max-errors allows more",
                )


def _clips_in(shard: Shard, clips: int) -> int:
    part = shard.slice_of(clips)
    return int(part.stop - part.start)


def _submitter(share: Share) -> Any:
    """Return a function that submits the task of a shard."""
    import ray

    remote = ray.remote(
        num_cpus=share.cpus, num_gpus=share.gpus, max_retries=_LOST, scheduling_strategy="SPREAD"
    )
    return remote(classify_part).remote


def _cancel(tasks: Sequence[Any]) -> None:
    """Interrupt tasks that are still running, on whatever node; their journals are kept."""
    if not tasks:
        return
    import ray

    for task in tasks:
        with contextlib.suppress(ray.exceptions.RayError, ValueError):
            ray.cancel(task)
