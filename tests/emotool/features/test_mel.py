"""The spectrogram equals librosa's, obeys physics, and does not depend on its neighbours."""

import subprocess
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotool.features.mel import log_mel, log_mel_padded, mel_power, power_to_db
from emotool.features.mel_scale import mel_filterbank
from emotool.features.spec import SpectrogramSpec
from tests.synthesis import Samples, noise, tone, vowel

SPEC = SpectrogramSpec()

# dB of every 21st band and 31st frame of three seconds of vowel(120.0).
GOLDEN = np.array(
    [
        [-49.273, -62.879, -62.879, -62.879, -61.939, -62.879, -62.879],
        [-30.394, -15.231, -17.962, -9.590, -22.377, -10.497, -40.788],
        [-23.639, -11.135, -15.837, -4.411, -16.579, -4.023, -27.507],
        [-43.813, -19.000, -15.482, -18.104, -15.980, -24.255, -33.571],
        [-36.865, -14.634, -13.429, -11.997, -15.363, -15.702, -33.891],
        [-62.879, -47.451, -45.428, -44.225, -45.592, -46.880, -61.246],
        [-62.879, -62.879, -62.879, -61.133, -62.879, -62.879, -62.879],
    ]
)


def _signal(kind: str, length: int, rng: np.random.Generator) -> Samples:
    """Return float32 [length] of one of the kinds that ask different things of a transform."""
    time = np.arange(length) / 16_000
    white = rng.standard_normal(length)
    signals = {
        "noise": 0.1 * white,
        "faint noise": 1e-5 * white,
        "loud noise": 1e4 * white,
        "tone": np.sin(2 * np.pi * rng.uniform(50, 7900) * time),
        "faint noise under a tone": np.sin(2 * np.pi * 440 * time) + 1e-4 * white,
        "faint noise on a constant": 0.5 + 1e-4 * white,
        "chirp": np.sin(2 * np.pi * (100 + 1000 * time) * time),
        "clicks": (rng.random(length) < 0.001).astype(float),
        "low-pass noise": np.convolve(white, np.hanning(65), mode="same"),
        "noise then zeros": white * (np.arange(length) < length // 3),
        "zeros then noise": white * (np.arange(length) > length // 2),
        "square": np.sign(np.sin(2 * np.pi * 200 * time)),
        "zeros": np.zeros(length),
    }
    return signals[kind].astype(np.float32)


_KINDS = [
    "noise",
    "faint noise",
    "loud noise",
    "tone",
    "faint noise under a tone",
    "faint noise on a constant",
    "chirp",
    "clicks",
    "low-pass noise",
    "noise then zeros",
    "zeros then noise",
    "square",
    "zeros",
]


def _random_spec(rng: np.random.Generator) -> SpectrogramSpec:
    """Return a specification with usual parameters, and some that are not."""
    sample_rate = int(rng.choice([8_000, 16_000, 22_050, 44_100]))
    n_fft = int(rng.choice([256, 400, 512, 1_000, 1_024, 2_048, 2_206]))
    f_max = float(rng.uniform(0.5, 1.0) * sample_rate / 2)
    return SpectrogramSpec(
        sample_rate=sample_rate,
        n_fft=n_fft,
        hop_length=int(rng.integers(n_fft // 8, n_fft)),
        n_mels=int(rng.choice([13, 40, 64, 80, 128, 229])),
        f_min=float(rng.choice([0.0, 20.0, 300.0])),
        f_max=f_max,
        top_db=float(rng.choice([40.0, 80.0, 120.0, 200.0])),
    )


def _librosa_db(librosa: Any, samples: Samples, spec: SpectrogramSpec) -> Samples:
    with warnings.catch_warnings():
        # It warns of empty filters and of clips shorter than a frame; both are meant here.
        warnings.simplefilter("ignore", UserWarning)
        power = librosa.feature.melspectrogram(
            y=samples,
            sr=spec.sample_rate,
            n_fft=spec.n_fft,
            hop_length=spec.hop_length,
            n_mels=spec.n_mels,
            fmin=spec.f_min,
            fmax=spec.f_max,
        )
    decibels: Samples = librosa.power_to_db(power, ref=1.0, amin=1e-10, top_db=spec.top_db)
    return decibels


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_it_equals_librosa(kind: str, seed: int) -> None:
    """Within 1e-3 dB down to 60 dB below the maximum, and 1e-2 dB further down, everywhere."""
    librosa = pytest.importorskip("librosa", reason="the oracle is librosa, of the train extra")
    rng = np.random.default_rng([seed, _KINDS.index(kind)])
    spec = _random_spec(rng) if seed else SPEC
    length = int(rng.integers(1, 60_000)) if seed else spec.window_samples
    samples = _signal(kind, length, rng)
    ours = log_mel(samples[None], spec)[0]
    theirs = _librosa_db(librosa, samples, spec)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype == np.float32
    error = np.abs(ours - theirs)
    near = theirs >= theirs.max() - 60
    assert error[near].max() <= 1e-3
    assert error.max() <= 1e-2


def test_it_equals_librosa_on_real_speech(corpus: Any) -> None:
    """On recorded clips the two agree as they do on formulas."""
    librosa = pytest.importorskip("librosa", reason="the oracle is librosa, of the train extra")
    import soundfile

    for path in sorted(corpus.rglob("*.flac"))[::400] + sorted(corpus.rglob("*.wav"))[:2]:
        samples, _ = soundfile.read(path, dtype="float32")
        ours, theirs = log_mel(samples[None], SPEC)[0], _librosa_db(librosa, samples, SPEC)
        error = np.abs(ours - theirs)
        assert error[theirs >= theirs.max() - 60].max() <= 1e-3, path
        assert error.max() <= 1e-2, path


@pytest.mark.parametrize("frequency", [150.0, 440.0, 1000.0, 3000.0, 6500.0])
def test_a_tone_lands_in_its_band(frequency: float) -> None:
    """The loudest band is one whose filter passes the tone's frequency best."""
    decibels = log_mel(tone(frequency, 1.0)[None], SPEC)[0]
    loudest = int(decibels[:, 10:-10].mean(axis=1).argmax())
    nearest_bin = round(frequency * SPEC.n_fft / SPEC.sample_rate)
    assert mel_filterbank(SPEC)[loudest, nearest_bin] > 0


@pytest.mark.parametrize("gain_db", [-30.0, -6.0, 12.0])
def test_a_gain_moves_every_value_by_as_many_decibels(gain_db: float) -> None:
    """Energy scales with the square of the amplitude."""
    samples = vowel(140.0, 1.0)
    louder = (samples * 10 ** (gain_db / 20)).astype(np.float32)
    difference = log_mel(louder[None], SPEC) - log_mel(samples[None], SPEC)
    np.testing.assert_allclose(difference, gain_db, atol=2e-3)


def test_silence_is_the_floor_everywhere() -> None:
    """Zeros give -100 dB, and no warning about the logarithm of nothing."""
    decibels = log_mel(np.zeros((2, 48_000), np.float32), SPEC)
    np.testing.assert_allclose(decibels, -100.0, atol=1e-4)


def test_a_click_stays_where_it_is() -> None:
    """Only the frames whose window covers a click hold power."""
    samples = np.zeros((1, 48_000), np.float32)
    samples[0, 24_000] = 1.0
    sounding = np.flatnonzero(mel_power(samples, SPEC)[0].sum(axis=0))
    reach = SPEC.n_fft // 2
    assert sounding[0] == -((reach - 24_000) // SPEC.hop_length)
    assert sounding[-1] == (24_000 + reach) // SPEC.hop_length


def test_a_delay_of_one_hop_moves_the_picture_by_one_frame() -> None:
    """Time runs along the last axis, `hop_length` samples a frame."""
    samples = noise(1.0)
    later = np.concatenate([np.zeros(SPEC.hop_length, np.float32), samples])
    ours = mel_power(samples[None], SPEC)[0, :, 4:-4]
    moved = mel_power(later[None], SPEC)[0, :, 5:-4]
    np.testing.assert_allclose(moved, ours, rtol=1e-5)


@pytest.mark.parametrize("count", [1, 16_000, 48_000 - 4_096, 48_000 - 7 * 4_096, 47_999])
def test_padding_a_window_with_zeros_adds_frames_without_power(count: int) -> None:
    """The frames that are skipped because they hold no sound are the ones that are zero."""
    padded = np.zeros((1, SPEC.window_samples), np.float32)
    padded[0, :count] = noise(3.0)[:count]
    power = mel_power(padded, SPEC)[0]
    # The last frame that reaches a sample begins half a frame before its centre, at most.
    last = min((count - 2 + SPEC.n_fft // 2) // SPEC.hop_length, SPEC.frames - 1)
    assert (power[:, last + 2 :] == 0).all()
    assert (power[:, : last + 1].sum(axis=0) > 0).all()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(1, 7), st.integers(0, 6), st.integers(1, 50_000), st.integers(0, 2**32 - 1))
def test_a_clip_is_the_same_alone_and_in_any_batch(
    batch: int, place: int, length: int, seed: int
) -> None:
    """Bit for bit, whatever the neighbours are: labels must not depend on a clip's company."""
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.uniform(-6, 3, (batch, 1))
    samples = (scale * rng.standard_normal((batch, length))).astype(np.float32)
    samples[rng.integers(batch), rng.integers(length) :] = 0.0
    place %= batch
    together = log_mel(samples, SPEC)[place]
    alone = log_mel(samples[place : place + 1].copy(), SPEC)[0]
    assert together.tobytes() == alone.tobytes()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 48_000), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_windows_need_not_be_padded(lengths: list[int], seed: int) -> None:
    """A window given by its sound alone is, bit for bit, the one that is padded with zeros."""
    rng = np.random.default_rng(seed)
    sounds = [rng.standard_normal(length).astype(np.float32) for length in lengths]
    padded = np.zeros((len(sounds), SPEC.window_samples), np.float32)
    for window, sound in zip(padded, sounds, strict=True):
        window[: sound.size] = sound
    assert log_mel_padded(sounds, SPEC).tobytes() == log_mel(padded, SPEC).tobytes()


def test_threads_and_earlier_clips_leave_no_trace() -> None:
    """Working memory is kept between calls, yet no call sees what another left in it."""
    clips = [noise(seconds, seed=index) for index, seconds in enumerate([3.0, 0.5, 3.0, 70.0, 3.0])]
    alone = [log_mel(clip[None], SPEC).tobytes() for clip in clips]
    for order in (clips, clips[::-1]):
        for clip in order:
            log_mel(clip[None], SPEC)
        with ThreadPoolExecutor(4) as pool:
            together = pool.map(lambda clip: log_mel(clip[None], SPEC).tobytes(), clips * 4)
            assert list(together) == alone * 4


def test_decibels_are_limited_per_item() -> None:
    """The floor follows the item's own maximum; None sets no floor; nothing is below -100 dB."""
    power = np.array([[[1.0, 1e-4, 0.0]], [[1e-6, 1e-9, 1e-20]]], np.float32)  # [2, 1, 3]
    np.testing.assert_allclose(
        power_to_db(power, 20.0), [[[0, -20, -20]], [[-60, -80, -80]]], atol=1e-4
    )
    np.testing.assert_allclose(
        power_to_db(power, None), [[[0, -40, -100]], [[-60, -90, -100]]], atol=1e-4
    )
    assert power_to_db(power, None).dtype == np.float32
    assert power.max() == 1.0, "the argument is left as it was"


def test_the_figures_do_not_drift() -> None:
    """Values for a known sound, written down once: a model in the world depends on them."""
    decibels = log_mel(vowel(120.0, 3.0)[None], SPEC)[0]
    picked = decibels[::21, ::31]
    np.testing.assert_allclose(picked, GOLDEN, atol=2e-3)


def test_importing_it_imports_nothing_heavy(python: str, python_path: dict[str, str]) -> None:
    """Features need numpy and libsndfile; soxr only comes with a clip of another rate."""
    code = (
        "import sys, emotool.features.extraction; "
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    ran = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True, env=python_path
    )
    loaded = set(ran.stdout.split())
    assert {"numpy", "soundfile"} <= loaded
    assert not loaded & {"scipy", "soxr", "librosa", "onnxruntime", "tensorflow", "rich", "typer"}
