"""Who imports whom, and what a light command may load."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emotool.tiny_models import write_tiny_model
from tests.synthesis import vowel, write_clip

pytestmark = pytest.mark.slow

# Minutes of installation and seconds of start-up, for training only.
HEAVY = frozenset({"tensorflow", "keras", "tf2onnx", "librosa", "matplotlib", "sklearn", "pandas"})

# What --help and --version must not wait for.
SLOW = frozenset(
    {"numpy", "scipy", "onnxruntime", "ray", "soundfile", "soxr", "obstore", "pyarrow"}
)

# A line that breaks a contract, the module it is added to, and the contract's name.
BREACHES = {
    "rooms": ("emotool/files/lock.py", "import emotool.run.batch"),
    "training": ("emotool/model/catalog.py", "import emotool_training.extras"),
    "training-below-cli": ("training/emotool_training/extras.py", "import emotool.cli.progress"),
    "heavy": ("emotool/features/mel.py", "import librosa"),
    "adopt": ("training/emotool_training/adopting/card.py", "import tensorflow"),
}


def contracts(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Check the import contracts of a checkout."""
    code = (
        "import sys; sys.path[:0] = ['.', 'training']; "
        "from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache", *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("contract", BREACHES)
def test_each_contract_finds_its_breach(contract: str, root: Path, tmp_path: Path) -> None:
    """One import too many breaks the contract that forbids it."""
    shutil.copy(root / "pyproject.toml", tmp_path)
    for package in ("emotool", "training"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / package, tmp_path / package, ignore=ignored)
    file, line = BREACHES[contract]
    module = tmp_path / file
    module.write_text(module.read_text("utf-8") + f"\n{line}\n", "utf-8")
    checked = contracts(tmp_path, "--contract", contract)
    assert checked.returncode == 1
    assert "1 broken" in checked.stdout


_PROBE = """
import json, sys
from emotool.cli import main
sys.argv = ["emotool", *json.loads(sys.argv[1])]
code = 0
try:
    main()
except SystemExit as stop:
    code = stop.code or 0
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"code": code, "loaded": loaded}), file=open(sys.argv_out, "w"))
"""


def loaded_by(
    arguments: list[str], tmp_path: Path, python: str, environment: dict[str, str]
) -> set[str]:
    """Run a command in a new Python; return the top-level modules it has loaded at its end."""
    answer = tmp_path / "loaded.json"
    probe = _PROBE.replace("sys.argv_out", repr(str(answer)))
    run = subprocess.run(
        [python, "-c", probe, json.dumps(arguments)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.is_file(), run.stderr
    found = json.loads(answer.read_text("utf-8"))
    assert found["code"] == 0, run.stderr
    return set(found["loaded"])


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["classify", "--help"]])
def test_help_loads_neither_training_nor_numerics(
    arguments: list[str], tmp_path: Path, python: str, python_path: dict[str, str]
) -> None:
    """Asking for help loads no numpy, no ONNX Runtime and nothing of training."""
    loaded = loaded_by(arguments, tmp_path, python, python_path)
    assert not loaded & (HEAVY | SLOW | {"emotool_training"})
    if arguments[0] != "classify":  # for a command's own help, typer loads it
        assert "pydantic" not in loaded


@pytest.mark.parametrize(
    "arguments",
    [
        ["models"],
        ["models", "tiny"],
        ["classify", "a.wav", "--model", "tiny", "-o", "a.csv"],
        ["classify", ".", "--model", "tiny", "-o", "many.csv", "--workers", "2"],
    ],
)
def test_using_models_loads_nothing_of_training(
    arguments: list[str], tmp_path: Path, python: str, python_path: dict[str, str]
) -> None:
    """Listing, showing and running models loads no TensorFlow and its like, nor training."""
    (tmp_path / "exported").mkdir()
    write_tiny_model(tmp_path / "exported" / "tiny.onnx")
    for name in "abcdefghijklmnopqrst":
        write_clip(tmp_path / f"{name}.wav", vowel(seconds=0.6))
    loaded = loaded_by(arguments, tmp_path, python, python_path)
    assert not loaded & (HEAVY | {"emotool_training"})
