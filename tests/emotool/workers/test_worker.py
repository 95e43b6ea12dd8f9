"""Workers speak in whole messages, and end when nobody listens any more."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from emotool.workers.process import worker_command
from emotool.workers.protocol import Message, receive, send
from tests.emotool.misbehaving import COMMAND
from tests.emotool.tiny_models import SMALL_SPEC
from tests.synthesis import tone, write_clip

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


def start(command: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    """Start a worker and greet it."""
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert worker.stdin is not None
    send(worker.stdin, {"spec": SMALL_SPEC.to_dict(), "reading": {}})
    return worker


def ask(worker: "subprocess.Popen[bytes]", *paths: Path) -> None:
    """Give a worker clips, numbered from 0."""
    encoded = [os.fsencode(path) for path in paths]
    assert worker.stdin is not None
    clips = [[index, len(path)] for index, path in enumerate(encoded)]
    send(worker.stdin, {"clips": clips}, b"".join(encoded))


def hear(worker: "subprocess.Popen[bytes]") -> Message:
    """Wait for a worker's next message."""
    assert worker.stdout is not None
    message = receive(worker.stdout)
    assert message is not None
    return message


def end(worker: "subprocess.Popen[bytes]") -> int:
    """Close a worker's pipes and wait for its end."""
    worker.communicate(timeout=10)
    return worker.returncode


def test_worker_answers_in_order_with_windows(tmp_path: Path) -> None:
    """Each clip's last message carries its status, and its windows as float32."""
    good = write_clip(tmp_path / "a.wav", tone(440, 1.2))
    worker = start(worker_command())
    ask(worker, good, tmp_path / "missing.wav", good)
    assert hear(worker).header == {"ready": True}
    first, second, third = (hear(worker) for _ in range(3))
    assert [message.header["index"] for message in (first, second, third)] == [0, 1, 2]
    assert first.header["final"]["status"] == "ok"
    assert first.header["final"]["source_rate"] == sf.info(good).samplerate
    windows, n_mels, frames = first.header["shape"]
    assert (windows, n_mels, frames) == (3, SMALL_SPEC.n_mels, SMALL_SPEC.frames)
    assert len(first.payload) == 4 * windows * n_mels * frames
    assert second.header["final"]["stage"] == "open"
    assert third.payload == first.payload
    assert end(worker) == 0


def test_worker_needs_no_pydantic(tmp_path: Path) -> None:
    """The specification was validated by the parent: a worker starts without the 60 ms."""
    *python, code, path = worker_command()
    worker = start((*python, f"import sys; sys.modules['pydantic'] = None; {code}", path))
    ask(worker, write_clip(tmp_path / "a.wav", tone(440, 1.2)))
    assert hear(worker).header == {"ready": True}
    assert hear(worker).header["final"]["status"] == "ok"
    assert end(worker) == 0


def test_long_clip_comes_in_parts(tmp_path: Path) -> None:
    """Hours of sound pass through the pipe in pieces; only the last says how it ended."""
    clip = write_clip(tmp_path / "long.wav", tone(440, 61.0))
    worker = start(worker_command())
    ask(worker, clip)
    hear(worker)
    messages = [hear(worker)]
    while messages[-1].header["final"] is None:
        messages.append(hear(worker))
    assert [message.header["part"] for message in messages] == list(range(16))
    assert sum(message.header["shape"][0] for message in messages) == 122
    assert messages[-1].header["final"]["duration_s"] == pytest.approx(61.0)
    assert messages[-1].header["final"]["flags"] == ["long"]
    end(worker)


def test_recording_that_ends_in_silence_is_not_silent(tmp_path: Path) -> None:
    """One part with sound makes the whole clip ``ok``, and its duration is that of all parts."""
    sound = np.concatenate([tone(440, 31.0), np.zeros(31 * 16_000, np.float32)])
    worker = start(worker_command())
    ask(worker, write_clip(tmp_path / "fades.wav", sound))
    hear(worker)
    while (final := hear(worker).header["final"]) is None:
        pass
    assert (final["status"], final["duration_s"]) == ("ok", pytest.approx(62.0))
    end(worker)


def test_what_libraries_print_does_not_reach_the_pipe(tmp_path: Path) -> None:
    """A decoder that writes to standard output garbles no answer."""
    clip = write_clip(tmp_path / "chatter.wav", tone(440))
    worker = start(COMMAND)
    ask(worker, clip)
    hear(worker)
    assert hear(worker).header["final"]["status"] == "ok"
    end(worker)


@pytest.mark.parametrize(("name", "reason"), [("unforeseen", "nobody"), ("hungry", "memory")])
def test_unforeseen_errors_cost_one_clip(tmp_path: Path, name: str, reason: str) -> None:
    """An exception that no code expects is an answer like others; the worker goes on."""
    bad = write_clip(tmp_path / f"{name}.wav", tone(440))
    good = write_clip(tmp_path / "good.wav", tone(440))
    worker = start(COMMAND)
    ask(worker, bad, good)
    hear(worker)
    assert reason in hear(worker).header["final"]["reason"]
    assert hear(worker).header["final"]["status"] == "ok"
    end(worker)


@posix
def test_hanging_worker_ends_with_its_parent(tmp_path: Path) -> None:
    """A worker stuck in a decoder does not outlive a parent that was killed."""
    clip = write_clip(tmp_path / "hang.wav", tone(440))
    worker = start(COMMAND)
    ask(worker, clip)
    hear(worker)
    time.sleep(0.1)
    assert worker.poll() is None
    assert end(worker) == 0


@posix
def test_interrupt_is_left_to_the_parent(tmp_path: Path) -> None:
    """Ctrl-C reaches every process of the terminal; a worker goes on answering."""
    clip = write_clip(tmp_path / "a.wav", tone(440))
    worker = start(worker_command())
    hear(worker)
    worker.send_signal(signal.SIGINT)
    ask(worker, clip)
    assert hear(worker).header["final"]["status"] == "ok"
    end(worker)


@pytest.mark.parametrize("mode", ["0", "1"])
def test_workers_name_files_by_the_same_bytes_as_their_parent(
    python: str, python_path: dict[str, str], mode: str
) -> None:
    """They are kept from its variables, PYTHONUTF8 among them, so its mode is handed over."""
    asked = (
        "import subprocess; from emotool.workers.process import worker_command;"
        "command = worker_command();"
        "start = command[: command.index('-c')];"
        "subprocess.run([*start, '-c', 'import sys; print(sys.flags.utf8_mode)'], check=True)"
    )
    variables = python_path | {"PYTHONUTF8": mode}
    said = subprocess.check_output([python, "-c", asked], env=variables, text=True)
    assert said.strip() == mode


def test_worker_that_cannot_import_says_so(tmp_path: Path) -> None:
    """A broken installation is named, not taken for broken clips."""
    (tmp_path / "soundfile.py").write_text("raise OSError('sndfile library not found')")
    command = list(worker_command())
    command[-1] = command[-1].replace("[", f'["{tmp_path.as_posix()}", ', 1)
    worker = start(tuple(command))
    assert hear(worker).header == {"fatal": "OSError: sndfile library not found"}
    end(worker)


def test_worker_loads_no_more_than_it_needs() -> None:
    """Workers start at once: they load neither ONNX Runtime nor what draws and talks."""
    code = (
        "import emotool.workers.worker, emotool.features.extraction, sys; "
        "print({'onnxruntime', 'rich', 'typer', 'scipy', 'asyncio'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
