"""Version 2 says what a model takes and gives; version 1 is read as ever."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool.errors import ModelError
from emotool.features.waveform_spec import WaveformSpec
from emotool.model.metadata import Dimension, Golden, ModelMetadata
from emotool.model.onnx_scan import read_onnx
from tests.emotool.tiny_models import SMALL_SPEC, tiny_metadata

DIMENSIONS = (Dimension("arousal", -1.0, 1.0, "calm to excited"), Dimension("valence"))
WAVE = ModelMetadata(
    name="wave",
    labels=("happy", "sad"),
    input=WaveformSpec(attention_mask=True),
    temperature=1.5,
    golden=Golden(1, (0.25, 0.75), 1e-3, (0.5, -0.5)),
    dimensions=DIMENSIONS,
    extras=("embedding",),
    schema_version=2,
)
ONLY = ModelMetadata(
    name="only",
    labels=(),
    input=SMALL_SPEC,
    temperature=1.0,
    golden=Golden(1, (), 1e-3, (0.5, -0.5)),
    dimensions=DIMENSIONS,
    extras=(),
    schema_version=2,
)


@pytest.mark.parametrize("metadata", [WAVE, ONLY, tiny_metadata()], ids=["both", "numbers", "1"])
def test_written_metadata_are_read_back_equal(metadata: ModelMetadata) -> None:
    """Nothing is lost on the way through a file, in either version."""
    assert ModelMetadata.from_json(metadata.to_json()) == metadata


def test_version_1_is_written_as_ever(root: Path) -> None:
    """The built-in models' documents come out of reading and writing to the byte."""
    files = sorted((root / "exported").glob("*.onnx"))
    assert files
    for path in files:
        text = read_onnx(path).properties["emotool"]
        assert ModelMetadata.from_json(text).to_json() == text
        assert json.loads(text)["schema_version"] == 1


def test_outputs_are_those_that_are_given() -> None:
    """Classes have two outputs, dimensions one, and the others are there if they are said to be."""
    assert WAVE.outputs == ("probabilities", "logits", "dimensions", "embedding")
    assert ONLY.outputs == ("dimensions",)


def changed(metadata: ModelMetadata, place: tuple[str, ...], value: Any) -> str:
    """Write metadata with one field replaced."""
    document = copy.deepcopy(json.loads(metadata.to_json()))
    inner = document
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("input",), {}),
        (("input", "waveform"), None),
        (("input", "log_mel"), SMALL_SPEC.to_dict()),
        (("input", "waveform"), {**WAVE.input.to_dict(), "sample_rate": 10**9}),
        (("input", "waveform"), {**WAVE.input.to_dict(), "channels": 2}),
        (("input", "waveform"), {**WAVE.input.to_dict(), "normalisation": "loudness"}),
        (("input", "waveform"), {**WAVE.input.to_dict(), "attention_mask": 1}),
        (("output", "classes"), {"labels": ["one"], "temperature": 1.0}),
        (("output", "classes"), {"labels": ["a", "b"], "temperature": 0.0}),
        (("output", "classes"), {"labels": ["a", "b", "c"], "temperature": 1.0}),
        (("output", "dimensions"), []),
        (("output", "embedding"), "yes"),
        (("golden", "dimensions"), [1.0]),
        (("golden", "dimensions"), ["x", 0.0]),
        (("golden", "tolerance"), 0.5),
    ],
)
def test_lies_and_absurdities_are_refused(place: tuple[str, ...], value: Any) -> None:
    """Values out of bounds are refused, naming the field."""
    with pytest.raises(ModelError, match=r"input|output|golden"):
        ModelMetadata.from_json(changed(WAVE, place, value))


@pytest.mark.parametrize(
    "values",
    [
        {"name": "Arousal"},
        {"name": "a b"},
        {"name": "x" * 33},
        {"name": "label"},
        {"name": "p_happy"},
        {"name": "top_1"},
        {"name": "valence"},  # twice
        {"low": 1.0, "high": 1.0},
        {"low": 2.0},
        {"high": 1e9},
        {"meaning": "\x1b[31m"},
        {"meaning": "x" * 201},
    ],
)
def test_absurd_dimensions_are_refused(values: dict[str, Any]) -> None:
    """Names are those of columns, each once, and no other column's; ranges are ranges."""
    first = {"name": "arousal", "low": 0.0, "high": 1.0, "meaning": "", **values}
    second = {"name": "valence", "low": 0.0, "high": 1.0, "meaning": ""}
    with pytest.raises(ModelError, match=r"output\.dimensions"):
        ModelMetadata.from_json(changed(ONLY, ("output", "dimensions"), [first, second]))


def test_a_model_that_gives_nothing_is_refused() -> None:
    """Neither labels nor numbers are no model."""
    document = json.loads(ONLY.to_json())
    document["output"]["dimensions"] = document["golden"]["dimensions"] = []
    with pytest.raises(ModelError, match="output: expected classes, dimensions or both"):
        ModelMetadata.from_json(json.dumps(document))


def test_version_1_describes_no_other_model() -> None:
    """A field that it has no word for is not lost in silence."""
    with pytest.raises(ModelError, match="schema_version 1 cannot describe"):
        tiny_metadata(extras=())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)
_PLACES = st.sampled_from(
    [
        ("input",),
        ("input", "waveform"),
        *(("input", "waveform", name) for name in WAVE.input.to_dict()),
        ("output",),
        ("output", "classes"),
        ("output", "classes", "labels"),
        ("output", "dimensions"),
        ("output", "embedding"),
        ("golden",),
        ("golden", "dimensions"),
        ("schema_version",),
    ]
)


@given(_PLACES, _JSON)
def test_any_value_of_any_field_is_read_or_refused(place: tuple[str, ...], value: Any) -> None:
    """Whatever a file says, it is a bounded description or an error of ours."""
    try:
        found = ModelMetadata.from_json(changed(WAVE, place, value))
    except ModelError:
        return
    assert ModelMetadata.from_json(found.to_json()) == found
