"""Workers that die, hang or talk nonsense cost at most one clip; no clip is lost or swapped."""

import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emotool.cores import usable_cores
from emotool.errors import EmotoolError
from emotool.inputs.clips import Clip
from emotool.workers.pool import PoolOptions, Reading, WorkerPool
from emotool.workers.queues import Source
from emotool.workers.supervisor import Answer, Supervisor
from tests.emotool.misbehaving import COMMAND
from tests.emotool.tiny_models import SMALL_SPEC
from tests.synthesis import tone, write_clip

pytestmark = pytest.mark.slow

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


def read(
    paths: list[Path], *, disturb: Callable[[WorkerPool, int], object] | None = None, **options: Any
) -> dict[int, dict[str, Any]]:
    """Let a pool read clips; return each one's final answer, having seen that there is just one."""
    finals: list[Answer] = []
    with WorkerPool(PoolOptions(**{"workers": 2, **options})) as pool:
        tasks = [Clip(i, path.name, str(path)) for i, path in enumerate(paths)]
        for answer in pool.run(tasks, SMALL_SPEC):
            if answer is not None and answer.final is not None:
                finals.append(answer)
                if disturb is not None:
                    disturb(pool, len(finals))
    assert Counter(answer.index for answer in finals) == Counter(range(len(paths)))
    return {answer.index: answer.final for answer in finals if answer.final is not None}


def clips(folder: Path, *names: str) -> list[Path]:
    """Write a short clip under each name."""
    return [write_clip(folder / f"{name}.wav", tone(440, 0.6)) for name in names]


def outcomes(finals: dict[int, dict[str, Any]]) -> list[str]:
    """Return each clip's status, or the stage at which it failed, in their order."""
    return [finals[i].get("status") or finals[i]["stage"] for i in range(len(finals))]


def alive(pid: int) -> bool:
    """Say whether a process exists and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_clip_is_answered_once(tmp_path: Path) -> None:
    """More clips than fit into the workers' hands at once all come back, missing ones too."""
    paths = clips(tmp_path, *(f"{i:02}" for i in range(50)))
    paths[17].unlink()
    found = outcomes(read(paths))
    assert found[17] == "open"
    assert Counter(found) == {"ok": 49, "open": 1}


@posix
def test_crashing_clip_costs_its_own_row_only(tmp_path: Path) -> None:
    """The culprit is found among the clips that were waiting behind it, and marked."""
    names = [f"{i:02}" for i in range(12)]
    finals = read(clips(tmp_path, *names[:5], "crash", *names[5:], "exit"), command=COMMAND)
    assert outcomes(finals) == ["ok"] * 5 + ["crash"] + ["ok"] * 7 + ["crash"]
    assert "SIGKILL" in finals[5]["reason"]
    assert "exit code 7" in finals[13]["reason"]


def test_hanging_clip_is_given_up(tmp_path: Path) -> None:
    """A decoder that never returns costs the time limit and one row."""
    paths = clips(tmp_path, "a", "hang", "b", "c")
    began = time.monotonic()
    finals = read(paths, command=COMMAND, timeout_s=0.5)
    assert outcomes(finals) == ["ok", "timeout", "ok", "ok"]
    assert "0.5 s" in finals[1]["reason"]
    assert time.monotonic() - began < 10


def test_worker_that_died_by_accident_costs_nothing(tmp_path: Path) -> None:
    """A clip half answered when its worker died begins again, from its first part."""
    write_clip(tmp_path / "stumble.wav", tone(440, 65.0))
    paths = [*clips(tmp_path, "a"), tmp_path / "stumble.wav", *clips(tmp_path, "b")]
    parts: list[Answer] = []
    with WorkerPool(PoolOptions(workers=1, command=COMMAND)) as pool:
        tasks = [Clip(i, path.name, str(path)) for i, path in enumerate(paths)]
        parts = [answer for answer in pool.run(tasks, SMALL_SPEC) if answer is not None]
    numbers = [part.number for part in parts if part.index == 1]
    assert numbers.count(0) == 2
    again = numbers[len(numbers) - numbers[::-1].index(0) - 1 :]
    assert again == list(range(17))
    assert [part.index for part in parts if part.final] == [0, 1, 2]


@posix
def test_workers_may_be_killed_from_outside(tmp_path: Path) -> None:
    """``kill -9`` of workers, again and again, loses no clip and fails none."""

    def kill(pool: WorkerPool, done: int) -> None:
        if done % 10 == 0:
            os.kill(pool.pids[(done // 10) % 2], signal.SIGKILL)

    finals = read(clips(tmp_path, *(f"{i:02}" for i in range(40))), disturb=kill)
    assert set(outcomes(finals)) == {"ok"}


@posix
def test_stopped_worker_is_replaced(tmp_path: Path) -> None:
    """A worker that is frozen cannot even be asked to end; it is killed all the same."""

    def stop(pool: WorkerPool, done: int) -> None:
        if done == 1:
            os.kill(pool.pids[0], signal.SIGSTOP)

    finals = read(
        clips(tmp_path, *(f"{i:02}" for i in range(20))), disturb=stop, workers=1, timeout_s=0.5
    )
    assert Counter(outcomes(finals))["ok"] >= 19


def test_time_in_which_nobody_listens_does_not_count(tmp_path: Path) -> None:
    """A caller who pauses for longer than the time limit does not make clips fail."""
    paths = clips(tmp_path, *(f"{i:02}" for i in range(3)))
    # A second is long enough for a clip on a machine that is busy with other things.
    finals = read(paths, disturb=lambda pool, done: time.sleep(1.2), workers=1, timeout_s=1.0)
    assert set(outcomes(finals)) == {"ok"}


def test_workers_that_cannot_start_end_the_run(tmp_path: Path) -> None:
    """A worker that dies before it is ready is no clip's fault, and is not started for ever."""
    command = (sys.executable, "-c", "raise SystemExit(5)")
    with pytest.raises(EmotoolError, match=r"cannot start.*exit code 5"):
        read(clips(tmp_path, "a"), command=command)


def test_missing_interpreter_ends_the_run(tmp_path: Path) -> None:
    """Without a Python to run, the error says so."""
    with pytest.raises(EmotoolError, match="cannot start a worker"):
        read([], command=(str(tmp_path / "no-python"),))


def test_broken_installation_ends_the_run(tmp_path: Path) -> None:
    """What a worker says about its own imports is what the user reads."""
    code = (
        "from emotool.workers.protocol import send; import sys; "
        "send(sys.stdout.buffer, {'fatal': 'no!'})"
    )
    prefix = f"import sys; sys.path[:] = {sys.path!r}; "
    with pytest.raises(EmotoolError, match="cannot start: no!"):
        read(clips(tmp_path, "a"), command=(sys.executable, "-c", prefix + code))


def test_answer_about_another_clip_is_refused_loudly(tmp_path: Path) -> None:
    """A row must never carry another clip's label: a mismatch ends the run."""
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; from emotool.workers.protocol import send; "
        "send(sys.stdout.buffer, {'ready': True}); "
        "send(sys.stdout.buffer, {'index': 7, 'part': 0, 'shape': [0, 0, 0], "
        "'final': {'status': 'ok', 'duration_s': 1.0, 'flags': [], 'identity': ''}}); "
        "sys.stdin.read()"
    )
    with pytest.raises(EmotoolError, match="bug in emotool"):
        read(clips(tmp_path, "a"), command=(sys.executable, "-c", code))


def test_an_invalid_message_counts_as_death(tmp_path: Path) -> None:
    """A worker whose memory is damaged may send anything: it is replaced, its clip failed."""
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; from emotool.workers.protocol import send; "
        "send(sys.stdout.buffer, {'ready': True}); "
        "sys.stdout.buffer.write(b'x' * 100); sys.stdout.flush(); sys.stdin.read()"
    )
    finals = read(clips(tmp_path, "a"), command=(sys.executable, "-c", code))
    assert outcomes(finals) == ["crash"]


def test_error_in_the_callers_tasks_reaches_the_caller() -> None:
    """What a generator of tasks raises comes out of the pool, not into a thread's void."""

    def failing() -> Iterator[Clip]:
        raise LookupError("no more")
        yield

    with WorkerPool(PoolOptions(workers=1)) as pool, pytest.raises(LookupError):
        list(pool.run(failing(), SMALL_SPEC))


@posix
def test_closing_ends_the_processes_at_once(tmp_path: Path) -> None:
    """Leaving a run behind leaves no process behind, not even a hanging one."""
    paths = clips(tmp_path, *(f"hang{i}" for i in range(4)))
    with WorkerPool(PoolOptions(workers=2, command=COMMAND)) as pool:
        run = pool.run([Clip(i, path.name, str(path)) for i, path in enumerate(paths)], SMALL_SPEC)
        assert next(run) is None
        pids = pool.pids
        assert all(map(alive, pids))
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert not any(map(alive, pids))


def test_threads_that_wait_for_a_lock_are_waited_for_together(tmp_path: Path) -> None:
    """Ctrl-C can leave a lock behind: four workers' threads cost no more time than one's."""
    paths = clips(tmp_path, *(f"{i:02}" for i in range(40)))
    pool = WorkerPool(PoolOptions(workers=4))
    run = pool.run([Clip(i, path.name, str(path)) for i, path in enumerate(paths)], SMALL_SPEC)
    while next(run) is None:
        pass
    pool._inbox._changed.acquire()  # and never releases it, as an interruption in between
    time.sleep(0.5)  # threads come to it
    began = time.monotonic()
    pool.close()
    assert time.monotonic() - began < 3


def test_run_ends_with_its_pool(tmp_path: Path) -> None:
    """A pool that is closed under a run ends it, rather than leaving it to wait for ever."""
    paths = clips(tmp_path, *(f"{i:02}" for i in range(9)))
    pool = WorkerPool(PoolOptions(workers=1))
    for _ in pool.run([Clip(i, path.name, str(path)) for i, path in enumerate(paths)], SMALL_SPEC):
        pool.close()


@posix
def test_odd_names_reach_the_worker_as_they_are(tmp_path: Path) -> None:
    """Undecodable bytes, newlines and 255-byte names are opened, not mended."""
    names = [b"caf\xe9.wav", b"line\nbreak.wav", b"-o.wav", b"\xff\xfe.wav", b"n" * 251 + b".wav"]
    source = write_clip(tmp_path / "a.wav", tone(440)).read_bytes()
    paths = [tmp_path / os.fsdecode(name) for name in names]
    for path in paths:
        path.write_bytes(source)
    assert set(outcomes(read(paths))) == {"ok"}


def test_no_more_workers_than_asked_for() -> None:
    """The number of processes is bounded by the option, and by the cores without one."""
    with WorkerPool(PoolOptions(workers=1)) as pool:
        pool.start(5)
        assert len(pool.pids) == 1
    assert WorkerPool().workers == usable_cores() >= 1


@posix
def test_machine_that_slept_does_not_make_clips_fail(tmp_path: Path) -> None:
    """Of a gap in which nobody was awake, neither parent nor worker, next to nothing counts."""

    def sleep(pool: WorkerPool, done: int) -> None:
        if done == 1:
            os.kill(pool.pids[0], signal.SIGSTOP)
            time.sleep(2.5)
            os.kill(pool.pids[0], signal.SIGCONT)

    paths = clips(tmp_path, *(f"{i:02}" for i in range(6)))
    finals = read(paths, disturb=sleep, workers=1, timeout_s=2.0)
    assert set(outcomes(finals)) == {"ok"}


def test_time_in_which_the_worker_waits_does_not_count(tmp_path: Path) -> None:
    """A worker that cannot get rid of its windows is not slow: the model behind it is."""
    long = write_clip(tmp_path / "long.wav", tone(440, 400.0))  # more windows than a pipe holds
    answers: list[Answer] = []
    reached, go_on = threading.Event(), threading.Event()

    def put(item: Answer | BaseException | bool, size: int) -> bool:
        if isinstance(item, Answer):
            answers.append(item)
        reached.set()
        return go_on.wait(20)

    supervisor = Supervisor((), timeout_s=1.0)
    source = Source([Clip(0, "long", str(long))], ahead=1)
    supervisor.begin(SMALL_SPEC, Reading(), source, put)
    assert reached.wait(20)
    supervisor.tick(3600.0)
    go_on.set()
    limit = time.monotonic() + 20
    while not (answers and answers[-1].final) and time.monotonic() < limit:
        time.sleep(0.01)
    supervisor.close(1.0)
    assert answers[-1].final is not None
    assert answers[-1].final["status"] == "ok"


def test_time_to_start_does_not_count_for_the_first_clip(tmp_path: Path) -> None:
    """On a cold disk a worker may take longer to start than a clip may take to read."""
    slow = (*COMMAND[:2], "import time; time.sleep(0.6); " + COMMAND[2])
    finals = read(clips(tmp_path, "a", "b"), workers=1, command=slow, timeout_s=0.3)
    assert outcomes(finals) == ["ok", "ok"]
