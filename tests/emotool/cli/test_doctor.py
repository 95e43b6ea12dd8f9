"""``emotool doctor`` for people and for reports."""

import json
from pathlib import Path

import pytest

from emotool.cli import main
from emotool.model.catalog import DEFAULT_MODEL
from tests.emotool.tiny_models import tiny_metadata, write_tiny_model


def run(*arguments: str) -> int:
    """Run the command in this process; return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_exit_code_and_output_say_what_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """All well is 0; a spoilt model is 1, in words and as JSON."""
    monkeypatch.setattr("emotool.model.catalog.model_folders", lambda: (tmp_path,))
    write_tiny_model(tmp_path / f"{DEFAULT_MODEL}.onnx", tiny_metadata(name=DEFAULT_MODEL))
    assert run() == 0
    assert "BROKEN" not in capfd.readouterr().out
    (tmp_path / "spoilt.onnx").write_text("hello")
    assert run() == 1
    assert "BROKEN  spoilt" in capfd.readouterr().out
    assert run("--json") == 1
    document = json.loads(capfd.readouterr().out)
    assert document["broken"] == 1
    assert {"group", "name", "status", "detail"} == set(document["checks"][0])
