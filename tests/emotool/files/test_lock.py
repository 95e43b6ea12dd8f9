"""Two runs never write one output; a lock of a dead process holds nobody up."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from emotool.errors import JournalError, OutputError
from emotool.files import lock as lock_module
from emotool.files.lock import OutputLock, beside
from tests.emotool.misbehaving import ROOT

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


def holder(target: Path) -> "subprocess.Popen[str]":
    """Start a process that holds an output's lock until it is ended."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path; from emotool.files.lock import OutputLock\n"
        f"with OutputLock(Path({str(target)!r})):\n"
        "    print('locked', flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


def test_second_run_is_refused_with_the_others_number(tmp_path: Path) -> None:
    """The message says which process is in the way."""
    target = tmp_path / "labels.csv"
    process = holder(target)
    with (
        pytest.raises(JournalError, match=rf"another run \(process {process.pid}\).*labels\.csv"),
        OutputLock(target),
    ):
        pass
    process.communicate()
    with OutputLock(target):
        pass


def test_second_run_in_the_same_process_is_refused(tmp_path: Path) -> None:
    """Threads of one program are told from each other too."""
    target = tmp_path / "labels.csv"
    with OutputLock(target), pytest.raises(JournalError), OutputLock(target):
        pass


def test_lock_leaves_nothing_behind(tmp_path: Path) -> None:
    """After a run only its outputs are there, also when it failed."""
    with pytest.raises(LookupError), OutputLock(tmp_path / "labels.csv"):
        raise LookupError
    assert list(tmp_path.iterdir()) == []


@posix
def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    """What ``kill -9`` leaves behind is a file without a lock: the next run takes it."""
    target = tmp_path / "labels.csv"
    process = holder(target)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert beside(target, "lock").exists()
    with OutputLock(target):
        pass


def test_other_outputs_are_not_held_up(tmp_path: Path) -> None:
    """Two runs into one folder are fine if their outputs differ."""
    with OutputLock(tmp_path / "a.csv"), OutputLock(tmp_path / "b.csv"):
        pass


def test_missing_folder_is_an_output_error(tmp_path: Path) -> None:
    """Where no lock can be made, no output can either."""
    with pytest.raises(OutputError, match="cannot write"), OutputLock(tmp_path / "no" / "a.csv"):
        pass


@pytest.mark.parametrize("name", ["n" * 255, "ü" * 127, "x.csv"])
def test_hidden_files_have_names_that_are_short_enough(tmp_path: Path, name: str) -> None:
    """An output whose name is as long as names can be gets its lock and journal as well."""
    other = beside(tmp_path / name, "journal")
    other.with_name(other.name + "-wal").touch()
    assert other.parent == tmp_path and other.name.startswith(".")
    assert beside(tmp_path / (name[:-1] + "?"), "journal") != other


@posix
def test_lock_on_a_file_that_was_just_removed_is_worth_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last owner may remove the file between opening and locking: the next file is taken."""
    target = tmp_path / "r.csv"
    path = beside(target, "lock")
    take = lock_module._lock
    tries: list[int] = []

    def take_too_late(descriptor: int) -> bool:
        if not tries:
            path.unlink()
        tries.append(descriptor)
        return take(descriptor)

    monkeypatch.setattr(lock_module, "_lock", take_too_late)
    with OutputLock(target):
        assert len(tries) == 2
        assert path.is_file()
        monkeypatch.undo()
        with pytest.raises(JournalError), OutputLock(target):
            pass
