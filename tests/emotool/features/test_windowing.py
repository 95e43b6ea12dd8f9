"""Trimming cuts where librosa cuts, to the sample."""

from pathlib import Path

import numpy as np
import pytest

from emotool.features.spec import SpectrogramSpec
from emotool.features.windowing import _below_loudest, _exact_power, trim
from tests.synthesis import Samples, noise, vowel

SPEC = SpectrogramSpec()


def _librosa_limits(samples: Samples, spec: SpectrogramSpec) -> tuple[int, int]:
    librosa = pytest.importorskip("librosa", reason="the oracle is librosa, of the train extra")
    _, limits = librosa.effects.trim(
        samples, top_db=spec.trim_db, frame_length=spec.n_fft, hop_length=spec.hop_length
    )
    return int(limits[0]), int(limits[1])


def _random_clip(rng: np.random.Generator) -> Samples:
    """Return noise whose loudness wanders over 120 dB, in steps or smoothly."""
    length = int(rng.integers(2_048, 50_000))
    points = rng.integers(2, 12)
    levels = rng.uniform(-120, 0, points)
    position = np.linspace(0, points - 1, length)
    decibels = np.interp(position, np.arange(points), levels)
    if rng.random() < 0.5:
        decibels = levels[position.round().astype(int)]
    carrier = rng.standard_normal(length) if rng.random() < 0.7 else np.ones(length)
    return (10 ** (decibels / 20) * carrier).astype(np.float32)


@pytest.mark.parametrize("seed", range(60))
def test_it_equals_librosa(seed: int) -> None:
    """The same samples remain, for hops that divide a frame and hops that do not."""
    rng = np.random.default_rng(seed)
    samples = _random_clip(rng)
    spec = SpectrogramSpec(
        n_fft=int(rng.choice([512, 1_024, 2_048])),
        hop_length=int(rng.choice([128, 160, 256, 512])),
        trim_db=float(rng.uniform(5, 80)),
    )
    start, stop = trim(samples, spec)
    theirs = _librosa_limits(samples, spec)
    assert (start, stop) == theirs or theirs[0] == theirs[1]


@pytest.mark.parametrize("step_db", [20.0, 30.0, 40.0, 60.0])
@pytest.mark.parametrize("offset", [-1e-4, -1e-6, 0.0, 1e-6, 1e-4])
def test_it_equals_librosa_where_rounding_decides(step_db: float, offset: float) -> None:
    """A step of exactly the limit falls to the side that librosa's arithmetic gives it."""
    spec = SpectrogramSpec(trim_db=step_db + offset)
    samples = np.full(20_000, 0.25, np.float32)
    samples[:8_000] *= np.float32(10 ** (-step_db / 20))
    samples[15_000:] *= np.float32(10 ** (-step_db / 20))
    assert trim(samples, spec) == _librosa_limits(samples, spec)


@pytest.mark.parametrize("place", range(3, 60, 4))
def test_it_equals_librosa_where_the_limit_is_a_frames_own_level(place: int) -> None:
    """A frame exactly at the limit goes: no quicker sum may round it over the edge."""
    fading = (noise(1.0) * np.exp(-np.arange(16_000) / 4_000)).astype(np.float32)
    levels = _below_loudest(_exact_power(np.pad(fading, SPEC.n_fft // 2), SPEC))
    level = float(levels[place])
    spec = SpectrogramSpec(trim_db=max(1.0, -level))
    assert trim(fading, spec) == _librosa_limits(fading, spec)
    spec = SpectrogramSpec(trim_db=max(1.0, -float(np.nextafter(np.float32(level), -np.inf))))
    assert trim(fading, spec) == _librosa_limits(fading, spec)


@pytest.mark.parametrize("loudest_dbfs", [-45.0, -55.0, -60.0, -66.0, -80.0])
def test_it_equals_librosa_where_frames_are_fainter_than_it_measures(loudest_dbfs: float) -> None:
    """Below -100 dB librosa takes all frames for equally quiet, so that faint ends may stay."""
    samples = 10 ** (loudest_dbfs / 20) * noise(1.0, seed=3)
    samples[:5_000] *= np.float32(0.004)
    samples[12_000:] *= np.float32(0.002)
    assert trim(samples.astype(np.float32), SPEC) == _librosa_limits(
        samples.astype(np.float32), SPEC
    )


def test_it_equals_librosa_on_real_speech(corpus: Path) -> None:
    """Recorded clips are cut at the same samples."""
    import soundfile

    for path in sorted(corpus.rglob("*.flac"))[::160]:
        samples, _ = soundfile.read(path, dtype="float32")
        assert trim(samples, SPEC) == _librosa_limits(samples, SPEC), path


def test_quiet_ends_are_cut_and_the_middle_is_not() -> None:
    """Noise 60 dB below the voice goes at both ends; a pause inside stays."""
    quiet = noise(1.0) * np.float32(1e-3)
    voice = vowel(130.0, 1.0)
    samples = np.concatenate([quiet, voice, quiet, voice, quiet])
    start, stop = trim(samples, SPEC)
    assert 15_000 < start < 17_000
    assert 63_000 < stop < 65_500


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(5_000), np.ones(5_000), np.ones(1)])
def test_something_always_remains(samples: Samples) -> None:
    """Uniform clips, silent or loud, are not cut; an empty one stays empty."""
    assert trim(samples.astype(np.float32), SPEC) == (0, samples.size)


def test_a_click_at_the_very_end_is_not_lost() -> None:
    """Where librosa would leave nothing, the clip is left as it is."""
    spec = SpectrogramSpec(n_fft=512, hop_length=500, trim_db=20.0)
    samples = np.zeros(5_000, np.float32)
    samples[-1] = 1.0
    start, stop = trim(samples, spec)
    assert samples[start:stop].any()


def test_trimming_can_be_off() -> None:
    """A specification without ``trim_db`` cuts nothing."""
    samples = np.concatenate([np.zeros(9_000, np.float32), noise(0.5)])
    assert trim(samples, SpectrogramSpec(trim_db=None)) == (0, samples.size)
