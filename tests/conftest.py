"""Settings and fixtures that all tests share."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.object_store import Proxy, Store

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


@pytest.fixture(scope="session")
def object_store() -> Iterator["Store"]:
    """Return a running object store on loopback, or skip."""
    for module in ("moto", "obstore"):
        pytest.importorskip(module, reason="needs obstore and moto[server]")
    from tests.object_store import run_store

    with run_store() as store:
        yield store


@pytest.fixture
def proxy(object_store: "Store") -> Iterator["Proxy"]:
    """Return a proxy before the store, which fails when it is asked to."""
    from tests.object_store import run_proxy

    with run_proxy(object_store) as running:
        yield running


@pytest.fixture
def cloud(
    object_store: "Store", proxy: "Proxy", monkeypatch: pytest.MonkeyPatch
) -> Iterator["Store"]:
    """Return the store with an empty bucket, and let this process reach it by the proxy."""
    from emotool.files.stores import open_store

    for name in [name for name in os.environ if name.startswith(("AWS_", "GOOGLE_", "AZURE_"))]:
        monkeypatch.delenv(name)
    for name, value in object_store.environment(proxy.host).items():
        monkeypatch.setenv(name, value)
    object_store.bucket("calls")
    open_store.cache_clear()
    yield object_store
    open_store.cache_clear()
