"""TensorFlow starts quietly, or says what is missing."""

import platform
import subprocess
import sys

import pytest

from emotool.errors import MissingExtraError
from emotool_training import tf_setup as tensorflow_setup
from emotool_training.extras import require_train_extra
from emotool_training.tf_setup import load_tensorflow


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of the extra's packages it is."""
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(MissingExtraError) as caught:
        require_train_extra("emotool train")
    assert caught.value.message.startswith("emotool train needs packages")
    # With this Python's pip: another's would not know emotool.
    assert sys.executable in caught.value.hint
    assert '-m pip install "emotool[train]"' in caught.value.hint


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
