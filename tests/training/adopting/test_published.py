"""The JSON files of a published folder are data: bounded, checked, and nothing else."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotool.errors import ModelError
from emotool_training.adopting.published import Extractor, read_published
from tests.published_models import EXTRACTOR, LABELS, write_published

WHISPER = {
    "feature_extractor_type": "WhisperFeatureExtractor",
    "feature_size": 80,
    "sampling_rate": 16_000,
    "chunk_length": 30,
    "n_fft": 400,
    "hop_length": 160,
    "padding_value": 0.0,
    "do_normalize": False,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a folder as it should be."""
    return write_published(tmp_path / "published")


def rewrite(folder: Path, file: str, **changes: Any) -> None:
    """Change fields of a file."""
    path = folder / file
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")


def test_a_folder_says_what_the_model_is(folder: Path) -> None:
    """Names, scaling, origin."""
    found = read_published(folder)
    assert (found.names, found.regression) == (LABELS, False)
    assert found.extractor == Extractor()
    assert (found.origin, found.architecture) == ("someone/tones", "ToneForSequenceClassification")


def test_whispers_extractor_is_known(folder: Path) -> None:
    """Its bands, its seconds and its frames."""
    (folder / "preprocessor_config.json").write_text(json.dumps(WHISPER), "utf-8")
    assert read_published(folder).extractor == Extractor(16_000, False, 80, 30, 400, 160)


def test_what_is_not_there_is_not_known(folder: Path) -> None:
    """Both files may be absent; the graph may not."""
    (folder / "config.json").unlink()
    (folder / "preprocessor_config.json").unlink()
    found = read_published(folder)
    assert (found.names, found.extractor) == ((), None)
    (folder / "model.onnx").unlink()
    with pytest.raises(ModelError, match=r"has no model\.onnx") as caught:
        read_published(folder)
    assert "optimum-cli" in caught.value.hint


@pytest.mark.parametrize(
    ("file", "changes", "reason"),
    [
        ("config.json", {"problem_type": "multi_label_classification"}, "problem_type"),
        ("config.json", {"id2label": {"0": "a", "2": "b"}}, "the keys 0 to 1"),
        ("config.json", {"id2label": {"0": "a\x1b[31m"}}, "printable"),
        ("config.json", {"id2label": {str(i): "a" for i in range(300)}}, "at most 256"),
        ("config.json", {"id2label": ["a", "b"]}, "id2label"),
        ("preprocessor_config.json", {"feature_extractor_type": "Evil"}, "is not known"),
        ("preprocessor_config.json", {"sampling_rate": 10**9}, "sampling_rate"),
        ("preprocessor_config.json", {"sampling_rate": "16000"}, "sampling_rate"),
        ("preprocessor_config.json", {"padding_value": 1.0}, "padding_value"),
        ("preprocessor_config.json", {"do_normalize": "yes"}, "do_normalize"),
        ("preprocessor_config.json", {"feature_size": 2}, "feature_size"),
        ("preprocessor_config.json", {**WHISPER, "hop_length": 0}, "hop_length"),
        ("preprocessor_config.json", {**WHISPER, "chunk_length": 10**6}, "chunk_length"),
        ("preprocessor_config.json", {**WHISPER, "dither": 0.1}, "dither"),
    ],
)
def test_what_is_not_known_is_refused(
    folder: Path, file: str, changes: dict[str, Any], reason: str
) -> None:
    """The file and the field are named."""
    rewrite(folder, file, **changes)
    with pytest.raises(ModelError, match=reason) as caught:
        read_published(folder)
    assert file in caught.value.message


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1, "a": 2}', "NaN", "[" * 100_000])
def test_what_is_no_json_object_is_refused(folder: Path, content: str) -> None:
    """And nothing is guessed."""
    (folder / "config.json").write_text(content, "utf-8")
    with pytest.raises(ModelError, match=r"config\.json"):
        read_published(folder)


def test_large_files_and_pipes_are_refused(folder: Path) -> None:
    """A file is read only if it is regular and small."""
    (folder / "config.json").write_text(" " * 1_000_001, "utf-8")
    with pytest.raises(ModelError, match="no regular file of at most"):
        read_published(folder)
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")
    with pytest.raises(ModelError, match=r"config\.json"):
        read_published(folder)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["id2label", "problem_type", "architectures", "_name_or_path"]), _VALUES
    ),
    st.dictionaries(st.sampled_from([*EXTRACTOR, *WHISPER, "dither"]), _VALUES),
)
def test_any_configuration_is_read_or_refused(
    folder: Path, config: dict[str, Any], extractor: dict[str, Any]
) -> None:
    """Whatever the files say, the result is bounded or an error of ours."""
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    (folder / "preprocessor_config.json").write_text(
        json.dumps({**EXTRACTOR, **extractor}), "utf-8"
    )
    try:
        found = read_published(folder)
    except ModelError:
        return
    assert len(found.names) <= 256
    assert found.extractor is None or 4_000 <= found.extractor.sample_rate <= 192_000
