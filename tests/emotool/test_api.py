"""What `from emotool import …` gives: results in a loop, and a frame on request."""

import subprocess
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emotool
from emotool import Result, classify, load_model, to_frame
from emotool.errors import InputError, MissingExtraError, ModelNotFoundError
from emotool.model.catalog import DEFAULT_MODEL
from emotool.model.classifier import Classifier
from emotool.results.columns import Columns
from tests.emotool.tiny_models import write_tiny_model
from tests.synthesis import vowel, write_clip

ONE: Any = {"workers": 1}


@pytest.mark.parametrize("function", [classify, load_model])
def test_the_documented_default_is_the_default_model(function: Any) -> None:
    """The reference of the Python interface names the model that runs if none is named."""
    assert f'default "{DEFAULT_MODEL}"' in function.__doc__


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


def test_windows_have_results_of_their_own(folder: Path, model: Classifier) -> None:
    """With times and their own labels; joined on request; a clip without a label has its one."""
    some = {"segments": True, "hop_s": 0.05, **ONE}
    windows = list(classify(folder, model, **some))
    first = [result for result in windows if result.path.endswith("a.wav")]
    assert len(first) > 1
    assert [result.start_s for result in first] == sorted({result.start_s for result in first})
    assert all(result.end_s - result.start_s <= 0.5 for result in first)
    assert [result.status for result in windows[-2:]] == ["silent", "failed"]
    assert (windows[-1].start_s, windows[-1].end_s) == (None, None)
    joined = list(classify(folder / "a.wav", model, merge=True, **some))
    assert len(joined) < len(first)
    assert (joined[0].start_s, joined[-1].end_s) == (first[0].start_s, first[-1].end_s)


def test_embeddings_are_arrays_on_request(folder: Path, model: Classifier) -> None:
    """A clip's is the mean over its windows'; none where there is no label, or no wish."""
    clips = list(classify(folder, model, embeddings=True, **ONE))
    assert [result.embedding is None for result in clips] == [False, False, True, True]
    windows = list(classify(folder / "a.wav", model, embeddings=True, segments=True, **ONE))
    mean = np.mean([result.embedding for result in windows], axis=0)
    np.testing.assert_allclose(clips[0].embedding, mean, rtol=1e-6)
    assert clips[0].embedding.dtype == np.float32
    assert clips[0].embedding.shape == (16,)
    assert clips[0].embedding.flags.writeable
    plain = list(classify(folder, model, **ONE))
    assert plain == clips
    assert plain[0].embedding is None


def test_doubtful_results_are_uncertain(
    folder: Path, model: Classifier, results: list[Result]
) -> None:
    """Probabilities and ranks stay as they are."""
    (doubted,) = classify(folder / "a.wav", model, min_confidence=1.0, **ONE)
    assert doubted.label == "uncertain"
    assert doubted == replace(results[0], label="uncertain")
    ranked = doubted.top(5)
    assert ranked[0] == (results[0].label, results[0].confidence)
    assert dict(ranked) == doubted.probabilities
    assert (doubted.top(0), results[-1].top(2)) == ([], [])


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"merge": True}, "segments=True"),
        ({"min_confidence": 1.5}, "min_confidence"),
        ({"min_confidence": float("nan")}, "min_confidence"),
        ({"hop_s": 0.0}, "hop_s"),
        ({"hop_s": float("nan")}, "hop_s"),
        ({"workers": -1}, "workers"),
        ({"batch_size": -1}, "batch_size"),
        ({"batch_size": 0}, "batch_size"),
        ({"timeout_s": 0.0}, "timeout_s"),
        ({"timeout_s": float("nan")}, "timeout_s"),
    ],
)
def test_options_that_cannot_be_meant_are_told_at_the_call(
    folder: Path, model: Classifier, options: dict[str, Any], word: str
) -> None:
    """Before the loop; the message names the option."""
    with pytest.raises(ValueError, match=word):
        classify(folder, model, **options)


@pytest.mark.parametrize("hop_s", [1e308, float("inf")])
def test_a_hop_longer_than_the_window_is_the_window(
    folder: Path, model: Classifier, hop_s: float
) -> None:
    """However much longer it is."""
    some: Any = {"segments": True, "workers": 1}
    plain = list(classify(folder / "a.wav", model, **some))
    assert list(classify(folder / "a.wav", model, hop_s=hop_s, **some)) == plain
    assert plain[0].status == "ok"


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
    windows = classify(folder, model, segments=True, hop_s=0.05, **ONE)
    assert next(windows).start_s == 0.0
    windows.close()


def test_frame_has_the_tables_columns(results: list[Result]) -> None:
    """A frame has a row for each clip and numbers where there are any."""
    pytest.importorskip("pandas", reason="needs pandas (extra `pandas`)")
    frame = to_frame(results)
    assert list(frame["status"]) == ["ok", "ok", "silent", "failed"]
    assert list(frame.columns[:6]) == ["path", "status", "label", "confidence", "p_happy", "p_sad"]
    assert frame["p_happy"].dtype == np.float64
    assert frame["label"].isna().sum() == 2
    assert list(to_frame([]).columns[:4]) == ["path", "status", "label", "confidence"]
    assert "start_s" not in frame.columns


def test_frame_has_ranks_and_times_on_request(folder: Path, model: Classifier) -> None:
    """The columns are those of the table, a model with fewer labels has fewer ranks."""
    pytest.importorskip("pandas", reason="needs pandas (extra `pandas`)")
    frame = to_frame(classify(folder, model, segments=True, **ONE), top=3)
    assert list(frame.columns) == [
        *Columns(["happy", "sad"], segments=True).names,
        *("top_1", "top_1_p", "top_2", "top_2_p"),
    ]
    best = frame[frame["status"] == "ok"]
    assert list(best["top_1"]) == list(best["label"])
    assert list(best["top_1_p"]) == list(best["confidence"])
    assert frame[frame["status"] != "ok"]["top_1"].isna().all()
    assert frame["end_s"].dtype == np.float64


def test_frame_without_pandas_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pandas is asked for only here, and by name."""
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(MissingExtraError) as raised:
        to_frame([])
    assert "pip install pandas" in raised.value.hint
