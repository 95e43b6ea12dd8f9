"""Measures of spectrograms are what they say, of whatever there may be in one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from emotool.features.mel import log_mel
from emotool.features.spec import SpectrogramSpec
from emotool.quality.measures import can_measure, measure
from tests.emotool.quality.test_flags import SPECS, talk, with_noise
from tests.synthesis import Samples, noise


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.sampled_from((64, 128)), st.integers(2, 200)),
        elements=st.floats(-100.0, 200.0, width=32),
    )
)
def test_any_spectrogram_can_be_measured(window: Samples) -> None:
    """Measures are finite, ranges and texture not negative, for whatever there may be in one."""
    measures = measure(window)
    assert np.isfinite(measures).all()
    assert min(measures.range_db, measures.band_range_db, measures.voice_range_db) >= 0
    assert min(measures.texture_db, measures.movement) >= 0
    assert measures.band_range_db <= 300


@pytest.mark.parametrize("bands", [64, 128])
@pytest.mark.parametrize("swing_db", [6.0, 20.0])
def test_a_swing_of_all_bands_is_the_range(bands: int, swing_db: float) -> None:
    """Where all bands rise and fall together, each range is that swing, and nothing is rough."""
    frames = np.where(np.arange(100) % 2, swing_db, 0.0) - 50.0
    window = np.repeat(frames[None].astype(np.float32), bands, axis=0)
    found = measure(window)
    ranges = (found.range_db, found.band_range_db, found.voice_range_db)
    assert ranges == pytest.approx([swing_db] * 3, abs=1e-4)
    assert (found.texture_db, found.movement, found.treble_db) == pytest.approx([0.0] * 3, abs=1e-4)


@pytest.mark.parametrize("bands", [64, 128])
def test_bands_in_turns_have_that_texture_and_frames_in_turns_that_movement(bands: int) -> None:
    """Texture is how far a band is from its neighbours; movement, steps divided by it."""
    coarse = np.where(np.arange(64) % 2, 4.0, 0.0)  # [bands], 4 dB above or below both neighbours
    frames = np.where(np.arange(100) % 2, 2.0, 0.0)  # [frames], 2 dB from one to the next
    window = np.repeat(coarse, bands // 64)[:, None] + frames - 60.0  # [bands, frames]
    found = measure(window.astype(np.float32))
    assert found.texture_db == pytest.approx(4.0, abs=1e-4)
    assert found.movement == pytest.approx(2.0 / 4.0, abs=1e-4)


def test_only_spectrograms_like_those_of_the_limits_are_measured() -> None:
    """64 or 128 bands of frames as in the default specification, at least as deep."""
    assert all(can_measure(spec) for spec in SPECS)
    assert can_measure(SpectrogramSpec(top_db=100.0))
    assert not can_measure(SpectrogramSpec(n_mels=40))
    assert not can_measure(SpectrogramSpec(hop_length=160))
    assert not can_measure(SpectrogramSpec(top_db=40.0))


def test_coarse_and_fine_spectrograms_measure_alike() -> None:
    """64 bands and 128 give the same ranges, to a few dB."""
    speech = with_noise(talk(seed=5), noise(3.0), 30.0)
    coarse, fine = (measure(log_mel(speech[None], spec)[0]) for spec in SPECS)
    assert coarse.range_db == pytest.approx(fine.range_db, abs=5.0)
    assert coarse.voice_range_db == pytest.approx(fine.voice_range_db, abs=5.0)
