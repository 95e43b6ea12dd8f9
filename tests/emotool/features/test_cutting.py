"""Windows lie every hop and hold every sample, but for a tail too short to count."""

import dataclasses
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emotool.features.spec import SpectrogramSpec
from emotool.features.windowing import cut_sounds, cut_windows

SPEC = SpectrogramSpec()
SMALL = SpectrogramSpec(window_seconds=0.5, n_fft=256, hop_length=128, n_mels=16, tail_seconds=0.1)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 200_000))
def test_windows_hold_every_sample_but_a_short_tail(length: int) -> None:
    """In order, padded with zeros at the end; only a tail below the limit is dropped."""
    samples = np.arange(1, length + 1, dtype=np.float32)
    windows = cut_windows(samples, SPEC)
    size, tail = SPEC.window_samples, SPEC.tail_seconds * SPEC.sample_rate
    assert windows.shape[1] == size
    flat = windows.reshape(-1)
    kept = min(length, flat.size)
    assert (flat[:kept] == samples[:kept]).all()
    assert not flat[kept:].any()
    assert length - kept < tail
    assert flat.size - kept <= size - (tail if length > size else min(length, 1))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    count=st.integers(1, 9_000),
    hop=st.integers(1, 4_000),
    tail=st.sampled_from([0.0, 0.1, 0.3]),
)
def test_overlapping_windows_cover_the_sound(count: int, hop: int, tail: float) -> None:
    """They begin every hop, and go on as long as there is enough sound that is new."""
    spec = dataclasses.replace(SMALL, tail_seconds=tail)
    hop = min(hop, spec.window_samples)
    samples = np.arange(1, count + 1, dtype=np.float32)
    windows = cut_windows(samples, spec, hop)
    least = max(1, math.ceil(tail * spec.sample_rate))
    wanted = [0]
    while count - (wanted[-1] + spec.window_samples) >= least:
        wanted.append(wanted[-1] + hop)
    assert windows[:, 0].tolist() == [float(start + 1) for start in wanted]
    for start, window in zip(wanted, windows, strict=True):
        sound = samples[start : start + spec.window_samples]
        assert np.array_equal(window[: sound.size], sound)
        assert not window[sound.size :].any()


def test_of_sound_that_goes_on_as_many_windows_come_as_are_asked_for() -> None:
    """Also one whose own sound would be too little for a last one; views, not copies."""
    samples = np.arange(SMALL.window_samples + 100, dtype=np.float32)
    assert len(cut_sounds(samples, SMALL, 50)) == 1
    sounds = cut_sounds(samples, SMALL, 50, count=3)
    assert [sound[0] for sound in sounds] == [0.0, 50.0, 100.0]
    assert all(np.shares_memory(sound, samples) for sound in sounds)
