"""A model's description is read strictly: what is missing, unknown or false is named."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool.errors import ModelError
from emotool.features.spec import SpectrogramSpec
from emotool.model.metadata import Golden, ModelMetadata, golden_input
from tests.emotool.tiny_models import SMALL_SPEC, tiny_metadata

FIELDS = sorted(json.loads(tiny_metadata().to_json()))


def changed(**changes: Any) -> str:
    """Write true metadata with some fields replaced, as a stranger's exporter might."""
    return json.dumps({**json.loads(tiny_metadata().to_json()), **changes})


def changed_golden(**changes: Any) -> str:
    """Write true metadata with fields of the golden answer replaced."""
    golden = json.loads(tiny_metadata().to_json())["golden"]
    return changed(golden={**golden, **changes})


def test_written_metadata_are_read_back_equal() -> None:
    """Nothing is lost or changed on the way through a model file."""
    metadata = tiny_metadata(notes="naïve\n日本語", metrics={"new_speakers": {"uar": 1 / 3}})
    assert ModelMetadata.from_json(metadata.to_json()) == metadata


def test_equal_metadata_are_equal_text() -> None:
    """The same content gives the same bytes, so that exports can be compared."""
    split = {"kind": "speakers", "hash": "x"}
    turned = dict(reversed(split.items()))
    assert tiny_metadata(split=split).to_json() == tiny_metadata(split=turned).to_json()


@pytest.mark.parametrize("name", FIELDS)
def test_missing_field_is_named(name: str) -> None:
    """A model without a field is refused, and the message says which."""
    document = json.loads(tiny_metadata().to_json())
    del document[name]
    with pytest.raises(ModelError, match=rf"{name}: missing"):
        ModelMetadata.from_json(json.dumps(document))


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", [None, True, 1.5, -1, "\x1b", [], [[]], {}, {"a": None}])
def test_ill_typed_field_is_refused_or_harmless(name: str, value: Any) -> None:
    """No value of the wrong kind gets past the reader as anything but a `ModelError`."""
    try:
        ModelMetadata.from_json(changed(**{name: value}))
    except ModelError as error:
        assert name in error.message
    else:
        assert name in {"temperature", "split", "metrics", "corpora", "notes"} | {
            "architecture",
            "licence",
            "git_commit",
        }


def test_unknown_field_is_named() -> None:
    """What this version does not understand, it does not pretend to."""
    with pytest.raises(ModelError, match="surprise: unknown"):
        ModelMetadata.from_json(changed(surprise=1))
    with pytest.raises(ModelError, match=r"golden\.surprise: unknown"):
        ModelMetadata.from_json(changed_golden(surprise=1))


def test_newer_schema_says_to_upgrade() -> None:
    """A model from the future is no damaged model."""
    with pytest.raises(ModelError, match="schema version 3") as caught:
        ModelMetadata.from_json(changed(schema_version=3))
    assert "upgrade" in caught.value.hint


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "../../etc/passwd"},
        {"name": ""},
        {"name": "x" * 65},
        {"labels": ["happy"]},
        {"labels": ["happy", "happy"]},
        {"labels": ["happy", ""]},
        {"labels": ["happy", " sad"]},
        {"labels": ["happy", "s\x1b[31mad"]},
        {"labels": ["happy", "s\u202ead"]},
        {"labels": ["happy", "s\nad"]},
        {"labels": ["happy", "x" * 65]},
        {"labels": ["happy", 1]},
        {"labels": [f"label {i}" for i in range(257)]},
        {"labels": "hs"},
        {"labels": ["happy", "sad", "angry"]},  # one more than the golden answer has
        {"temperature": 0},
        {"temperature": -1.0},
        {"temperature": 1e9},
        {"temperature": 10**400},
        {"metrics": {"new_speakers": {"uar": 1.01}}},
        {"metrics": {"new_speakers": {"accuracy": "high"}}},
        {"metrics": {"new_speakers": 0.9}},
        {"notes": "x" * 20_001},
        {"corpora": ["a", 1]},
        {"schema_version": 0},
        {"schema_version": 1.0},
        {"spectrogram": {}},
        {"spectrogram": {**SMALL_SPEC.to_dict(), "n_mels": 10**9}},
    ],
)
def test_lies_and_absurdities_are_refused(changes: dict[str, Any]) -> None:
    """Values out of bounds are refused, naming the field."""
    with pytest.raises(ModelError, match=next(iter(changes)).replace("labels", "labels|golden")):
        ModelMetadata.from_json(changed(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": -1},
        {"seed": 2**32},
        {"seed": 1.0},
        {"tolerance": 0},
        {"tolerance": 1.0},  # would make the check say yes to anything
        {"probabilities": [0.5, 0.6]},
        {"probabilities": [1.5, -0.5]},
        {"probabilities": [1.0]},
        {"probabilities": "ab"},
    ],
)
def test_golden_answer_that_proves_nothing_is_refused(changes: dict[str, Any]) -> None:
    """A golden answer has to be one: probabilities, with a tolerance that can fail."""
    with pytest.raises(ModelError, match=r"golden\."):
        ModelMetadata.from_json(changed_golden(**changes))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_json_has_no_number_for_is_refused(number: str) -> None:
    """Python's reader would take NaN anywhere, also where no field is checked."""
    text = changed(split={"loss": 0}).replace('{"loss": 0}', f'{{"loss": {number}}}')
    with pytest.raises(ModelError, match="is not a number"):
        ModelMetadata.from_json(text)


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '"x"', "[" * 100_000, "x" * 1_000_001])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    """No text ends the process, however deep or long."""
    with pytest.raises(ModelError, match="model metadata"):
        ModelMetadata.from_json(text)


def test_key_given_twice_is_refused() -> None:
    """Two readers could take different ones of the two values."""
    text = changed()[:-1] + ', "licence": "CC0"}'
    with pytest.raises(ModelError, match="twice"):
        ModelMetadata.from_json(text)


def test_what_could_not_be_read_is_not_written() -> None:
    """An exporter learns of a field out of bounds at export, not from its users."""
    with pytest.raises(ModelError, match=r"temperature: expected 0\.001 or more, got 0"):
        tiny_metadata(temperature=0.0).to_json()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(changes=st.dictionaries(st.sampled_from(FIELDS), json_values, min_size=1))
def test_any_json_is_read_or_refused(changes: dict[str, Any]) -> None:
    """Whatever a stranger writes into the fields, the answer is metadata or a `ModelError`."""
    try:
        metadata = ModelMetadata.from_json(changed(**changes))
    except ModelError as error:
        assert "\x1b" not in error.message
    else:
        assert ModelMetadata.from_json(metadata.to_json()) == metadata


def test_what_json_cannot_say_is_not_exported() -> None:
    """An exporter that measured NaN hears of it at export."""
    metadata = tiny_metadata(split={"loss": float("nan")})
    with pytest.raises(ModelError, match="JSON"):
        metadata.to_json()


def test_metric_is_looked_up_or_none() -> None:
    """Figures that were not measured are None, not zero."""
    metadata = tiny_metadata(metrics={"new_speakers": {"uar": 1}, "other": {"loss": "x"}})
    assert metadata.metric("new_speakers", "uar") == 1.0
    assert metadata.metric("new_speakers", "accuracy") is None
    assert metadata.metric("random_clips", "uar") is None
    assert metadata.metric("other", "loss") is None


def test_golden_input_is_the_same_for_good() -> None:
    """These numbers may never change: they are part of every exported model."""
    spec = SpectrogramSpec()
    noise = golden_input(1234, spec)
    assert noise.shape == (1, spec.n_mels, spec.frames)
    assert noise.dtype == np.float32
    # The first numbers of RandomState(1234).random_sample(), since numpy 1.0.
    uniform = np.array([0.1915194503788923, 0.6221087710398319, 0.4377277390071145])
    expected = ((uniform - 1) * spec.top_db).astype(np.float32)
    np.testing.assert_array_equal(noise[0, 0, :3], expected)
    assert -spec.top_db <= noise.min() < noise.max() <= 0


def test_golden_is_compared_by_value() -> None:
    """Two golden answers with the same numbers are the same."""
    assert Golden(1, (0.25, 0.75), 1e-3) == Golden(1, (0.25, 0.75), 1e-3)
