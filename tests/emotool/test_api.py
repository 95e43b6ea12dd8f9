"""What `from emotool import …` gives: results in a loop, and a frame on request."""

import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emotool
from emotool import Result, classify, load_model, to_frame
from emotool.errors import InputError, MissingExtraError, ModelNotFoundError
from emotool.model import Classifier
from tests.emotool.tiny_models import write_tiny_model
from tests.synthesis import vowel, write_clip

ONE: Any = {"workers": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two clips, one that is silent and one that is none."""
    folder = tmp_path_factory.mktemp("clips")
    write_clip(folder / "a.wav", vowel(120, 0.6))
    write_clip(folder / "b.wav", vowel(120, 0.6, amplitude=0.001))
    write_clip(folder / "c.wav", np.zeros(16_000, np.float32))
    (folder / "d.wav").write_bytes(b"no sound")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Return a loaded model."""
    return load_model(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


@pytest.fixture(scope="module")
def results(folder: Path, model: Classifier) -> list[Result]:
    """Return the folder's results."""
    return list(classify(folder, model, **ONE))


def test_importing_loads_nothing_heavy(python: str, python_path: dict[str, str]) -> None:
    """The package is light; its door is listed, and opened on the first use only."""
    code = (
        "import sys, emotool\nassert 'classify' in dir(emotool)\n"
        "assert not {'numpy', 'onnxruntime', 'emotool.api'} & set(sys.modules)\n"
        "emotool.classify\nassert 'emotool.api' in sys.modules and 'pandas' not in sys.modules\n"
    )
    subprocess.run([python, "-c", code], env=python_path, check=True, timeout=60)


def test_unknown_names_are_attribute_errors() -> None:
    """A name that is not there is reported as of any module."""
    with pytest.raises(AttributeError, match="no attribute 'clasify'"):
        getattr(emotool, "clasify")  # noqa: B009


def test_every_clip_has_a_result(results: list[Result], folder: Path) -> None:
    """Clips come in order; those without a label say why."""
    assert [Path(result.path).name for result in results] == ["a.wav", "b.wav", "c.wav", "d.wav"]
    assert [result.status for result in results] == ["ok", "ok", "silent", "failed"]
    assert all(Path(result.path).is_file() for result in results)
    best = results[0]
    assert best.confidence == max(best.probabilities.values())
    assert best.label is not None
    assert best.probabilities[best.label] == best.confidence
    assert list(best.probabilities) == ["happy", "sad"]
    assert (results[3].label, results[3].probabilities) == (None, {})
    assert results[3].error is not None
    assert results[3].error.startswith("open: ")


def test_paths_may_be_one_or_several(folder: Path, model: Classifier) -> None:
    """A string, a path, and a list or generator of both are taken."""
    one = list(classify(str(folder / "a.wav"), model, **ONE))
    two = list(classify((path for path in [folder / "a.wav", str(folder / "b.wav")]), model, **ONE))
    assert len(one) == 1
    assert two[:1] == one
    assert len(two) == 2


def test_mistakes_are_told_at_the_call(folder: Path, model: Classifier) -> None:
    """What cannot work fails before the loop, not in it."""
    with pytest.raises(ModelNotFoundError):
        classify(folder, "no-such-model")
    with pytest.raises(InputError):
        classify(folder / "nothing.wav", model)


def test_a_loop_may_be_left(folder: Path, model: Classifier) -> None:
    """The generator can be closed with clips left to do."""
    generator = classify(folder, model, **ONE)
    assert isinstance(generator, Generator)
    assert next(generator).status == "ok"
    generator.close()


def test_frame_has_the_tables_columns(results: list[Result]) -> None:
    """A frame has a row for each clip and numbers where there are any."""
    pytest.importorskip("pandas", reason="needs pandas (extra `pandas`)")
    frame = to_frame(results)
    assert list(frame["status"]) == ["ok", "ok", "silent", "failed"]
    assert list(frame.columns[:6]) == ["path", "status", "label", "confidence", "p_happy", "p_sad"]
    assert frame["p_happy"].dtype == np.float64
    assert frame["label"].isna().sum() == 2
    assert list(to_frame([]).columns[:4]) == ["path", "status", "label", "confidence"]


def test_frame_without_pandas_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pandas is asked for only here, and by name."""
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(MissingExtraError) as raised:
        to_frame([])
    assert "emotool[pandas]" in raised.value.hint
