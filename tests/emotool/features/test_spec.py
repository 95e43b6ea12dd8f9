"""A specification says what a model hears, and trusts no file that carries one."""

import json
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotool.errors import SpecError
from emotool.features.spec import SpectrogramSpec

_OUT_OF_BOUNDS: list[dict[str, Any]] = [
    {"sample_rate": 0},
    {"sample_rate": 10**9},
    {"window_seconds": 0.0},
    {"window_seconds": float("nan")},
    {"window_seconds": 1e300},
    {"n_fft": 1},
    {"n_fft": 1023},
    {"n_fft": 2**40},
    {"hop_length": 0},
    {"hop_length": 2048},
    {"n_mels": 0},
    {"n_mels": 10**6},
    {"f_min": -1.0},
    {"f_min": 8000.0},
    {"f_max": 8001.0},
    {"f_max": float("inf")},
    {"top_db": 0.0},
    {"trim_db": -40.0},
    {"tail_seconds": -0.1},
    {"min_seconds": 1e9},
    {"window_seconds": 60.0, "hop_length": 16, "n_mels": 512},
]
_ILL_TYPED: list[dict[str, Any]] = [
    {"normalisation": "batch"},
    {"sample_rate": 16000.0},
    {"n_fft": True},
    {"n_mels": "128"},
    {"top_db": "80"},
    {"top_db": None},
    {"f_min": False},
    {"trim_db": [40]},
    {"normalisation": 1},
    {"normalisation": ["window"]},
]


@pytest.mark.parametrize("changes", _OUT_OF_BOUNDS, ids=str)
def test_no_specification_is_out_of_bounds(changes: dict[str, Any]) -> None:
    """Whoever makes it: the error names one field."""
    with pytest.raises(SpecError) as caught:
        SpectrogramSpec(**changes)
    assert any(field.name in caught.value.message for field in fields(SpectrogramSpec))


@pytest.mark.parametrize("changes", _OUT_OF_BOUNDS + _ILL_TYPED, ids=str)
def test_every_field_of_a_file_has_a_type_and_bounds(changes: dict[str, Any]) -> None:
    """A field out of bounds or of another type is refused, and the error names one field."""
    with pytest.raises(SpecError) as caught:
        SpectrogramSpec.from_dict(SpectrogramSpec().to_dict() | changes)
    assert any(field.name in caught.value.message for field in fields(SpectrogramSpec))


def test_window_and_frames_follow_from_the_fields() -> None:
    """Frames are centred: one more than whole hops fit into a window."""
    spec = SpectrogramSpec(sample_rate=8000, f_max=4000, window_seconds=1.0, hop_length=300)
    assert (spec.window_samples, spec.frames) == (8000, 27)


def test_whole_numbers_mean_the_same_as_floats() -> None:
    """JSON's 3 and 3.0 make one specification, with one digest."""
    whole = SpectrogramSpec(window_seconds=3, top_db=80)
    assert whole == SpectrogramSpec()
    assert whole.digest() == SpectrogramSpec().digest()


def test_it_survives_json_and_nothing_may_be_missing_or_added() -> None:
    """What comes back from JSON is equal; a missing or an unknown field is an error."""
    spec = SpectrogramSpec(trim_db=None, n_mels=64)
    values = json.loads(json.dumps(spec.to_dict()))
    assert SpectrogramSpec.from_dict(values) == spec
    for field in fields(spec):
        with pytest.raises(SpecError, match=field.name):
            SpectrogramSpec.from_dict({k: v for k, v in values.items() if k != field.name})
    with pytest.raises(SpecError, match="unknown"):
        SpectrogramSpec.from_dict(values | {"n_mel": 64})
    with pytest.raises(SpecError):
        SpectrogramSpec.from_dict([("n_mels", 64)])  # type: ignore[arg-type]


def test_the_digest_tells_specifications_apart_and_does_not_drift() -> None:
    """Every field counts; the default's digest is part of caches and journals on disk."""
    default = SpectrogramSpec()
    assert default.digest() == "e51e84f57d96fbb92b0ccadc020ef03247da190fabd40d0f46f9f6da6730ce36"
    changed = [
        SpectrogramSpec(sample_rate=22050),
        SpectrogramSpec(trim_db=None),
        SpectrogramSpec(normalisation="constants"),
    ]
    assert len({spec.digest() for spec in [default, *changed]}) == 4


def test_it_cannot_be_changed() -> None:
    """A specification is a value."""
    with pytest.raises(FrozenInstanceError):
        SpectrogramSpec().n_mels = 1  # type: ignore[misc]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=3),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from([f.name for f in fields(SpectrogramSpec)]), _JSON))
def test_whatever_a_file_says_gives_a_bounded_specification_or_an_error(
    changes: dict[str, Any],
) -> None:
    """Nothing but SpecError is raised, and what passes needs at most 16 MB per window."""
    try:
        spec = SpectrogramSpec.from_dict(SpectrogramSpec().to_dict() | changes)
    except SpecError as error:
        assert len(error.message) < 400
    else:
        assert spec.n_mels * spec.frames <= 4_000_000
