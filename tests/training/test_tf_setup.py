"""TensorFlow starts quietly, or the error says what is missing; freed memory is kept."""

import platform
import subprocess
import sys
import threading

import pytest

from emotool.errors import MissingExtraError, TrainingError
from emotool_training import tf_setup as tensorflow_setup
from emotool_training.extras import require_extra
from emotool_training.tf_setup import load_tensorflow

pytestmark = pytest.mark.training


def test_a_missing_package_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of the extra's packages it is."""
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(MissingExtraError) as caught:
        require_extra("train", "emotool train")
    assert caught.value.message.startswith("emotool train needs packages")
    # With this Python's pip: another's would not know emotool.
    assert sys.executable in caught.value.hint
    assert "-m pip install librosa " in caught.value.hint


def test_nothing_is_written_to_stderr(python: str, python_path: dict[str, str]) -> None:
    """Neither by Python nor by the C++ side, which writes past it."""
    pytest.importorskip("tensorflow", reason="needs the train extra")
    code = (
        "from emotool_training.tf_setup import load_tensorflow, device_name\n"
        "tf = load_tensorflow('a test')\n"
        "print(float(tf.reduce_sum(tf.ones(3))), bool(device_name()))"
    )
    environment = {**python_path, "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(
        [python, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("3.0 True\n", "")


def test_what_is_held_back_is_shown_on_failure(python: str, python_path: dict[str, str]) -> None:
    """An import that dies does not take its last words along."""
    code = (
        "import os\n"
        "from emotool_training import tf_setup\n"
        "with tf_setup._stderr_held_back():\n"
        "    os.write(2, b'last words\\n')\n"
        "    raise SystemExit(1)"
    )
    done = subprocess.run(
        [python, "-c", code], env=python_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "last words\n")


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="for x86 only")
@pytest.mark.parametrize(("said", "taken"), [(None, True), ("0", False)])
def test_fast_kernels_are_taken_unless_the_environment_says_no(
    python: str, python_path: dict[str, str], said: str | None, taken: bool
) -> None:
    """Also on processors on which TensorFlow does not take them by itself."""
    pytest.importorskip("tensorflow", reason="needs the train extra")
    code = (
        "from emotool_training.tf_setup import load_tensorflow\n"
        "load_tensorflow('a test')\n"
        "from tensorflow.python.util import _pywrap_util_port\n"
        "print(_pywrap_util_port.IsMklEnabled())"
    )
    environment = {k: v for k, v in python_path.items() if k != "TF_ENABLE_ONEDNN_OPTS"}
    if said is not None:
        environment["TF_ENABLE_ONEDNN_OPTS"] = said
    done = subprocess.run(
        [python, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{taken}\n"


def test_it_can_be_loaded_twice() -> None:
    """The second time gives the same module."""
    pytest.importorskip("tensorflow", reason="needs the train extra")
    assert load_tensorflow("a test") is load_tensorflow("a test")


def test_freed_memory_is_kept_before_tensorflow_takes_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever loads it trains or is about to run a network."""
    pytest.importorskip("tensorflow", reason="needs the train extra")
    told: list[bool] = []
    monkeypatch.setattr(tensorflow_setup, "keep_freed_memory", lambda: told.append(True))
    load_tensorflow("a test")
    assert told == [True]


PROGRAM = """
import ctypes
import resource
import sys

from emotool_training.tf_setup import keep_freed_memory

if sys.argv[1] == "kept":
    assert keep_freed_memory()
c = ctypes.CDLL(None)
c.malloc.restype, c.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
c.free.argtypes = [ctypes.c_void_p]
size = 48 << 20
for _ in range(20):
    block = c.malloc(size)
    ctypes.memset(block, 1, size)
    c.free(block)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="malloc can be told on Linux only")
def test_pages_are_asked_for_once(python: str, python_path: dict[str, str]) -> None:
    """A large block that is freed and wanted again has the same pages, which glibc else gives up.

    Without it, each of twenty blocks of 48 MiB costs its 12,288 pages again.
    """
    import platform

    if platform.libc_ver()[0] != "glibc":
        pytest.skip("malloc can be told in glibc only")
    faults = {}
    for how in ("kept", "given back"):
        done = subprocess.run(
            [python, "-c", PROGRAM, how],
            env=python_path,
            capture_output=True,
            text=True,
            check=True,
        )
        faults[how] = int(done.stdout)
    assert faults["kept"] < 0.2 * faults["given back"]


def test_where_malloc_cannot_be_told_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another system, or another C library, trains as it did."""
    from emotool_training import tf_setup as memory

    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert not memory.keep_freed_memory()
    monkeypatch.setattr(memory.sys, "platform", "linux")
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    assert not memory.keep_freed_memory()


def test_too_few_threads_are_an_error_before_tensorflow_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would end the process without a word where a limit on processes keeps it from them."""
    begun = []

    def start(thread: threading.Thread) -> None:
        if len(begun) == 3:
            raise RuntimeError("can't start new thread")
        begun.append(thread)
        original(thread)

    original = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(TrainingError, match="the system allows 3 more") as caught:
        load_tensorflow("the test")
    assert "ulimit -u" in caught.value.hint
    assert not any(thread.is_alive() for thread in begun)
