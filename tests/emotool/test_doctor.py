"""The doctor tries things, and finds what is broken."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import soundfile

from emotool.doctor import Check, examine
from emotool.model.catalog import DEFAULT_MODEL
from tests.containers import NEEDS_AV
from tests.emotool.tiny_models import tiny_metadata, write_tiny_model

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let only a small default model of ours be found, ahead of the checkout's."""
    monkeypatch.setenv("EMOTOOL_MODELS", str(tmp_path))
    monkeypatch.setattr("emotool.model.catalog.model_folders", lambda: (tmp_path,))
    write_tiny_model(tmp_path / f"{DEFAULT_MODEL}.onnx", tiny_metadata(name=DEFAULT_MODEL))
    return tmp_path


def found() -> dict[tuple[str, str], Check]:
    """Return all checks by group and name."""
    return {(check.group, check.name): check for check in examine()}


def test_sound_installation_is_found_sound(folder: Path) -> None:
    """Models, the CPU and each common sound format are tried and work."""
    checks = found()
    assert [check for check in checks.values() if check.status == "broken"] == []
    assert "reference output" in checks["models", DEFAULT_MODEL].detail
    assert "ms for a window" in checks["devices", "cpu"].detail
    for name in ("WAV", "FLAC", "OGG", "MP3", "AIFF", "OPUS"):
        assert checks["decoders", name].status == "ok"


@NEEDS_AV
def test_containers_are_tried_where_pyav_is(folder: Path) -> None:
    """A tone is written and read back in each."""
    checks = found()
    for name in ("M4A", "WEBM", "WMA"):
        assert checks["decoders", name].status == "ok", checks["decoders", name].detail


def test_containers_are_absent_where_pyav_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what to install to read them."""
    monkeypatch.setattr("emotool.doctor._installed", lambda package: None)
    check = found()["decoders", "M4A"]
    assert check.status == "absent"
    assert "-m pip install av" in check.detail


@pytest.mark.parametrize("package", ["numpy", "onnxruntime", "soundfile"])
def test_a_package_that_cannot_be_loaded_is_told(
    folder: Path, python: str, python_path: dict[str, str], package: str
) -> None:
    """Such faults are what the doctor is called for: none of them ends it."""
    code = (
        "import sys; sys.modules[sys.argv[1]] = None\n"
        "from pathlib import Path; from emotool.model import catalog\n"
        "catalog.model_folders = lambda: (Path(sys.argv[2]),)\n"
        "from emotool.doctor import examine\n"
        "for check in examine(): print(check.status, check.group, check.detail)\n"
    )
    command = [python, "-c", code, package, str(folder)]
    run = subprocess.run(command, env=python_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    told = [line for line in run.stdout.splitlines() if line.startswith("broken")]
    assert any(package in line for line in told)
    assert run.stdout.splitlines()[-1].split()[1] == "extras"  # it went on to the end


@NEEDS_AV
def test_pyav_that_cannot_be_loaded_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is installed, so whoever did so expects M4A to be read."""
    monkeypatch.setitem(sys.modules, "av", None)
    check = found()["decoders", "M4A"]
    assert check.status == "broken"
    assert "av" in check.detail


def test_a_needed_format_that_libsndfile_lacks_is_broken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older ones know no MP3: it is tried all the same, for silence would say that it works."""
    formats = soundfile.available_formats()
    monkeypatch.setattr(soundfile, "available_formats", lambda: formats)
    for known in (formats, soundfile._formats):
        monkeypatch.delitem(known, "MP3")
    checks = found()
    assert checks["decoders", "MP3"].status == "broken"
    assert "MP3" in checks["decoders", "MP3"].detail
    assert checks["decoders", "OPUS"].status == "ok"


def test_spoilt_and_missing_models_are_found(folder: Path) -> None:
    """A model file that cannot be loaded is broken; so is a missing default model."""
    (folder / f"{DEFAULT_MODEL}.onnx").rename(folder / "other.onnx")
    (folder / "spoilt.onnx").write_text("hello")
    checks = found()
    assert checks["models", "spoilt"].status == "broken"
    assert checks["models", DEFAULT_MODEL].status == "broken"
    assert checks["models", "other"].status == "ok"
    assert checks["devices", "cpu"].status == "broken"


def test_absent_extra_is_told_with_this_pythons_pip(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pip on the path may belong to another environment."""
    monkeypatch.setattr(metadata, "requires", lambda _: ['no-such-package; extra == "more"'])
    check = found()["extras", "more"]
    assert check.status == "absent"
    assert f"{sys.executable} -m pip install no-such-package" in check.detail
