"""Nothing leaves the machine: no connection, no look-up, no identifier left in the home folder."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.emotool.tiny_models import write_tiny_model
from tests.synthesis import vowel, write_clip

if TYPE_CHECKING:
    from tests.object_store import Store

pytestmark = pytest.mark.slow

_PYTHON_CALL = "import emotool; print(len(list(emotool.classify('clips', model='tiny'))))"
_LIBRARY_AFTER = "import emotool, onnxruntime"
_COMMANDS = {
    "classify": ["-m", "emotool", "classify", "clips", "--model", "tiny", "-o", "-"],
    "workers": ["-m", "emotool", "classify", "clips", "-m", "tiny", "-o", "-", "--workers", "2"],
    "report": ["-m", "emotool", "classify", "clips", "--model", "tiny", "-o", "report.html"],
    "models": ["-m", "emotool", "models"],
    "doctor": ["-m", "emotool", "doctor"],
    "python": ["-c", _PYTHON_CALL],
    "import": ["-c", _LIBRARY_AFTER],
}

_TRAINING = """
from emotool_training.tf_setup import load_tensorflow
load_tensorflow("the test")
import tf2onnx
import emotool_training.export.export, emotool_training.jobs.train, matplotlib.font_manager
"""

_LOADED_BEFORE = """
import onnxruntime, emotool
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path, python: str, python_path: dict[str, str]) -> Run:
    """Return a function that runs Python in a folder of clips, with an empty home and no CI."""
    (tmp_path / "exported").mkdir()
    write_tiny_model(tmp_path / "exported" / "tiny.onnx")
    for name in "ab":
        write_clip(tmp_path / "clips" / f"{name}.wav", vowel(seconds=0.6))
    (tmp_path / "home").mkdir()
    hidden = {"CI", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "GITHUB_ACTIONS"}
    environment = {name: value for name, value in python_path.items() if name not in hidden}
    environment |= {"HOME": str(tmp_path / "home"), "USERPROFILE": str(tmp_path / "home")}

    def run(
        *arguments: str, before: tuple[str, ...] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*before, python, *arguments],
            cwd=tmp_path,
            env=environment | variables,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )

    return run


@pytest.mark.parametrize("name", _COMMANDS)
def test_nothing_is_left_in_the_home_folder(run: Run, tmp_path: Path, name: str) -> None:
    """No command and no way in from Python writes an identifier or a queue of events."""
    done = run(*_COMMANDS[name])
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "home").rglob("*")) == []


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("name", ["workers", "python", "doctor"])
def test_no_network_socket_is_opened(run: Run, tmp_path: Path, name: str) -> None:
    """No process of a command opens an IPv4 or IPv6 socket, which a look-up needs as well."""
    trace = tmp_path / "trace.txt"
    strace = ("strace", "-f", "-qq", "-e", "trace=socket,connect,sendto", "-o", str(trace))
    done = run(*_COMMANDS[name], before=strace)
    if "ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    assert re.findall(r".*AF_INET.*", trace.read_text("utf-8")) == []


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_a_url_connects_to_its_store_alone(run: Run, tmp_path: Path, object_store: "Store") -> None:
    """With credentials, neither a metadata service nor anything else is asked, by any process."""
    object_store.bucket("calls")
    object_store.put("calls", "a.wav", (tmp_path / "clips" / "a.wav").read_bytes())
    trace = tmp_path / "trace.txt"
    strace = ("strace", "-f", "-qq", "-e", "trace=connect,sendto", "-o", str(trace))
    variables = {k: v for k, v in object_store.environment().items() if k.startswith("AWS_")}
    command = ["-m", "emotool", "classify", "s3://calls", "-m", "tiny", "-o", "s3://calls/t.csv"]
    done = run(*command, before=strace, **variables)
    if "ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    address, port = object_store.host.split(":")
    lines = re.findall(r".*AF_INET.*", trace.read_text("utf-8"))
    assert lines
    assert all(f"htons({port})" in line and f'"{address}"' in line for line in lines)
    assert list((tmp_path / "home").rglob("*")) == []


def test_training_opens_no_socket_and_leaves_only_what_is_documented(
    run: Run, tmp_path: Path, root: Path
) -> None:
    """TensorFlow, Keras, tf2onnx and matplotlib as training, export and evaluation load them.

    Keras writes its settings and matplotlib its list of fonts; SECURITY.md says so.
    """
    for module in ("tensorflow", "tf2onnx", "matplotlib"):
        pytest.importorskip(module, reason="needs the train extra")
    trace = tmp_path / "trace.txt"
    strace = (
        "strace",
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-e",
        "trace=socket,connect,sendto",
        "-o",
        str(trace),
    )
    done = run("-c", _TRAINING, before=strace if shutil.which("strace") else ())
    if "ptrace" in done.stderr:
        done = run("-c", _TRAINING)
    assert done.returncode == 0, done.stderr
    assert not trace.exists() or re.findall(r".*AF_INET.*", trace.read_text("utf-8")) == []
    home = tmp_path / "home"
    left = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    known = {".keras/keras.json"} | {name for name in left if "matplotlib/fontlist" in name}
    assert left <= known
    security = (root / "SECURITY.md").read_text("utf-8")
    assert "`~/.keras/keras.json`" in security
    assert "matplotlib/fontlist" in security


def test_a_user_cannot_switch_it_on_by_accident(run: Run, tmp_path: Path) -> None:
    """ORT_DISABLE_TELEMETRY=0 in the environment does not bring the events back."""
    done = run(*_COMMANDS["classify"], ORT_DISABLE_TELEMETRY="0")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "home").rglob("*")) == []


def test_a_program_that_loaded_the_library_before_is_warned(run: Run) -> None:
    """Where ONNX Runtime was loaded first, with its telemetry on, emotool says so and what to do.

    CI keeps this test's own process from sending anything.
    """
    done = run("-c", _LOADED_BEFORE, CI="true")
    assert done.returncode == 0, done.stderr
    assert "RuntimeWarning: this program loaded ONNX Runtime before emotool" in done.stderr
    assert "ORT_DISABLE_TELEMETRY=1" in done.stderr


def test_a_program_that_switched_it_off_itself_is_not_warned(run: Run) -> None:
    """Where the variable was set before ONNX Runtime was loaded, there is nothing to say."""
    done = run("-c", _LOADED_BEFORE, ORT_DISABLE_TELEMETRY="1")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_tests_themselves_are_quiet() -> None:
    """Conftest switches telemetry off before any test module imports ONNX Runtime."""
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
