"""Clips spoilt on purpose: what is done to clean speech, or put in its place.

Everything is made from formulas and from the clips given, by a generator with a seed.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import soundfile
import soxr

from benchmarks.other_sounds import (
    COLOURS,
    RATE,
    Samples,
    a_tone,
    band,
    chirps,
    chords,
    coloured,
    hum,
    knocks,
    melody,
    swelling,
)

__all__ = ["File", "Spoiling", "level_db", "spoilings"]

Make: TypeAlias = Callable[[int, np.random.Generator], Samples]
Spoil: TypeAlias = Callable[[Samples, np.random.Generator], "File"]

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
    peak = float(np.abs(samples).max())
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
            piece = others[int(rng.integers(len(others)))]
            pieces.append(piece * 10 ** (-level_db(piece) / 20))
        start = rng.integers(RATE)
        total += np.concatenate(pieces)[start : start + count]
    return total


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
