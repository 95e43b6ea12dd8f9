"""The doctor tries things, and finds what is broken."""

import sys
from importlib import metadata
from pathlib import Path

import pytest

from emotool.doctor import Check, examine
from tests.containers import NEEDS_AV
from tests.emotool.tiny_models import tiny_metadata, write_tiny_model


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let only a small default model of ours be found, ahead of the checkout's."""
    monkeypatch.setenv("EMOTOOL_MODELS", str(tmp_path))
    monkeypatch.setattr("emotool.catalog.model_folders", lambda: (tmp_path,))
    write_tiny_model(tmp_path / "cnn.onnx", tiny_metadata(name="cnn"))
    return tmp_path


def found() -> dict[tuple[str, str], Check]:
    """Return all checks by group and name."""
    return {(check.group, check.name): check for check in examine()}


def test_sound_installation_is_found_sound(folder: Path) -> None:
    """Models, the CPU and each common sound format are tried and work."""
    checks = found()
    assert [check for check in checks.values() if check.status == "broken"] == []
    assert "golden answer" in checks["models", "cnn"].detail
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
    """It says which extra reads them."""
    monkeypatch.setattr("emotool.doctor._installed", lambda package: None)
    check = found()["decoders", "M4A"]
    assert check.status == "absent"
    assert '"emotool[av]"' in check.detail


def test_spoilt_and_missing_models_are_found(folder: Path) -> None:
    """A model file that cannot be loaded is broken; so is a missing default model."""
    (folder / "cnn.onnx").rename(folder / "other.onnx")
    (folder / "spoilt.onnx").write_text("hello")
    checks = found()
    assert checks["models", "spoilt"].status == "broken"
    assert checks["models", "cnn"].status == "broken"
    assert checks["models", "other"].status == "ok"
    assert checks["devices", "cpu"].status == "broken"


def test_absent_extra_is_told_with_this_pythons_pip(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pip on the path may belong to another environment."""
    monkeypatch.setattr(metadata, "requires", lambda _: ['no-such-package; extra == "more"'])
    check = found()["extras", "more"]
    assert check.status == "absent"
    assert f'{sys.executable} -m pip install "emotool[more]"' in check.detail
