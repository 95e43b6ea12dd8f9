"""The wheel: what it holds, and that it works in a bare environment far from the checkout."""

import csv
import io
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.emotool.tiny_models import write_tiny_model
from tests.synthesis import tone, write_clip

pytest.importorskip("build", reason="needs the dev extra")
pytest.importorskip("hatchling", reason="needs the dev extra")

pytestmark = pytest.mark.slow

WINDOWS = os.name == "nt"


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command with a bare environment: no PYTHONPATH, no settings of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**kept, "HOME": str(cwd), "PYTHONUTF8": "1", "PYTHONNOUSERSITE": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the checkout with one more model in exported/."""
    copy = tmp_path_factory.mktemp("copy of the checkout")
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(root / name, copy)
    for name in ("emotool", "training", "exported"):
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    write_tiny_model(copy / "exported" / "tiny.onnx")
    target = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", target, cwd=copy)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a new environment elsewhere; return its folder of commands.

    The dependencies are lent from the environment of the tests, since installing them anew would
    need a network: a path in a .pth file lends packages, but not the checkout that an editable
    installation there points to.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    commands = folder / "venv" / ("Scripts" if WINDOWS else "bin")
    python = commands / ("python.exe" if WINDOWS else "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"]
    run(*pip, "--disable-pip-version-check", wheel, cwd=folder)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(run(python, "-c", where, cwd=folder).stdout.strip())
    lent = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "lent.pth").write_text("\n".join(lent), "utf-8")
    return commands


def test_wheel_holds_models_recipes_types_and_licences(wheel: Path, root: Path) -> None:
    """The wheel holds all of both packages and exported/, and no top-level name but ours."""
    names = set(zipfile.ZipFile(wheel).namelist())
    models = {f"emotool/exported/{path.name}" for path in (root / "exported").iterdir()}
    data = {
        path.relative_to(folder).as_posix()
        for folder, package in ((root, "emotool"), (root / "training", "emotool_training"))
        for path in (folder / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert models | data <= names
    assert "emotool/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"emotool", "emotool_training"}
    licences = {name.partition("licenses/")[2] for name in names if "/licenses/" in name}
    assert licences == {"LICENSE", "exported/LICENSE"}


def test_installed_wheel_is_what_runs(bare: Path, tmp_path: Path) -> None:
    """The command of the bare environment runs the installed package, not the checkout."""
    python = bare / ("python.exe" if WINDOWS else "python")
    place = run(python, "-c", "import emotool; print(emotool.__file__)", cwd=tmp_path).stdout
    assert Path(place.strip()).is_relative_to(bare.parent)
    assert run(bare / "emotool", "--version", cwd=tmp_path).stdout.startswith("emotool ")


def test_installed_wheel_lists_its_models(bare: Path, root: Path, tmp_path: Path) -> None:
    """`emotool models` names every model that the wheel brought."""
    listed = run(bare / "emotool", "models", cwd=tmp_path).stdout
    for name in ["tiny", *(path.stem for path in (root / "exported").glob("*.onnx"))]:
        assert name in listed


def test_installed_wheel_classifies_with_its_models(bare: Path, root: Path, tmp_path: Path) -> None:
    """`emotool classify` labels a clip by each model inside the wheel."""
    write_clip(tmp_path / "tone.wav", tone(220.0, 2.0))
    for name in ["tiny", *(path.stem for path in (root / "exported").glob("*.onnx"))]:
        command = [bare / "emotool", "classify", "tone.wav", "--model", name, "-o", "-"]
        (row,) = csv.DictReader(io.StringIO(run(*command, cwd=tmp_path).stdout))
        assert (row["path"], row["status"], row["model"]) == ("tone.wav", "ok", name)


def test_no_file_of_the_project_is_ignored(root: Path) -> None:
    """The builder leaves out what .gitignore names, so a pattern must not fit a room of ours."""
    if not (root / ".git").exists():
        pytest.skip("needs a git checkout")
    ignored = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    listed = subprocess.run(ignored, cwd=root, capture_output=True, text=True, check=True).stdout
    assert listed == ""
