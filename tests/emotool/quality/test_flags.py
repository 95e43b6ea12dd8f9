"""Clips that are not the speech that models have learnt from are flagged."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from emotool.features.extraction import features_of, iter_extract
from emotool.features.peaks import Peaks
from emotool.features.spec import SpectrogramSpec
from emotool.quality.flags import Quality, flags_of
from emotool.quality.measures import Measures, measure
from tests.synthesis import Samples, noise, tone, write_clip

RATE = 16_000
PEAKS = Peaks(0.7, 0.0)
SPECS = (SpectrogramSpec(n_mels=64), SpectrogramSpec(n_mels=128))
both = pytest.mark.parametrize("spec", SPECS, ids=("64 bands", "128 bands"))


@lru_cache
def talk(seconds: float = 3.0, seed: int = 0) -> Samples:
    """Return something like someone speaking: gliding voiced syllables, hisses, and pauses."""
    rng = np.random.default_rng(seed)
    wave = 1e-4 * rng.normal(size=round(seconds * RATE))
    start = 0
    while start < wave.size:
        count = min(int(rng.uniform(0.12, 0.25) * RATE), wave.size - start)
        shape = np.hanning(count + 2)[1:-1]
        if rng.random() < 0.25:
            hiss = np.diff(rng.normal(size=count + 1))
            wave[start : start + count] += 0.05 * shape * hiss
        else:
            pitch = np.linspace(rng.uniform(90, 250), rng.uniform(90, 250), count)
            phase = 2 * np.pi * np.cumsum(pitch) / RATE
            formants = rng.uniform(300, 800), rng.uniform(900, 2_300), rng.uniform(2_400, 3_500)
            for harmonic in range(1, int(RATE / 2 / 260)):
                gain = sum(1 / (1 + ((harmonic * pitch - f) / 100) ** 2) for f in formants)
                wave[start : start + count] += 0.2 * shape * gain * np.sin(harmonic * phase)
        start += count + int(rng.choice([0.0, 0.02, 0.15]) * RATE)
    return (0.5 * wave / np.abs(wave).max()).astype(np.float32)


def flags(samples: Samples, spec: SpectrogramSpec = SPECS[0]) -> tuple[str, ...]:
    """Return what a clip is flagged with."""
    quality = Quality(spec)
    quality.add(features_of(samples, spec))
    return quality.flags


def with_noise(speech: Samples, noise_: Samples, snr_db: float) -> Samples:
    """Add noise so many dB below speech, both by their mean power."""
    gain = np.sqrt(np.mean(speech**2) / np.mean(noise_**2)) * 10 ** (-snr_db / 20)
    return (speech + gain * noise_).astype(np.float32)


def band_limited(samples: Samples, hertz: float) -> Samples:
    """Remove everything above a frequency."""
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(samples.size, 1 / RATE) > hertz] = 0
    return np.fft.irfft(spectrum, samples.size).astype(np.float32)


@both
@pytest.mark.parametrize("seed", range(8))
def test_clean_talk_has_no_flag(spec: SpectrogramSpec, seed: int) -> None:
    """Syllables with hisses and pauses between them, over a quiet room."""
    assert flags(talk(seed=seed), spec) == ()


@both
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hertz", [3_400.0, 4_000.0])
def test_a_telephone_is_narrow(spec: SpectrogramSpec, seed: int, hertz: float) -> None:
    """Nothing above 4 kHz is left of the talk."""
    assert flags(band_limited(talk(seed=seed), hertz), spec) == ("narrow_band",)


@pytest.mark.parametrize("seed", range(4))
def test_seven_kilohertz_are_enough(seed: int) -> None:
    """Compressed recordings often end there, and sharp sounds are still in them."""
    assert flags(band_limited(talk(seed=seed), 7_000.0)) == ()


@both
@pytest.mark.parametrize("seed", range(4))
def test_talk_in_noise_is_noisy(spec: SpectrogramSpec, seed: int) -> None:
    """Noise 5 dB below the talk, but not noise 40 dB below it."""
    speech = talk(seed=seed)
    hiss = noise(3.0, seed=seed)
    assert flags(with_noise(speech, hiss, 5.0), spec) == ("noisy",)
    assert flags(with_noise(speech, hiss, 40.0), spec) == ()


@pytest.mark.slow
@both
@pytest.mark.parametrize("snr_db", [37.0, 30.0, 5.0])
@pytest.mark.parametrize("pause", [6.0, 12.0, 24.0])
def test_noise_is_judged_where_there_is_speech(
    spec: SpectrogramSpec, snr_db: float, pause: float
) -> None:
    """Long pauses in a quiet room make no noise of it; noisy talk stays noisy."""
    gaps = [np.zeros(round(pause * RATE), np.float32)] * 3
    talks = [talk(6.0, seed=seed) for seed in range(3)]
    samples = np.concatenate([each for pair in zip(gaps, talks, strict=True) for each in pair])
    hiss = noise(samples.size / RATE, seed=1)
    loud = np.sqrt(np.mean(talks[0] ** 2) / np.mean(hiss**2)) * 10 ** (-snr_db / 20)
    found = flags((samples + loud * hiss).astype(np.float32), spec)
    assert found == (("noisy",) if snr_db < 10 else ())


@both
def test_noise_lowers_the_ranges_as_physics_has_it(spec: SpectrogramSpec) -> None:
    """With white noise 10 dB higher, what lies between talk and pauses is some 10 dB less."""
    speech, hiss = talk(seed=1), noise(3.0, seed=1)
    found = []
    for snr in (30.0, 20.0, 10.0):
        quality = Quality(spec)
        quality.add(features_of(with_noise(speech, hiss, snr), spec))
        assert quality.measures is not None
        found.append(quality.measures.range_db)
    assert found[0] - found[1] == pytest.approx(10.0, abs=2.5)
    assert found[1] - found[2] == pytest.approx(9.0, abs=2.5)


@both
@pytest.mark.parametrize("amplitude", [0.001, 0.1, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_noise_alone_is_speechless(spec: SpectrogramSpec, amplitude: float, seed: int) -> None:
    """However loud it is."""
    assert flags(amplitude * noise(3.0, seed=seed), spec) == ("speechless",)


@both
@pytest.mark.parametrize("frequency", [50.0, 120.0, 440.0, 1_000.0, 3_000.0])
def test_tones_are_speechless(spec: SpectrogramSpec, frequency: float) -> None:
    """Hum and dial tones do not move."""
    assert flags(tone(frequency, 3.0), spec) == ("speechless",)


def test_chords_are_speechless() -> None:
    """Three held notes, others after every second."""
    chords = [(220.0, 277.2, 329.6), (246.9, 293.7, 370.0), (196.0, 246.9, 293.7)]
    music = np.concatenate(
        [
            sum(
                (tone(k * f, amplitude=0.1 / k) for f in chord for k in (1, 2, 3, 4)),
                tone(1.0, amplitude=0.0),
            )
            for chord in chords
        ]
    )
    assert flags((music + 0.01 * noise(3.0)).astype(np.float32)) == ("speechless",)


def test_a_slow_clear_voice_is_no_music() -> None:
    """Lines that stay for long are a voice's if it pauses, and music's if it does not."""
    slow = Measures(12.0, 30.0, 36.0, -20.0, 7.0, 0.25)
    assert flags_of(slow._replace(range_db=16.0), PEAKS, 64, 3.0) == ()
    assert flags_of(slow._replace(range_db=9.0), PEAKS, 64, 3.0) == ("speechless",)
    assert flags_of(slow._replace(movement=0.15), PEAKS, 64, 3.0) == ("speechless",)


def test_of_speechless_sound_nothing_else_is_said() -> None:
    """Noise alone is noisy and hum is narrow, which nobody needs to be told."""
    assert flags_of(Measures(1.0, 4.0, 5.0, -70.0, 2.0, 0.1), Peaks(1.0, 1.0), 64, 3.0) == (
        "speechless",
    )


@pytest.mark.slow
@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.floats(-50.0, 0.0), st.integers(0, 3))
def test_loudness_does_not_matter(gain_db: float, seed: int) -> None:
    """The same clip, turned down, has the same measures."""
    speech = talk(2.0, seed)
    softer = (speech * np.float32(10 ** (gain_db / 20))).astype(np.float32)
    pair = []
    for samples in (speech, softer):
        quality = Quality(SPECS[0])
        quality.add(features_of(samples, SPECS[0]))
        assert quality.measures is not None
        pair.append(quality.measures)
    assert flags(softer) == flags(speech)
    # Not to the last digit: below -100 dB the spectrogram has a floor of its own.
    assert pair[1].treble_db == pytest.approx(pair[0].treble_db, abs=0.5)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    arrays.arrays(
        np.float32,
        st.integers(1, 9_000),
        elements=st.one_of(
            st.floats(-1.0, 1.0, width=32), st.sampled_from([0.0, 1.0, -1.0, 1e9, 1e-30])
        ),
    )
)
def test_any_samples_give_known_flags(samples: Samples) -> None:
    """Constants, single clicks, damage at the limit: flags come from the list, at most once."""
    found = flags(samples)
    assert set(found) <= {"speechless", "clipped", "narrow_band", "noisy"}
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("constant", [0.0, 0.25, -1.0])
def test_a_constant_changes_nothing(constant: float) -> None:
    """A recorder's offset (DC) is no sound."""
    speech = talk(seed=2) * np.float32(0.5)
    assert flags(speech + np.float32(constant)) == ()


def test_silence_has_no_flags() -> None:
    """Its status says so, and there is nothing to measure."""
    assert flags(np.zeros(RATE, np.float32)) == ()


def test_a_word_is_not_judged_by_its_pauses() -> None:
    """What is too short for pauses cannot be told from noise, nor a vowel from a telephone."""
    measures = Measures(9.0, 32.0, 38.0, -60.0, 6.9, 0.9)
    assert flags_of(measures, PEAKS, 64, 0.9) == ()
    assert flags_of(measures, PEAKS, 64, 1.4) == ("narrow_band",)
    assert flags_of(measures._replace(texture_db=0.0), PEAKS, 64, 0.4) == ()


def test_the_padding_of_a_window_is_not_heard() -> None:
    """A clip of a second and a half is measured as far as it goes."""
    spec, speech = SPECS[0], talk(1.5, seed=3)
    quality = Quality(spec)
    part = features_of(speech, spec)
    quality.add(part)
    assert quality.seconds == pytest.approx(part.ends_s[0] - part.starts_s[0], abs=0.016)
    frames = round(quality.seconds * RATE) // spec.hop_length
    assert quality.measures == pytest.approx(measure(part.windows[0][:, :frames]))


@pytest.mark.slow
def test_a_long_clip_is_judged_by_all_its_parts(tmp_path: Path) -> None:
    """The mean over its windows, however they came; no window is kept."""
    spec = SPECS[0]
    samples = np.concatenate([talk(50.0, seed=4), 0.1 * noise(15.0)])
    path = write_clip(tmp_path / "clip.wav", samples, subtype="FLOAT")
    quality, every, weights = Quality(spec), [], []
    for part in iter_extract(path, spec, block_windows=4):
        quality.add(part)
        for window, start, end in zip(part.windows, part.starts_s, part.ends_s, strict=True):
            frames = min(spec.frames, round((end - start) * RATE) // spec.hop_length)
            every.append(measure(window[:, :frames]))
            weights.append(frames)
    assert len(every) > 20
    assert quality.measures == pytest.approx(np.average(every, axis=0, weights=weights))
    assert "speechless" not in quality.flags


def test_other_spectrograms_are_judged_by_their_windows_in_the_default_one(tmp_path: Path) -> None:
    """A model with other bands and frames, such as Whisper's, gets the same flags."""
    other = SpectrogramSpec(n_fft=400, hop_length=160, n_mels=80)
    path = write_clip(tmp_path / "clip.wav", noise(7.0), subtype="FLOAT")
    found = []
    for spec in (SPECS[0], other):
        quality = Quality(spec)
        for part in iter_extract(path, spec, measured=quality.extra):
            quality.add(part)
        found.append((quality.flags, quality.measures))
    assert found[0] == found[1]
    assert found[0][0] == ("speechless",)


@pytest.mark.parametrize(
    "spec",
    [SpectrogramSpec(sample_rate=22_050), SpectrogramSpec(n_mels=40, window_seconds=0.5)],
    ids=["22 kHz", "short windows"],
)
def test_other_rates_and_short_windows_are_not_judged(spec: SpectrogramSpec) -> None:
    """The limits hold for what they were chosen on; elsewhere there are no flags at all."""
    assert Quality(spec).extra is None
    assert flags(noise(3.0), spec) == ()
