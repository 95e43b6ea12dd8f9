"""Work in processes of its own, and where there can be none."""

import pytest

from emotool_training import processes
from emotool_training.processes import in_processes


def test_without_shared_memory_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where /dev/shm is missing or read-only, there are no locks between processes."""

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(processes, "ProcessPoolExecutor", refuse)
    tasks = [(1, 2), (3, 4)]
    assert list(in_processes(max, tasks, 2)) == [((1, 2), 2), ((3, 4), 4)]
