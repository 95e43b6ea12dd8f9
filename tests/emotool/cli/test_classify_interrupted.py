"""``emotool classify`` disturbed: signals, a second run, workers killed or frozen."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emotool.files.lock import beside
from tests.emotool.cli.classify_runs import Emotool, fill, linux, one_line, posix, table
from tests.emotool.tiny_models import write_tiny_model

pytestmark = pytest.mark.slow

MANY = 1500
RUN = ["-m", "emotool", "classify", "crowd", "-m", "tiny.onnx", "-o", "r.csv"]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of many clips."""
    folder = tmp_path_factory.mktemp("crowd")
    fill(folder, MANY)
    return folder


@pytest.fixture(scope="module")
def undisturbed(
    crowd: Path,
    tmp_path_factory: pytest.TempPathFactory,
    python: str,
    python_path: dict[str, str],
) -> bytes:
    """Return the bytes of a run over the crowd that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_tiny_model(folder / "tiny.onnx")
    (folder / "crowd").symlink_to(crowd)
    subprocess.run([python, *RUN, "-q"], cwd=folder, env=python_path, check=True)
    return (folder / "r.csv").read_bytes()


@pytest.fixture
def long_run(
    place: Path, crowd: Path, python: str, python_path: dict[str, str]
) -> Iterator["subprocess.Popen[str]"]:
    """Start a run over the crowd, wait until some are done, and see that all of it ends."""
    (place / "crowd").symlink_to(crowd)
    run = subprocess.Popen(
        [python, *RUN],
        cwd=place,
        env=python_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    journal = beside(place / "r.csv", "journal-wal")
    until(lambda: journal.exists() and journal.stat().st_size > 50_000)
    assert run.poll() is None, "the run was over too soon: make MANY larger"
    yield run
    run.communicate()
    until(lambda: not group_exists(run.pid))


def until(condition: Callable[[], bool]) -> None:
    """Wait for something, a minute at most."""
    limit = time.monotonic() + 60  # on a machine with other things to do
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)


def group_exists(number: int) -> bool:
    """Say whether any process of a group is alive."""
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return True


@posix
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)],
    ids=["Ctrl-C", "SIGTERM", "kill -9"],
)
@pytest.mark.parametrize("whole_group", [False, True], ids=["parent", "group"])
def test_run_ended_by_a_signal_goes_on_to_the_same_bytes(
    long_run: "subprocess.Popen[str]",
    emotool: Emotool,
    place: Path,
    undisturbed: bytes,
    number: signal.Signals,
    code: int,
    whole_group: bool,
) -> None:
    """Within two seconds it is over, with its code; what is done is kept; nothing is done twice."""
    began = time.monotonic()
    if whole_group:
        os.killpg(long_run.pid, number)
    else:
        long_run.send_signal(number)
    _, messages = long_run.communicate(timeout=10)
    assert time.monotonic() - began < 2
    assert long_run.returncode == code
    assert "Traceback" not in messages
    assert not (place / "r.csv").exists()
    until(lambda: not group_exists(long_run.pid))
    run = emotool("crowd", "-o", "r.csv")
    assert run.returncode == 0
    assert "from the interrupted run" in run.stderr
    assert (place / "r.csv").read_bytes() == undisturbed
    assert not [path.name for path in place.iterdir() if path.name.startswith(".")]


@posix
def test_second_run_on_the_same_output_is_refused(
    long_run: "subprocess.Popen[str]", emotool: Emotool
) -> None:
    """The one that came first is not disturbed; the other says who is in its way."""
    os.killpg(long_run.pid, signal.SIGSTOP)  # so that it is not done before the other comes
    second = emotool("crowd", "-o", "r.csv")
    os.killpg(long_run.pid, signal.SIGCONT)
    assert second.returncode == 1
    assert one_line(second.stderr, f"process {long_run.pid}", "r.csv")
    long_run.communicate()
    assert long_run.returncode == 0


@linux
def test_killed_workers_cost_nothing(
    long_run: "subprocess.Popen[str]", place: Path, undisturbed: bytes
) -> None:
    """``kill -9`` of every worker: others take over, and no row shows it."""
    children = Path(f"/proc/{long_run.pid}/task/{long_run.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    long_run.communicate(timeout=60)
    assert long_run.returncode == 0
    assert (place / "r.csv").read_bytes() == undisturbed


@linux
def test_frozen_worker_is_given_up_after_the_timeout(
    place: Path, crowd: Path, python: str, python_path: dict[str, str]
) -> None:
    """A worker that does nothing more at all costs one row after --timeout seconds."""
    (place / "crowd").symlink_to(crowd)
    run = subprocess.Popen(
        [python, *RUN, "--timeout", "0.5", "-q"],
        cwd=place,
        env=python_path,
    )
    until(beside(place / "r.csv", "journal-wal").exists)
    (child, *_) = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    os.kill(int(child), signal.SIGSTOP)
    assert run.wait(30) == 3
    rows = table((place / "r.csv").read_text())
    assert len(rows) == MANY + 7
    assert [row["error"] for row in rows if row["status"] != "ok"] == [
        "timeout: no result after 0.5 s"
    ]
