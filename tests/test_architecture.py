"""The one-way order of emotool's modules, and what a light command may load."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.emotool.tiny_models import write_tiny_model
from tests.synthesis import vowel, write_clip

ROOT = Path(__file__).resolve().parents[1]

# A module imports only from those before it. This list is the order's single source: a new module
# gets its place here. A package (results, cli) is one entry; inside it, anything goes.
ORDER = (
    "errors",
    "text",
    "settings",
    "delimited",
    "compare",
    "file_place",
    "files",
    "spec",
    "spectrogram",
    "trimming",
    "audio_file",
    "archive",
    "foreign_reach",
    "foreign_audio",
    "audio_stream",
    "audio",
    "clipping",
    "cutting",
    "features",
    "measures",
    "quality",
    "path_list",
    "search",
    "discovery",
    "manifest",
    "metadata_checks",
    "metadata",
    "onnx_file",
    "onnx_pruning",
    "catalog",
    "cores",
    "runtime",
    "device",
    "session",
    "model_checks",
    "model",
    "explain",
    "results",
    "segments",
    "annotations",
    "annotation_folder",
    "messages",
    "file_identity",
    "worker",
    "queues",
    "process",
    "supervisor",
    "pool",
    "lanes",
    "windows",
    "pipeline",
    "lock",
    "journal",
    "tally",
    "failure_table",
    "outputs",
    "run_options",
    "run_outputs",
    "batch",
    "summary",
    "explain_figure",
    "report",
    "api",
    "doctor",
    "cli",
)

# Minutes of installation and seconds of start-up, for training only.
HEAVY = frozenset({"tensorflow", "keras", "tf2onnx", "librosa", "matplotlib", "sklearn", "pandas"})

# What --help and --version must not wait for.
SLOW = frozenset({"numpy", "scipy", "onnxruntime", "soundfile", "soxr"})


@dataclass(frozen=True)
class Import:
    """One imported module name, and whether importing the importer runs it."""

    name: str
    line: int
    at_import: bool


def imports(path: Path) -> Iterator[Import]:
    """Yield every module that a file imports, absolute names only (ruff forbids relative ones)."""

    def walk(node: ast.AST, at_import: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(alias.name, child.lineno, at_import)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}:{child.lineno}: relative import"
                for alias in child.names:
                    yield Import(f"{child.module}.{alias.name}", child.lineno, at_import)
            else:
                later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
                typing = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
                yield from walk(child, at_import and not later and not typing)

    yield from walk(ast.parse(path.read_text("utf-8")), True)


def room(path: Path, root: Path) -> str:
    """Return the entry of ORDER that a file of emotool/ belongs to ("" for the package itself)."""
    first = path.relative_to(root / "emotool").parts[0].removesuffix(".py")
    return "" if first in {"__init__", "__main__"} else first


def top(name: str) -> str:
    """Return the first part of a dotted name."""
    return name.partition(".")[0]


def breaches(root: Path, package: str, forbidden: Callable[[str, Import], bool]) -> list[str]:
    """Return each import of a package that ``forbidden(room, import)`` says is one too many."""
    return [
        f"{path.relative_to(root).as_posix()}: {found.name}"
        for path in sorted((root / package).rglob("*.py"))
        for found in imports(path)
        if forbidden(room(path, root) if package == "emotool" else package, found)
    ]


def backward(here: str, found: Import) -> bool:
    """Say whether a module imports one that comes after it, at whatever level."""
    parts = found.name.split(".")
    there = parts[1] if parts[0] == "emotool" and len(parts) > 1 else ""
    if here in {"", there} or not {here, there} <= set(ORDER):
        return False
    return ORDER.index(there) > ORDER.index(here)


def untimely_training(here: str, found: Import) -> bool:
    """Say whether something but a command, inside its function, imports training."""
    return top(found.name) == "training" and (here != "cli" or found.at_import)


def heavy(here: str, found: Import) -> bool:
    """Say whether TensorFlow or its like is imported, at whatever level.

    Two modules may have an extra's package when they are asked for what needs it: a figure
    (matplotlib, extra ``plot``) or a frame (pandas, extra ``pandas``).
    """
    allowed = {("explain_figure", "matplotlib"), ("api", "pandas")}
    on_request = (here, top(found.name)) in allowed and not found.at_import
    return top(found.name) in HEAVY and not on_request


def foreign(here: str, found: Import) -> bool:
    """Say whether a library is imported that installing emotool would not bring."""
    ours = {"emotool", "training"}
    return top(found.name) not in sys.stdlib_module_names | ours | brought_by_installing()


def brought_by_installing() -> set[str]:
    """Return the packages that pyproject.toml names, those for training and the checks apart."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].items()
    optional = [need for extra, needs in extras if extra not in {"train", "dev"} for need in needs]
    return {re.split(r"[^A-Za-z0-9_-]", need)[0] for need in [*project["dependencies"], *optional]}


def slow_start(here: str, found: Import) -> bool:
    """Say whether --help would load numpy or its like, since it imports all of cli/."""
    return here in {"", "cli"} and found.at_import and top(found.name) in SLOW


def command_line(here: str, found: Import) -> bool:
    """Say whether training imports commands and options."""
    return found.name.startswith(("emotool.cli", "typer"))


def test_every_module_has_its_place_in_the_order(root: Path) -> None:
    """A module that ORDER does not name fails: its place is decided, not drifted into."""
    rooms = {room(path, root) for path in (root / "emotool").rglob("*.py")} - {""}
    assert rooms <= set(ORDER)


def test_modules_import_only_from_those_before_them(root: Path) -> None:
    """No module of emotool imports one that comes after it, not even inside a function."""
    assert breaches(root, "emotool", backward) == []


def test_only_commands_import_training_and_only_when_run(root: Path) -> None:
    """Of emotool only cli/ names training, inside the function of the command that needs it."""
    assert breaches(root, "emotool", untimely_training) == []


def test_training_does_not_import_the_command_line(root: Path) -> None:
    """Training can be used from a script: it knows nothing of commands, options and exit codes."""
    assert breaches(root, "training", command_line) == []


def test_emotool_never_names_what_only_training_needs(root: Path) -> None:
    """No file under emotool/ imports TensorFlow and its like, at any level."""
    assert breaches(root, "emotool", heavy) == []


def test_emotool_imports_only_what_it_installs(root: Path) -> None:
    """Every import of emotool/ is of the standard library or of a package that pip brings."""
    assert breaches(root, "emotool", foreign) == []


def test_commands_load_nothing_slow_until_they_run(root: Path) -> None:
    """Files of cli/ import numpy and the like inside functions, since --help imports them all."""
    assert breaches(root, "emotool", slow_start) == []


def test_each_rule_finds_its_breach(tmp_path: Path) -> None:
    """The rules above see a breach where there is one; what is allowed passes."""
    (tmp_path / "emotool" / "cli").mkdir(parents=True)
    (tmp_path / "training").mkdir()
    (tmp_path / "emotool/audio.py").write_text(
        "from emotool.errors import AudioError\ndef f():\n    from emotool import model\n"
    )
    (tmp_path / "emotool/model.py").write_text(
        "import training.fit\ntry:\n    import keras.utils\nfinally:\n    pass\n"
    )
    (tmp_path / "emotool/cli/train.py").write_text(
        "import numpy as np\nfrom training import fit\ndef f():\n    import numpy, training.fit\n"
    )
    (tmp_path / "emotool/explain_figure.py").write_text(
        "import matplotlib.figure\ndef f():\n    import matplotlib, keras\n"
    )
    (tmp_path / "training/fit.py").write_text("from emotool.cli.train import train\n")
    assert breaches(tmp_path, "emotool", backward) == ["emotool/audio.py: emotool.model"]
    assert breaches(tmp_path, "emotool", untimely_training) == [
        "emotool/cli/train.py: training.fit",
        "emotool/model.py: training.fit",
    ]
    assert breaches(tmp_path, "emotool", heavy) == [
        "emotool/explain_figure.py: matplotlib.figure",
        "emotool/explain_figure.py: keras",
        "emotool/model.py: keras.utils",
    ]
    assert breaches(tmp_path, "emotool", foreign) == [
        "emotool/explain_figure.py: keras",
        "emotool/model.py: keras.utils",
    ]
    assert breaches(tmp_path, "emotool", slow_start) == ["emotool/cli/train.py: numpy"]
    assert breaches(tmp_path, "training", command_line) == [
        "training/fit.py: emotool.cli.train.train"
    ]


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
    assert not loaded & (HEAVY | SLOW | {"training"})


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
    assert not loaded & (HEAVY | {"training"})
