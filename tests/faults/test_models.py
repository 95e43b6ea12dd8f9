"""Models from strangers: refused in one line, before a clip is read."""

import ast
import os
from pathlib import Path

import pytest

from emotool.cli import main
from tests.faults.fault import ROOT, handlers_restored, words
from tests.faults.models import MODELS, ModelFault
from tests.synthesis import vowel, write_clip


@pytest.mark.skipif(os.name != "posix", reason="makes a FIFO")
@pytest.mark.parametrize("fault", MODELS, ids=lambda fault: fault.what)
def test_model_is_refused(
    tmp_path: Path,
    fault: ModelFault,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Exit code 1, a line that names the file and what is wrong with it, and no output."""
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "a.wav", vowel(120, 0.5))
    fault.make(tmp_path / "m.onnx")
    with handlers_restored(), pytest.raises(SystemExit) as ended:
        main(["classify", "a.wav", "-m", "./m.onnx", "-o", "r.csv"])
    out, said = capfd.readouterr()
    assert (ended.value.code, out) == (1, "")
    first, *hints = said.splitlines()
    assert first.startswith("error: ")
    assert words(fault.says, first), first
    assert len(hints) < 2 and all(line.startswith("hint: ") for line in hints)
    assert "\x1b" not in said
    assert {path.name for path in tmp_path.iterdir()} == {"a.wav", "m.onnx"}


RISKY = {
    "pickle": "import",
    "dill": "import",
    "joblib": "import",
    "marshal": "import",
    "shelve": "import",
    "eval": "call",
    "exec": "call",
    "models.load_model": "call",
    "saving.load_model": "call",
    "enable_unsafe_deserialization": "call",
}


def risks(path: Path) -> list[str]:
    """List what a source file does that could run code from data."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if RISKY.get(a.name.split(".")[0]) == "import"]
        elif isinstance(node, ast.ImportFrom):
            found += [n for n in [str(node.module)] if RISKY.get(n.split(".")[0]) == "import"]
        elif isinstance(node, ast.Call):
            name = ".".join(ast.unparse(node.func).split(".")[-2:])
            if "call" in (RISKY.get(name), RISKY.get(name.rpartition(".")[2])):
                found.append(name)
            unsafe = {"allow_pickle": True, "safe_mode": False, "shell": True}
            for word in node.keywords:
                if word.arg in unsafe and ast.unparse(word.value) != str(not unsafe[word.arg]):
                    found.append(f"{name}({word.arg})")
    return found


def test_nothing_is_loaded_that_could_run_code() -> None:
    """No pickle, no eval, no unsafe mode of a library, anywhere in the package."""
    sources = [path for name in ("emotool", "training") for path in (ROOT / name).rglob("*.py")]
    assert len(sources) > 50
    assert {str(path): found for path in sources if (found := risks(path))} == {}


NETWORK = {"socket", "ssl", "http", "urllib", "ftplib", "smtplib", "requests", "httpx", "aiohttp"}
NETWORK |= {"obstore", "ray"}

# What a user asks for by a URL as input or output, or by --engine ray.
ASKED_FOR = {
    "files/remote_file.py": {"obstore"},
    "files/remote_reading.py": {"obstore"},
    "files/stores.py": {"obstore", "socket"},
    "files/web.py": {"http", "ssl", "urllib"},
    "inputs/listing.py": {"obstore"},
    "run/ray_cluster.py": {"ray", "socket"},
    "run/ray_engine.py": {"ray"},
}


def network_modules(path: Path) -> set[str]:
    """Return the modules that can open connections and are imported somewhere in a file."""
    names = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
    # urllib.parse is only text.
    return NETWORK & {name.split(".")[0] for name in names if name != "urllib.parse"}


def test_only_what_the_user_asks_for_opens_a_connection() -> None:
    """Data leaves the machine through the named modules alone; see also tests/test_privacy.py."""
    package = ROOT / "emotool"
    found = {
        str(path.relative_to(package)): network_modules(path) for path in package.rglob("*.py")
    }
    assert {name: modules for name, modules in found.items() if modules} == ASKED_FOR


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "np.load(p, allow_pickle=True)",
        "keras.saving.load_model(p, safe_mode=False)",
        "eval(text)",
        "subprocess.run(text, shell=True)",
    ],
)
def test_each_risk_is_seen(tmp_path: Path, code: str) -> None:
    """The test above can fail."""
    (tmp_path / "x.py").write_text(code)
    assert risks(tmp_path / "x.py")
