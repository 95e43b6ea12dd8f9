"""Ctrl-C and SIGTERM: at any moment, once or twice, swallowed or not."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.emotool.tiny_models import write_tiny_model
from tests.synthesis import tone, write_clip

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system"),
]

PROBE = """
import os, signal, sys, time, types
import emotool.cli
module = sys.modules["probe_module"] = types.ModuleType("probe_module")
emotool.cli.COMMANDS["probe"] = ("probe_module:probe", "")
def probe():
{body}
module.probe = probe
emotool.cli.main(["probe"])
"""


def ended(
    body: str, environment: dict[str, str], **options: object
) -> "subprocess.CompletedProcess[str]":
    """Run a command that does ``body``, as a process of its own."""
    code = PROBE.format(body="\n".join(f"    {line}" for line in body.splitlines()))
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [("SIGINT", 130, "error: interrupted\n"), ("SIGTERM", 143, "")],
)
def test_signal_that_a_library_swallows_is_still_the_reason(
    python_path: dict[str, str], name: str, code: int, says: str
) -> None:
    """An import that answers Ctrl-C with an error of its own does not make it a crash."""
    body = (
        f"try:\n    os.kill(os.getpid(), signal.{name}); time.sleep(5)\n"
        "except BaseException:\n    raise ImportError('import numpy failed') from None"
    )
    done = ended(body, python_path)
    assert (done.returncode, done.stderr) == (code, says)


def test_signal_is_not_blamed_for_what_it_did_not_do(python_path: dict[str, str]) -> None:
    """An error without a signal is shown in full, being a mistake of ours."""
    done = ended("raise ImportError('our mistake')", python_path)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_second_signal_does_not_disturb_the_first(
    python_path: dict[str, str], name: str, code: int
) -> None:
    """What is saved on the way out is saved to its end, though the terminal repeats itself."""
    body = (
        f"try:\n    os.kill(os.getpid(), signal.{name}); time.sleep(5)\n"
        "finally:\n"
        f"    os.kill(os.getpid(), signal.{name}); time.sleep(0.1)\n"
        "    print('saved', flush=True)"
    )
    done = ended(body, python_path)
    assert (done.returncode, done.stdout) == (code, "saved\n")
    assert "Traceback" not in done.stderr


def test_run_that_a_signal_did_not_end_can_be_ended_later(python_path: dict[str, str]) -> None:
    """A signal lost in a library does not make the command deaf for good."""
    body = (
        "def lose():\n    os.kill(os.getpid(), signal.SIGINT); time.sleep(5)\n"
        "try:\n    lose()\nexcept KeyboardInterrupt:\n    pass\n"
        "time.sleep(2.1)\nlose()"
    )
    assert ended(body, python_path).returncode == 130


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_swallowed_signal_is_raised_where_it_is_asked_for(
    python_path: dict[str, str], name: str, code: int
) -> None:
    """Long work that a library made deaf for a moment ends at its next step."""
    body = (
        "from emotool.cli import ending\nending.raise_again()\n"  # nothing has come yet
        f"try:\n    os.kill(os.getpid(), signal.{name}); time.sleep(5)\n"
        "except BaseException:\n    pass\n"
        "print('one more step', flush=True)\nending.raise_again()\nprint('and another')"
    )
    done = ended(body, python_path)
    assert (done.returncode, done.stdout) == (code, "one more step\n")


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_signal_in_a_destructor_leaves_no_traceback(
    python_path: dict[str, str], name: str, code: int
) -> None:
    """Python drops what a destructor raises and prints it; other mistakes there are still told."""
    body = (
        "from emotool.cli import ending\n"
        "class Dying:\n    def __del__(self):\n"
        f"        os.kill(os.getpid(), signal.{name}); time.sleep(5)\n"
        "class Broken:\n    def __del__(self):\n        raise ValueError('our mistake')\n"
        "Dying()\nBroken()\nending.raise_again()"
    )
    done = ended(body, python_path)
    assert done.returncode == code
    assert "our mistake" in done.stderr
    assert "KeyboardInterrupt" not in done.stderr
    assert "SystemExit" not in done.stderr


def test_ignored_signals_stay_ignored(python_path: dict[str, str]) -> None:
    """What was started not to hear Ctrl-C, as ``command &`` in a script is, goes on."""

    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    body = "os.kill(os.getpid(), signal.SIGINT)\nprint('went on')"
    done = ended(body, python_path, preexec_fn=ignore)
    assert (done.returncode, done.stdout) == (0, "went on\n")


def test_any_moment_is_a_good_one_to_stop(
    tmp_path: Path, python: str, python_path: dict[str, str]
) -> None:
    """From the first import to the last line: no traceback, the right code, a whole table."""
    for index in range(9):
        write_clip(tmp_path / "clips" / f"{index}.wav", tone(200 + 50 * index))
    write_tiny_model(tmp_path / "tiny.onnx")
    # Python's own first steps, before it runs anything of ours, are not ours to guard.
    code = "from emotool.__main__ import main; print('up', flush=True); main()"
    arguments = ["classify", "clips", "-m", "tiny.onnx", "-o", "r.csv", "-q"]
    command = [python, "-c", code, *arguments]
    began = time.monotonic()
    subprocess.run(command, cwd=tmp_path, env=python_path, check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - began
    whole = (tmp_path / "r.csv").read_bytes()
    draw = random.Random(0)
    for step in range(12):
        (tmp_path / "r.csv").unlink(missing_ok=True)
        number = draw.choice((signal.SIGINT, signal.SIGTERM))
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        run = subprocess.Popen(command, cwd=tmp_path, env=python_path, text=True, **pipes)
        assert run.stdout is not None and run.stdout.readline() == "up\n"
        time.sleep(0.02 + seconds * step / 12)
        run.send_signal(number)
        _, said = run.communicate(timeout=20)
        assert "Traceback" not in said
        # Minus: before there was anything to clean up, the signal ended the process itself.
        assert run.returncode in {0, 128 + number, -number}, said
        if run.returncode == 0 or (tmp_path / "r.csv").exists():
            assert (tmp_path / "r.csv").read_bytes() == whole
    subprocess.run(command, cwd=tmp_path, env=python_path, check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / "r.csv").read_bytes() == whole
