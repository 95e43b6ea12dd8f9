"""Waveforms are cut, scaled and padded as spectrograms are cut: by the same windows."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool.errors import SpecError
from emotool.features.extraction import iter_extract
from emotool.features.spec import SpectrogramSpec
from emotool.features.waveform import padded_groups, waveforms
from emotool.features.waveform_spec import WaveformSpec
from tests.synthesis import noise, tone, vowel, write_clip


@pytest.mark.parametrize(
    "values",
    [
        {"sample_rate": 100},
        {"window_seconds": 0.0},
        {"window_seconds": 61.0},
        {"window_seconds": float("nan")},
        {"least_seconds": 10.5},
        {"least_seconds": -1.0},
        {"trim_db": 0.0},
        {"sample_rate": 192_000, "window_seconds": 30.0},
    ],
)
def test_absurd_specifications_are_refused(values: dict[str, float]) -> None:
    """Every field has bounds, and so has the memory of a window."""
    with pytest.raises(SpecError):
        WaveformSpec(**values)  # type: ignore[arg-type]


@given(
    st.integers(1, 160_000),
    st.builds(
        WaveformSpec,
        window_seconds=st.just(10.0),
        least_seconds=st.sampled_from([0.0, 0.1, 3.0, 10.0]),
        attention_mask=st.booleans(),
    ),
)
def test_padding_depends_on_the_window_alone(samples: int, spec: WaveformSpec) -> None:
    """It is at least the window, at most the longest, and padding again changes nothing."""
    padded = spec.padded(samples)
    assert samples <= padded <= max(samples, spec.window_samples)
    assert spec.padded(padded) == padded
    if spec.fixed:
        assert padded == spec.window_samples


def test_windows_are_scaled_without_their_padding() -> None:
    """Each has a mean of 0 and a variance of 1 over its own sound."""
    made = waveforms([noise(1.0) + 0.3, noise(0.5, seed=1)], WaveformSpec())
    assert made.shape == (2, 16_000)
    np.testing.assert_allclose(made[0].mean(), 0, atol=1e-5)
    np.testing.assert_allclose(made[1, :8_000].var(), 1, atol=1e-3)
    assert not made[1, 8_000:].any()
    plain = waveforms([noise(1.0)], WaveformSpec(normalisation="none"))
    np.testing.assert_array_equal(plain[0], noise(1.0))


@pytest.mark.parametrize("seconds", [0.4, 2.0, 7.3, 70.0])
def test_windows_are_those_of_spectrograms(tmp_path: Path, seconds: float) -> None:
    """Trimming, windows, times and silence are decided by the same code."""
    sound = np.concatenate([np.zeros(8_000), vowel(seconds=seconds), np.zeros(9_000)])
    path = write_clip(tmp_path / "a.wav", sound.astype(np.float32))
    wave = list(iter_extract(path, WaveformSpec(window_seconds=3.0), 4))
    mels = list(iter_extract(path, SpectrogramSpec(window_seconds=3.0), 4))
    for one, other in zip(wave, mels, strict=True):
        assert (one.status, one.starts_s, one.ends_s) == (
            other.status,
            other.starts_s,
            other.ends_s,
        )
        assert len(one.windows) == len(other.windows) == len(one.lengths)
        spans = [
            round((end - start) * 16_000)
            for start, end in zip(one.starts_s, one.ends_s, strict=True)
        ]
        assert np.abs(np.array(spans) - one.lengths).max(initial=0) <= 1


def test_windows_of_one_padded_length_are_together() -> None:
    """Neighbours whose padding is equal make one array; the others stand alone."""
    spec = WaveformSpec(attention_mask=True)
    windows = np.ones((4, 9_000), np.float32)
    groups = list(padded_groups(windows, [9_000, 8_500, 3_000, 9_000], spec))
    assert [(padded, len(array), list(sizes)) for padded, array, sizes in groups] == [
        (12_000, 2, [9_000, 8_500]),
        (4_000, 1, [3_000]),
        (12_000, 1, [9_000]),
    ]
    assert groups[0][1][0, :9_000].all()
    assert not groups[0][1][0, 9_000:].any()


def test_a_silent_clip_has_no_waveforms(tmp_path: Path) -> None:
    """As it has no spectrograms."""
    path = write_clip(tmp_path / "a.wav", tone(440) * 0)
    (part,) = iter_extract(path, WaveformSpec())
    assert (part.status, part.windows.shape, part.lengths) == ("silent", (0, 0), ())
