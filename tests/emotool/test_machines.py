"""Limits of the system and folders without rights: fewer workers, or one clear error."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.emotool.cli.classify_runs import one_line, table
from tests.emotool.tiny_models import write_tiny_model
from tests.synthesis import vowel, write_clip

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits are tried on Linux")

Run = Callable[..., "subprocess.CompletedProcess[str]"]

USER = "61234"  # whom nobody else is, so that their processes are few
_RIGHTS = "-dac_override,-dac_read_search"
# Root without the right to read everything; a user with it, since Python may lie in root's home.
_NO_RIGHTS = ["setpriv", "--bounding-set", _RIGHTS, "--inh-caps", _RIGHTS]
_CAPABLE = "+dac_override,+dac_read_search"
_AS_USER = [
    *("setpriv", "--reuid", USER, "--clear-groups"),
    *("--inh-caps", _CAPABLE, "--ambient-caps", _CAPABLE),
]


def _before(command: list[str]) -> list[str]:
    """Return what a command begins with to run under other rights; skip where that fails."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv to leave root's rights")
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("setpriv may not change rights here")
    return command


@pytest.fixture
def run(tmp_path: Path, python: str, python_path: dict[str, str]) -> Run:
    """Return a function that classifies three clips after a line of shell, such as a limit."""
    for name in "abc":
        write_clip(tmp_path / "clips" / f"{name}.wav", vowel(seconds=0.6))
    write_tiny_model(tmp_path / "tiny.onnx")

    def classify(
        shell: str, *arguments: str, before: tuple[str, ...] = (), **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        emotool = f"exec {python} -m emotool classify --model {tmp_path / 'tiny.onnx'} -q"
        command = [*before, "bash", "-c", f'{shell}; {emotool} "$@"', "bash"]
        return subprocess.run(
            [*command, *(arguments or (str(tmp_path / "clips"), "-o", "-"))],
            cwd=tmp_path,
            env=python_path | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return classify


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """Return a folder that nobody may look into."""
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


def labelled(done: "subprocess.CompletedProcess[str]") -> bool:
    """Say whether every clip got its row."""
    return done.returncode == 0 and len(table(done.stdout)) == 3


@pytest.mark.parametrize("kilobytes", [1_000_000, 2_000_000])
def test_little_address_space_is_enough(run: Run, kilobytes: int) -> None:
    """No more memory is reserved than a model's file needs."""
    done = run(f"ulimit -v {kilobytes}")
    assert labelled(done), done.stderr


@pytest.mark.parametrize("kilobytes", [60_000, 100_000, 140_000, 180_000, 200_000, 240_000])
def test_too_little_address_space_is_said(run: Run, kilobytes: int) -> None:
    """Wherever it ends: in Python, in a library that cannot be loaded, a worker, or the model."""
    done = run(f"ulimit -v {kilobytes}")
    assert "Traceback" not in done.stderr
    said = "memory" in done.stderr.lower() or "the process that read it died" in done.stderr
    assert labelled(done) or (done.returncode == 1 and said), done.stderr


@pytest.mark.parametrize("files", [6, 8, 12, 16, 24])
def test_few_open_files_are_enough_or_said(run: Run, files: int) -> None:
    """Fewer workers do the work, or the error names the limit."""
    done = run(f"ulimit -n {files}", "clips", "-o", "-", "--workers", "4")
    assert labelled(done) or one_line(done.stderr, "ulimit -n"), done.stderr


@pytest.mark.parametrize("processes", [1, 2, 3, 4, 5, 6, 8, 12])
def test_few_processes_are_enough_or_said(run: Run, processes: int) -> None:
    """A limit on processes and threads means fewer workers or one clear error."""
    before = _before(_AS_USER)
    if not before:
        pytest.skip("a user's other processes count as well")
    shell = f"ulimit -u {processes}"
    done = run(shell, "clips", "-o", "-", "--workers", "3", before=tuple(before))
    assert labelled(done) or one_line(done.stderr, "ulimit -u"), done.stderr


def test_a_single_worker_is_content_with_six_processes(run: Run) -> None:
    """It, its thread, the command, its supervisor, and the limit's own shell before."""
    before = _before(_AS_USER)
    if not before:
        pytest.skip("a user's other processes count as well")
    done = run("ulimit -u 6", "clips", "-o", "-", "--workers", "1", before=tuple(before))
    assert labelled(done), done.stderr


def test_a_home_that_cannot_be_read_has_no_settings(run: Run, closed: Path) -> None:
    """Containers run as other users than the one whose home is set."""
    before = tuple(_before(_NO_RIGHTS))
    done = run(":", before=before, HOME=str(closed), XDG_CONFIG_HOME="")
    assert labelled(done), done.stderr


def test_settings_that_cannot_be_read_are_an_error_with_a_hint(run: Run, tmp_path: Path) -> None:
    """A file that is there, but closed, may say what is wanted."""
    before = tuple(_before(_NO_RIGHTS))
    settings = tmp_path / "emotool.toml"
    settings.write_text("")
    settings.chmod(0)
    done = run(":", before=before)
    assert done.returncode == 2
    assert one_line(done.stderr, "cannot read emotool.toml", "hint: "), done.stderr


def test_no_home_and_no_temporary_folder_are_needed(run: Run, tmp_path: Path) -> None:
    """Labels need neither."""
    done = run("unset HOME", TMPDIR=str(tmp_path / "nowhere"))
    assert labelled(done), done.stderr


def test_a_folder_that_cannot_be_written_to_is_said(run: Run, tmp_path: Path) -> None:
    """With what to do about it."""
    before = tuple(_before(_NO_RIGHTS))
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o555)
    clips = str(tmp_path / "clips")
    done = run(f"cd {folder}", clips, "-o", "labels.csv", before=before)
    assert done.returncode == 1
    assert one_line(done.stderr, "cannot write", "choose a folder that you may write to")


def test_a_model_that_cannot_be_read_is_not_called_missing(run: Run, closed: Path) -> None:
    """The reason is the folder's rights."""
    before = tuple(_before(_NO_RIGHTS))
    model = str(closed / "x.onnx")
    done = run(":", "clips", "-o", "-", "--model", model, before=before)
    assert done.returncode == 1
    assert one_line(done.stderr, "cannot read", "Permission denied"), done.stderr


def test_make_names_the_python_it_needs(root: Path, tmp_path: Path) -> None:
    """An interpreter that is too old is refused by name, before anything is installed."""
    if shutil.which("make") is None:
        pytest.skip("needs make")
    old = tmp_path / "python3.10"
    old.write_text('#!/bin/sh\ncase "$*" in *version_info*) exit 1;; esac\nexit 0\n')
    old.chmod(0o755)
    for python, said in [(old, "is older than Python 3.11"), ("no-such-python", "cannot be run")]:
        done = subprocess.run(
            ["make", "-C", str(root), f"PYTHON={python}", f"VENV={tmp_path / 'venv'}", "lint"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert f"{python} {said}" in done.stderr
        assert "make PYTHON=/path/to/python3.11" in done.stderr
        assert not (tmp_path / "venv").exists()
