"""Settings and fixtures that all tests share."""

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# Before anything imports TensorFlow: its C++ side would report every CPU feature it finds.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# As `emotool_training.tf_setup` does: a test may load TensorFlow before it is called.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Some test modules import ONNX Runtime before emotool, which switches its telemetry off.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# Pictures are drawn to files; no test opens a window.
os.environ["MPLBACKEND"] = "agg"
# What the commands print must not depend on who runs the tests, nor where.
os.environ.update(COLUMNS="100", NO_COLOR="1", TERM="dumb")
for _name in ("FORCE_COLOR", "CLICOLOR_FORCE", "GITHUB_ACTIONS", "PY_COLORS", "LINES"):
    os.environ.pop(_name, None)
for _name in [name for name in os.environ if name.startswith("EMOTOOL_")]:
    if _name != "EMOTOOL_CORPUS":
        del os.environ[_name]
os.environ["EMOTOOL_CONFIG"] = os.devnull  # the tester's own settings are not the tests'

# What a shell starts in the background it starts deaf to Ctrl-C, and so would be every program
# that the tests start and interrupt. (A handler of ours is the default again in those.)
signal.signal(signal.SIGINT, signal.default_int_handler)

# A loaded machine is slow, which is no fault of the code; CI must not draw new examples, since a
# red run has to be the change's doing.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("quick", deadline=None, max_examples=10)  # `make check`
settings.load_profile("ci" if os.environ.get("CI") else "here")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of data beside the checkout, or skip."""
    if not (SHARED / "folds.csv").is_file():
        pytest.skip("needs the data folder ../shared, which is not here")
    return SHARED


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Return the folder of real emotional speech, or skip.

    It is ``$EMOTOOL_CORPUS``, else ``../shared/corpus``.
    """
    named = os.environ.get("EMOTOOL_CORPUS")
    folder = Path(named) if named else SHARED / "corpus"
    if not folder.is_dir():
        pytest.skip(f"needs real clips: set EMOTOOL_CORPUS to a corpus folder ({folder} is none)")
    return folder


@pytest.fixture(scope="session")
def python_path() -> dict[str, str]:
    """Return an environment in which a new Python finds this checkout's packages."""
    path = os.pathsep.join(
        [str(ROOT), str(ROOT / "training"), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    return {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "", "PYTHONUTF8": "1"}


@pytest.fixture(scope="session")
def python() -> str:
    """Return the interpreter that runs the tests."""
    return sys.executable
