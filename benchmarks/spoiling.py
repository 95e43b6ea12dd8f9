"""Clips spoilt on purpose: what is done to clean speech, and sounds that are no speech.

Everything is made from formulas and from the clips given, by a generator with a seed.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

__all__ = ["RATE", "Spoiling", "level_db", "spoilings"]

Samples: TypeAlias = npt.NDArray[np.float64]
Make: TypeAlias = Callable[[int, np.random.Generator], Samples]
Spoil: TypeAlias = Callable[[Samples, np.random.Generator], "File"]

RATE: Final = 16_000
"""Sample rate (Hz) of the clips that are spoilt."""

_FRAME: Final = 400  # 25 ms
_ACTIVE_DB: Final = 30.0  # frames quieter than this below the loudest are pauses
_SPEAKERS_IN_BABBLE: Final = 8


@dataclass(frozen=True, slots=True)
class File:
    """A sound and how it is stored."""

    samples: Samples
    rate: int = RATE
    format: str = "WAV"
    subtype: str = "PCM_16"

    def content(self) -> bytes:
        """Return the bytes of the file; what is beyond full scale is cut off, as by a recorder."""
        held = io.BytesIO()
        samples = np.clip(self.samples, -1.0, 1.0)
        soundfile.write(held, samples, self.rate, format=self.format, subtype=self.subtype)
        return held.getvalue()


@dataclass(frozen=True, slots=True)
class Spoiling:
    """One way of spoiling clips.

    Parameters
    ----------
    flag : str
        The flag it should raise; empty for none.
    kind, degree : str
        What is done, and how much of it.
    spoil : callable
        Takes a clip, float64 ``[n]`` at `RATE`, and a generator; returns the spoilt file.
    """

    flag: str
    kind: str
    degree: str
    spoil: Spoil


def level_db(samples: Samples) -> float:
    """Return the level of the speech in a clip, pauses left out, in dB of full scale.

    Frames of 25 ms within 30 dB of the loudest count, much as in ITU-T P.56.
    """
    count = max(1, samples.size // _FRAME)
    frames = np.resize(samples, count * _FRAME).reshape(count, _FRAME)
    power = np.mean(frames**2, axis=1) + 1e-12  # [frames]
    return float(10 * np.log10(power[power > power.max() * 10 ** (-_ACTIVE_DB / 10)].mean()))


def spoilings(others: Sequence[Samples]) -> list[Spoiling]:
    """Return every way of spoiling; babble is made of the clips in ``others``."""
    return [
        Spoiling("", "nothing", "", clean),
        Spoiling("", "cut short", "1.5 s", _cut_short(1.5)),
        Spoiling("", "cut short", "1 s", _cut_short(1.0)),
        Spoiling("", "cut short", "0.6 s", _cut_short(0.6)),
        *_clippings(),
        *_bands(),
        *_noises(others),
        *_no_speech(),
    ]


def clean(samples: Samples, rng: np.random.Generator) -> File:
    """Return a clip as it is."""
    return File(samples)


def _cut_short(seconds: float) -> Spoil:
    """Keep the loudest stretch of a clip."""

    def spoil(samples: Samples, rng: np.random.Generator) -> File:
        count = int(seconds * RATE)
        energy = np.concatenate([[0.0], np.cumsum(samples**2)])  # [n + 1]
        start = int(np.argmax(energy[count:] - energy[:-count])) if samples.size > count else 0
        return File(samples[start : start + count])

    return spoil


def _clippings() -> Iterator[Spoiling]:
    for excess in (1.0, 3.0, 6.0, 12.0, 20.0):
        yield Spoiling("clipped", "too loud for the format", f"{excess:g} dB", _too_loud(excess))
    for excess in (3.0, 6.0, 12.0, 20.0):
        yield Spoiling("clipped", "the same, turned down", f"{excess:g} dB", _turned_down(excess))
    for excess in (3.0, 6.0, 12.0, 20.0):
        yield Spoiling("clipped", "the same, resampled", f"{excess:g} dB", _resampled(excess))
    for excess in (3.0, 6.0, 12.0, 20.0):
        yield Spoiling("clipped", "the same, as MP3", f"{excess:g} dB", _as_mp3(excess))


def _cut(samples: Samples, excess_db: float) -> Samples:
    """Cut off what is within so many dB of the peak; the cut is at full scale."""
    peak = np.abs(samples).max()
    return np.clip(samples / peak * 10 ** (excess_db / 20), -1.0, 1.0)


def _too_loud(excess_db: float) -> Spoil:
    return lambda samples, rng: File(_cut(samples, excess_db))


def _turned_down(excess_db: float) -> Spoil:
    return lambda samples, rng: File(0.5 * _cut(samples, excess_db))


def _resampled(excess_db: float) -> Spoil:
    def spoil(samples: Samples, rng: np.random.Generator) -> File:
        return File(0.5 * soxr.resample(_cut(samples, excess_db), RATE, 22_050), 22_050)

    return spoil


def _as_mp3(excess_db: float) -> Spoil:
    def spoil(samples: Samples, rng: np.random.Generator) -> File:
        return File(0.5 * _cut(samples, excess_db), RATE, "MP3", "MPEG_LAYER_III")

    return spoil


def _bands() -> Iterator[Spoiling]:
    flag, telephone = "narrow_band", "telephone 300–3400 Hz"
    yield Spoiling(flag, "recorded at 8 kHz", "file at 8 kHz", _at_8k)
    yield Spoiling(flag, "recorded at 8 kHz", "file at 16 kHz", _low_pass(8_000))
    yield Spoiling(flag, telephone, "µ-law", _telephone("WAV", "ULAW"))
    yield Spoiling(flag, telephone, "GSM 06.10", _telephone("WAV", "GSM610"))
    yield Spoiling(flag, telephone, "GSM 06.10, as MP3 at 16 kHz", _telephone_as_mp3)
    yield Spoiling(flag, "low-pass", "5 kHz", _low_pass(10_000))
    yield Spoiling("", "low-pass", "7 kHz", _low_pass(14_000))


def _at_8k(samples: Samples, rng: np.random.Generator) -> File:
    return File(_to_8k(samples), 8_000)


def _low_pass(rate: int) -> Spoil:
    """Bring a clip to a lower sample rate and back."""

    def spoil(samples: Samples, rng: np.random.Generator) -> File:
        there = soxr.resample(samples, RATE, rate)
        return File(np.asarray(soxr.resample(there, rate, RATE))[: samples.size])

    return spoil


def _to_8k(samples: Samples) -> Samples:
    return np.asarray(soxr.resample(samples, RATE, 8_000))


def _bandpass(samples: Samples, low: float, high: float, rate: int) -> Samples:
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(samples.size, 1 / rate)
    # Skirts of 24 dB an octave, roughly a telephone's.
    gain = 1 / np.sqrt((1 + (low / np.maximum(hertz, 1)) ** 8) * (1 + (hertz / high) ** 32))
    return np.fft.irfft(spectrum * gain, samples.size)


def _telephone(container: str, encoding: str) -> Spoil:
    def spoil(samples: Samples, rng: np.random.Generator) -> File:
        return File(_bandpass(_to_8k(samples), 300, 3_400, 8_000), 8_000, container, encoding)

    return spoil


def _telephone_as_mp3(samples: Samples, rng: np.random.Generator) -> File:
    call = _telephone("WAV", "GSM610")(samples, rng).content()
    heard, _ = soundfile.read(io.BytesIO(call))
    return File(np.asarray(soxr.resample(heard, 8_000, RATE)), RATE, "MP3", "MPEG_LAYER_III")


COLOURS: Final = {"white": 0.0, "pink": 1.0, "brown": 2.0}
"""Noises, by how their power falls with frequency: ``f ** -slope``."""


def coloured(count: int, slope: float, rng: np.random.Generator) -> Samples:
    """Return Gaussian noise whose power falls as ``f ** -slope`` above 20 Hz, deviation 1."""
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    spectrum = np.fft.rfft(rng.normal(size=count)) * np.maximum(hertz, 20.0) ** (-slope / 2)
    samples = np.fft.irfft(spectrum, count)
    return samples / max(float(samples.std()), 1e-12)


def _coloured(colour: str) -> Make:
    return lambda count, rng: coloured(count, COLOURS[colour], rng)


def _noises(others: Sequence[Samples]) -> Iterator[Spoiling]:
    def make(kind: str) -> Make:
        if kind == "babble":
            return lambda count, rng: babble(count, others, rng)
        return hum if kind == "mains hum" else _coloured(kind)

    for kind in (*COLOURS, "babble", "mains hum"):
        for snr in (30.0, 20.0, 15.0, 10.0, 5.0, 0.0):
            flag = "noisy" if snr <= 10.0 else ""
            yield Spoiling(
                flag,
                f"{kind} noise" if kind in COLOURS else kind,
                f"{snr:g} dB",
                _noisy(make(kind), snr),
            )


def _noisy(make: Make, snr_db: float) -> Spoil:
    def spoil(samples: Samples, rng: np.random.Generator) -> File:
        noise = make(samples.size, rng)
        noise *= 10 ** ((level_db(samples) - snr_db) / 20) / np.sqrt(np.mean(noise**2))
        mixed = samples + noise
        return File(mixed / max(1.0, 1.01 * float(np.abs(mixed).max())))

    return spoil


def babble(count: int, others: Sequence[Samples], rng: np.random.Generator) -> Samples:
    """Return eight people talking at once."""
    total = np.zeros(count)
    for _ in range(_SPEAKERS_IN_BABBLE):
        pieces: list[Samples] = []
        while sum(piece.size for piece in pieces) < count + RATE:
            piece = others[rng.integers(len(others))]
            pieces.append(piece * 10 ** (-level_db(piece) / 20))
        start = rng.integers(RATE)
        total += np.concatenate(pieces)[start : start + count]
    return total


def hum(count: int, rng: np.random.Generator) -> Samples:
    """Return mains hum: 50 or 60 Hz and its harmonics, falling by 6 dB an octave or so."""
    time = np.arange(count) / RATE
    base = rng.choice([50.0, 60.0]) * (1 + rng.normal(0, 0.002))
    wave = np.zeros(count)
    for harmonic in range(1, 12):
        gain = rng.uniform(0.3, 1.0) / harmonic
        wave += gain * np.sin(2 * np.pi * harmonic * base * time + rng.uniform(0, 2 * np.pi))
    return wave


def _no_speech() -> Iterator[Spoiling]:
    flag = "speechless"
    yield Spoiling(flag, "silence", "digital", _sound(_nothing, 0.0))
    yield Spoiling(flag, "silence", "noise of 16 bits", _sound(_coloured("white"), 2e-4))
    yield Spoiling(flag, "silence", "a room's, peak −50 dB", _sound(_coloured("pink"), 3e-3))
    for name in COLOURS:
        yield Spoiling(flag, "noise alone", name, _sound(_coloured(name)))
    yield Spoiling(flag, "noise alone", "swelling", _sound(swelling))
    yield Spoiling(flag, "hum alone", "mains", _sound(hum))
    yield Spoiling(flag, "hum alone", "a tone", _sound(a_tone))
    yield Spoiling(flag, "knocks", "1 to 6 a second", _sound(knocks))
    yield Spoiling(flag, "birds", "chirps", _sound(chirps))
    yield Spoiling(flag, "music", "chords", _sound(chords))
    yield Spoiling(flag, "music", "melody", _sound(melody))
    yield Spoiling(flag, "music", "band", _sound(band))


def _sound(make: Make, peak: float = 0.5) -> Spoil:
    """Put another sound in a clip's place, as long as the clip was."""

    def spoil(samples: Samples, rng: np.random.Generator) -> File:
        wave = make(samples.size, rng)
        return File(peak * wave / max(float(np.abs(wave).max()), 1e-12))

    return spoil


def _nothing(count: int, rng: np.random.Generator) -> Samples:
    return np.zeros(count)


def swelling(count: int, rng: np.random.Generator) -> Samples:
    """Return pink noise that swells and fades like wind or traffic."""
    slow = coloured(count, 0.0, rng)
    spectrum = np.fft.rfft(slow)
    spectrum[np.fft.rfftfreq(count, 1 / RATE) > 1.0] = 0
    slow = np.fft.irfft(spectrum, count)
    slow /= max(float(slow.std()), 1e-12)
    return coloured(count, 1.0, rng) * 10 ** (6 * slow / 20)


def a_tone(count: int, rng: np.random.Generator) -> Samples:
    """Return a steady tone with two harmonics, as of a machine or a dial tone."""
    time = np.arange(count) / RATE
    hertz = rng.uniform(100, 1_500)
    return sum(
        (rng.uniform(0.2, 1) / k * np.sin(2 * np.pi * k * hertz * time) for k in (1, 2, 3)),
        np.zeros(count),
    ) + 0.001 * rng.normal(size=count)


def knocks(count: int, rng: np.random.Generator) -> Samples:
    """Return knocks: bursts of noise that die away in some 50 ms, in a quiet room."""
    wave = 0.003 * coloured(count, 1.0, rng)
    place, gap = rng.uniform(0, 0.3), rng.uniform(1 / 6, 1.0)
    while place * RATE < count - 1:
        start = int(place * RATE)
        length = min(int(0.4 * RATE), count - start)
        decay = np.exp(-np.arange(length) / RATE / rng.uniform(0.01, 0.06))
        wave[start : start + length] += rng.uniform(0.3, 1) * decay * coloured(length, 1.0, rng) / 3
        place += gap * rng.uniform(0.6, 1.4)
    return wave


def chirps(count: int, rng: np.random.Generator) -> Samples:
    """Return birds: short whistles that glide between 2 and 6 kHz, over quiet pink noise."""
    wave = 0.01 * coloured(count, 1.0, rng)
    place = rng.uniform(0, 0.2)
    while place * RATE < count - 1:
        start = int(place * RATE)
        seconds = rng.uniform(0.05, 0.25)
        length = min(int(seconds * RATE), count - start)
        glide = np.linspace(rng.uniform(2_000, 6_000), rng.uniform(2_000, 6_000), length)
        wave[start : start + length] += (
            rng.uniform(0.3, 1) * np.hanning(length) * np.sin(2 * np.pi * np.cumsum(glide) / RATE)
        )
        place += seconds + rng.uniform(0.03, 0.4)
    return wave


def note(midi: float, seconds: float, rng: np.random.Generator, plucked: bool) -> Samples:
    """Return a note of a made-up instrument: harmonics that die away or are held."""
    time = np.arange(int(seconds * RATE)) / RATE
    hertz = 440 * 2 ** ((midi - 69) / 12)
    wave = np.zeros(time.size)
    for harmonic in range(1, 13):
        if harmonic * hertz > 7_500:
            break
        fall = np.exp(-time * harmonic * 1.5) if plucked else 1.0
        wave += (
            fall
            * np.sin(2 * np.pi * harmonic * hertz * time + rng.uniform(0, 6.28))
            / harmonic**1.3
        )
    attack = np.minimum(1, time / (0.005 if plucked else 0.05))
    return wave * attack * np.minimum(1, (time[-1] - time) / 0.03)


def _scale(rng: np.random.Generator) -> npt.NDArray[np.int64]:
    steps = [0, 2, 4, 5, 7, 9, 11] if rng.random() < 0.5 else [0, 2, 3, 5, 7, 8, 10]
    return 48 + rng.integers(12) + np.array(steps)


def chords(count: int, rng: np.random.Generator) -> Samples:
    """Return triads of a scale, one every half to one and a half seconds."""
    scale, wave = _scale(rng), np.zeros(count)
    plucked, step = bool(rng.random() < 0.5), rng.uniform(0.5, 1.5)
    for start in range(0, count, int(step * RATE)):
        root = rng.integers(7)
        for third in (0, 2, 4):
            place = root + third
            sound = note(scale[place % 7] + 12 * (place // 7), step * 1.05, rng, plucked)
            sound = sound[: count - start]
            wave[start : start + sound.size] += sound
    return wave + 0.002 * rng.normal(size=count)


def melody(count: int, rng: np.random.Generator) -> Samples:
    """Return single notes of a scale, two to eight a second."""
    scale, wave = _scale(rng) + 12, np.zeros(count)
    plucked, beat = bool(rng.random() < 0.5), rng.uniform(0.12, 0.3)
    place, start = int(rng.integers(7)), 0
    while start < count:
        seconds = beat * rng.choice([1, 1, 2])
        place = int(np.clip(place + rng.integers(-2, 3), 0, 13))
        sound = note(scale[place % 7] + 12 * (place // 7), seconds * 1.1, rng, plucked)[
            : count - start
        ]
        wave[start : start + sound.size] += sound
        start += int(seconds * RATE)
    return wave + 0.002 * rng.normal(size=count)


def band(count: int, rng: np.random.Generator) -> Samples:
    """Return chords, a melody, a bass and drums together."""
    wave = 0.5 * chords(count, rng) + 0.7 * melody(count, rng)
    beat = int(rng.uniform(0.22, 0.35) * RATE)
    scale = _scale(rng) - 12
    for number, start in enumerate(range(0, count, beat)):
        length = min(int(0.2 * RATE), count - start)
        decay = np.exp(-np.arange(length) / RATE / (0.05 if number % 2 else 0.02))
        drum = coloured(length, 0.0 if number % 2 else 2.0, rng) if length > 1 else np.zeros(length)
        wave[start : start + length] += 0.5 * decay * drum
        sound = note(scale[number // 4 % 7], 1.1 * beat / RATE, rng, True)[: count - start]
        wave[start : start + sound.size] += sound
    return wave
