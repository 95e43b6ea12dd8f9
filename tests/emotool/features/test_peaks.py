"""Peaks that were cut off are found, also where the cut is no longer at full scale."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from emotool.features.extraction import features_of, iter_extract
from emotool.features.peaks import Peaks, peaks_of
from emotool.features.spec import SpectrogramSpec
from emotool.quality.flags import EVENNESS, FLATNESS, Quality
from tests.emotool.quality.test_flags import SPECS, talk
from tests.synthesis import Samples, noise, tone, write_clip


def cut(samples: Samples, excess_db: float) -> Samples:
    """Cut off what is within so many dB of the peak, then turn the rest down to a half."""
    peak = np.abs(samples).max() * 10 ** (-excess_db / 20)
    return (0.5 * np.clip(samples / peak, -1, 1)).astype(np.float32)


def flags(samples: Samples, spec: SpectrogramSpec = SPECS[0]) -> tuple[str, ...]:
    """Return what a clip is flagged with."""
    quality = Quality(spec)
    quality.add(features_of(samples, spec))
    return quality.flags


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("excess_db", [6.0, 12.0, 20.0])
@pytest.mark.parametrize("spec", SPECS, ids=("64 bands", "128 bands"))
def test_clipped_talk_is_found_after_it_was_turned_down(
    spec: SpectrogramSpec, excess_db: float, seed: int
) -> None:
    """No sample is anywhere near full scale, but the peaks are flat and all of one height."""
    assert "clipped" in flags(cut(talk(seed=seed), excess_db), spec)


@pytest.mark.parametrize("seed", range(4))
def test_clipped_talk_is_found_after_resampling(seed: int) -> None:
    """The resampler's ripples are on the tops, whose heights still agree."""
    there = soxr.resample(cut(talk(seed=seed), 12.0), 16_000, 22_050)
    back = soxr.resample(there, 22_050, 16_000).astype(np.float32)
    assert peaks_of(back).flatness <= FLATNESS
    assert "clipped" in flags(back)


@pytest.mark.parametrize("gain", [1e-3, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_talk_is_not_clipped(seed: int, gain: float) -> None:
    """Each syllable has a height of its own."""
    assert "clipped" not in flags(talk(seed=seed) * np.float32(gain))


@pytest.mark.parametrize("excess_db", [1.0, 3.0, 6.0, 12.0])
def test_the_top_of_a_clipped_tone_is_as_wide_as_physics_has_it(excess_db: float) -> None:
    """A sine cut at c of its peak stays at the top for 1 - 2 asin(c) / pi of the time."""
    level = 10 ** (-excess_db / 20)
    clipped = np.clip(tone(37.0, 4.0, amplitude=1.0), -level, level)
    heard = 1 - 2 * np.arcsin(0.1 * level) / np.pi  # of the time above a tenth of the cut
    at_top = (1 - 2 * np.arcsin(level) / np.pi) / heard
    # Beside the flat top, the steep flank is level nowhere.
    assert peaks_of(clipped).flatness == pytest.approx(at_top, abs=0.02)


def test_even_peaks_of_a_machine_are_no_clipping() -> None:
    """A tone has peaks of one height by nature; it is speechless, and nothing else."""
    assert peaks_of(tone(440.0, 3.0)).evenness > EVENNESS
    assert flags(tone(440.0, 3.0)) == ("speechless",)


def test_peaks_of_noise_differ() -> None:
    """However loud noise is, its peaks are of all heights."""
    for seed in range(5):
        samples = np.random.default_rng(seed).normal(0, 0.1, 48_000).astype(np.float32)
        assert peaks_of(samples).evenness < EVENNESS
        assert peaks_of(samples).flatness < FLATNESS


def test_what_came_at_full_scale_stays_clipped(tmp_path: Path) -> None:
    """The decoder's finding and this one are the same flag, named once and first."""
    loud = np.clip(8 * talk(seed=1), -1, 1)
    path = write_clip(tmp_path / "clip.wav", loud)
    quality = Quality(SPECS[0])
    for part in iter_extract(path, SPECS[0]):
        assert part.flags == ("clipped",)
        quality.add(part)
    assert quality.flags.count("clipped") == 1
    assert quality.flags[0] == "clipped"


@pytest.mark.slow
def test_a_long_recording_is_clipped_if_it_is_on_the_whole(tmp_path: Path) -> None:
    """Parts count by their length; the last short one does not decide."""
    loud = cut(np.tile(talk(5.0, seed=2), 14), 12.0)
    path = write_clip(tmp_path / "clip.wav", loud, subtype="FLOAT")
    quality = Quality(SPECS[0])
    parts = list(iter_extract(path, SPECS[0], block_windows=8))
    for part in parts:
        quality.add(part)
    assert len(parts) > 2
    assert quality.flags[:2] == ("long", "clipped")
    measured = [part.peaks for part in parts]
    expected = np.average(measured, axis=0, weights=[part.duration_s for part in parts])
    assert quality.peaks == pytest.approx(expected)


@pytest.mark.parametrize(
    "samples",
    [np.empty(0), np.zeros(1_000), np.ones(63), np.zeros(16_000)],
    ids=("none", "silence", "less than a stretch", "a second of silence"),
)
def test_nothing_has_no_peaks(samples: Samples) -> None:
    """There is nothing to divide by."""
    assert peaks_of(samples.astype(np.float32)) == Peaks(0.0, 0.0)


def test_a_click_between_the_stretches_is_no_error() -> None:
    """All that is heard may lie where nobody looks."""
    samples = 1e-3 * noise(4.0)
    samples[64:70] = 1.0
    assert peaks_of(samples).evenness == 0.0


def _scaled(gain: float) -> Callable[[Samples], Samples]:
    return lambda samples: (samples * np.float32(gain)).astype(np.float32)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    arrays.arrays(
        np.float32,
        st.integers(0, 3_000),
        elements=st.one_of(
            st.floats(-1.0, 1.0, width=32), st.sampled_from([0.0, 1.0, -1.0, 1e9, 1e-30])
        ),
    )
)
def test_any_samples_have_shares(samples: Samples) -> None:
    """Both measures lie between 0 and 1, whatever is measured, and turned round as well."""
    found = peaks_of(samples)
    assert 0 <= found.evenness <= 1
    assert 0 <= found.flatness <= 1
    assert peaks_of(-samples) == found


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(-12, 12), st.integers(0, 3))
def test_turning_up_or_down_changes_nothing(power: int, seed: int) -> None:
    """Powers of two are exact in floating point, so the measures are the very same."""
    speech = cut(talk(2.0, seed), 9.0)
    assert peaks_of(_scaled(2.0**power)(speech)) == peaks_of(speech)
