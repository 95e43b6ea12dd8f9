"""How a clip's channels become one: what is kept to the bit, chosen, removed and flagged."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotool.audio.channels import Survey, choose_channel
from emotool.audio.stream import open_audio
from emotool.features.extraction import iter_extract
from emotool.features.spec import SpectrogramSpec
from tests.synthesis import Samples, noise, tone, vowel, write_clip

SPEECH = Path(__file__).parents[3] / "samples" / "plain" / "long.mp3"
RATE = 24_000


@pytest.fixture(scope="module")
def speech() -> Samples:
    """Six seconds of someone speaking, peak 0.25, without an offset."""
    samples, rate = soundfile.read(SPEECH, dtype="float32")
    assert rate == RATE
    samples -= samples.mean()
    return np.asarray(samples / np.abs(samples).max() / 4, np.float32)


def _read(
    path: Path, *each: Samples, rate: int = RATE, subtype: str = "FLOAT"
) -> tuple[Samples, tuple[str, ...]]:
    """Write channels as a file; return what is read of it, and its flags."""
    write_clip(path, np.stack(each, axis=1), rate, subtype=subtype)
    with open_audio(path, rate) as stream:
        return stream.read(10**8), stream.flags


def _still(speech: Samples) -> Samples:
    return np.zeros_like(speech)


def _hiss(speech: Samples, level: float, seed: int = 0) -> Samples:
    return noise(speech.size / RATE, RATE, seed)[: speech.size] * np.float32(level / 0.1)


@pytest.mark.parametrize("other", [-1.0, -0.9, -0.5, -0.1])
def test_channels_that_cancel_leave_the_louder_one(
    tmp_path: Path, speech: Samples, other: float
) -> None:
    """Opposite phase, whole or in part, does not make a clip silent or quiet."""
    read, flags = _read(tmp_path / "clip.wav", speech, speech * np.float32(other))
    assert flags == ("cancelling",)
    assert read.tobytes() == speech.tobytes()


@pytest.mark.parametrize("count", [3, 4, 6, 8, 16, 32])
def test_one_live_channel_among_many_is_used(tmp_path: Path, speech: Samples, count: int) -> None:
    """A recorder of many channels with one microphone: neither silent nor 30 dB quieter."""
    live = speech / 50
    each = [_hiss(speech, 1e-4, seed) for seed in range(count)]
    each[count // 2] = live
    read, flags = _read(tmp_path / "clip.wav", *each)
    assert flags == ("one_channel",)
    assert read.tobytes() == live.tobytes()


def test_speech_in_the_centre_of_six_channels_is_used(tmp_path: Path, speech: Samples) -> None:
    """Film sound has music in the others, and a rumble in the fifth."""
    music = [vowel(pitch, speech.size / RATE, RATE, 0.02)[: speech.size] for pitch in (220, 330)]
    rumble = tone(40.0, speech.size / RATE, RATE, 0.2)[: speech.size]
    rear = [_hiss(speech, 0.002, seed) for seed in (1, 2)]
    read, flags = _read(tmp_path / "clip.wav", *music, speech, rumble, *rear)
    assert flags == ("one_channel",)
    assert read.tobytes() == speech.tobytes()


_LOUDER = {
    "offset": lambda speech: _still(speech) + np.float32(0.4),
    "late offset": lambda speech: np.where(np.arange(speech.size) < 70_000, 0, 0.4),
    "hum": lambda speech: tone(50.0, speech.size / RATE, RATE, 0.4)[: speech.size],
    "noise": lambda speech: _hiss(speech, 0.1),
    "click": lambda speech: np.where(np.arange(speech.size) // 50 == 1_000, 0.9, 0),
}


@pytest.mark.parametrize("louder", _LOUDER)
@pytest.mark.parametrize("silent", [0, 2])
def test_a_louder_channel_that_is_no_speech_is_not_taken_for_it(
    tmp_path: Path, speech: Samples, louder: str, silent: int
) -> None:
    """Speech is the sound whose level varies: an offset, hum, noise and clicks are louder."""
    quiet = speech / 4
    other = np.asarray(_LOUDER[louder](speech), np.float32)
    read, _ = _read(tmp_path / "clip.wav", other, *[_still(speech)] * silent, quiet)
    heard = np.corrcoef(read - read.mean(), quiet)[0, 1]
    assert heard > (0.999 if silent or louder in ("hum", "noise") else 0.05)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: (x, x),
        lambda x: (x, x * np.float32(0.3)),
        lambda x: (x, np.roll(x, 30)),
        lambda x: (x, np.zeros_like(x)),
        lambda x: (x, np.roll(x, 9_000), np.roll(x, 30_000)),
    ],
    ids=["same", "quieter", "delayed", "one of two", "three speakers"],
)
def test_other_clips_keep_the_mean_of_their_channels_to_the_bit(
    tmp_path: Path, speech: Samples, make: Callable[[Samples], tuple[Samples, ...]]
) -> None:
    """Nothing changes unless the mean is more than 6 dB below the loudest channel."""
    each = make(speech)
    read, flags = _read(tmp_path / "clip.wav", *each)
    mean = each[0].copy()
    for other in each[1:]:
        mean += other
    mean *= np.float32(1 / len(each))
    assert (read.tobytes(), flags) == (mean.tobytes(), ())


@pytest.mark.parametrize("offset", [0.1, -0.1, 0.05, 0.006])
@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_16"])
def test_an_offset_is_removed(tmp_path: Path, speech: Samples, offset: float, subtype: str) -> None:
    """What is left is the speech without it, and a flag says so."""
    read, flags = _read(tmp_path / "clip.wav", speech + np.float32(offset), subtype=subtype)
    assert flags == ("dc_offset",)
    np.testing.assert_allclose(read, speech, atol=5e-5)


@pytest.mark.parametrize("offset", [0.0, 0.004, -0.004])
def test_a_small_offset_stays_to_the_bit(tmp_path: Path, speech: Samples, offset: float) -> None:
    """Up to 0.005 of full scale, a mean is nothing unusual."""
    samples = speech + np.float32(offset)
    read, flags = _read(tmp_path / "clip.wav", samples)
    assert (read.tobytes(), flags) == (samples.tobytes(), ())


@pytest.mark.parametrize("begin", [0.2, 0.5, 0.9])
def test_an_offset_that_begins_late_is_removed_where_it_is(
    tmp_path: Path, speech: Samples, begin: float
) -> None:
    """What comes before does not get one; only around its begin is a short rest."""
    place = int(begin * speech.size)
    samples = speech.copy()
    samples[place:] += np.float32(0.1)
    read, flags = _read(tmp_path / "clip.wav", samples)
    assert flags == ("dc_offset",)
    rest = (read - speech)[: speech.size // 2_400 * 2_400].reshape(-1, 2_400).mean(axis=1)
    assert np.count_nonzero(np.abs(rest) > 0.005) <= 7, "tenths of a second"


def test_each_channel_has_its_own_offset(tmp_path: Path, speech: Samples) -> None:
    """Offsets are removed of what is used: of a mean whose offsets cancel, nothing."""
    read, flags = _read(tmp_path / "a.wav", speech + np.float32(0.1), speech - np.float32(0.04))
    assert flags == ("dc_offset",)
    np.testing.assert_allclose(read, speech, atol=1e-5)
    read, flags = _read(tmp_path / "b.wav", speech + np.float32(0.1), speech - np.float32(0.1))
    assert flags == ()
    np.testing.assert_allclose(read, speech, atol=1e-6)
    read, flags = _read(tmp_path / "c.wav", speech + np.float32(0.1), -speech / 2)
    assert flags == ("cancelling", "dc_offset")
    np.testing.assert_allclose(read, speech, atol=1e-5)


@pytest.mark.parametrize("scale", [3.0, 3_000.0, 1e7])
def test_float_samples_above_one_are_neither_clipped_nor_an_offset(
    tmp_path: Path, speech: Samples, scale: float
) -> None:
    """Only integers end at full scale; a mean is small or large beside the highest sample."""
    loud = (speech + np.float32(0.0003)) * np.float32(4 * scale)
    read, flags = _read(tmp_path / "clip.wav", loud)
    assert (read.tobytes(), flags) == (loud.tobytes(), ())
    (part,) = iter_extract(tmp_path / "clip.wav", SpectrogramSpec())
    assert (part.status, part.flags) == ("ok", ())


def test_clipping_counts_in_the_channels_that_are_used(tmp_path: Path, speech: Samples) -> None:
    """A clipped channel spoils a mean that it is part of, and no other channel."""
    clipped = np.clip(speech * 10, -1, 1)
    assert _read(tmp_path / "a.wav", clipped, subtype="PCM_16")[1] == ("clipped",)
    assert _read(tmp_path / "b.wav", clipped)[1] == ("clipped",), "floats at full scale"
    assert _read(tmp_path / "c.wav", speech, clipped, subtype="PCM_16")[1] == ("clipped",)
    square = np.sign(tone(50.0, speech.size / RATE, RATE)[: speech.size])
    read, flags = _read(tmp_path / "d.wav", square, _still(speech), speech, subtype="PCM_16")
    assert flags == ("one_channel",)
    np.testing.assert_allclose(read, speech, atol=1e-4)


def test_silence_stays_silent(tmp_path: Path) -> None:
    """An offset makes no sound of it, nor do many silent channels."""
    nothing = np.zeros(32_000, np.float32)
    assert _read(tmp_path / "a.wav", nothing, nothing, rate=16_000)[1] == ()
    _read(tmp_path / "b.wav", nothing + np.float32(0.1), rate=16_000)
    (part,) = iter_extract(tmp_path / "b.wav", SpectrogramSpec())
    assert (part.status, part.flags) == ("silent", ())


@pytest.mark.slow
def test_long_clips_get_one_decision_in_flat_memory(tmp_path: Path) -> None:
    """Opposite phase from the fifth minute on is found before the first is given."""
    rate, minutes = 8_000, 10
    path = tmp_path / "long.flac"
    sound = vowel(130.0, 60.0, rate, 0.2)
    with soundfile.SoundFile(path, "w", rate, 2) as file:
        for minute in range(minutes):
            left = sound + np.float32(0.1)
            file.write(np.stack([left, -sound if minute > 3 else 0 * sound], axis=1))
    tracemalloc.start()
    with open_audio(path, rate) as stream:
        for _ in range(minutes):
            piece = stream.read(60 * rate)
            np.testing.assert_allclose(piece, sound, atol=1e-3)
        assert stream.flags == ("cancelling", "dc_offset")
        assert (stream.read(1).size, stream.seconds) == (0, 60.0 * minutes)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * 2**20
    flags = {part.flags for part in iter_extract(path, SpectrogramSpec())}
    assert flags == {("cancelling", "dc_offset", "long")}


def test_long_and_short_clips_are_decided_alike(
    tmp_path: Path, speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clip that is decoded twice gives what it gives when it is held in memory."""
    late = np.where(np.arange(speech.size) < 70_000, 0, 0.1).astype(np.float32)
    once, flags = _read(tmp_path / "clip.wav", speech + late, -speech)
    monkeypatch.setattr("emotool.audio.stream._HELD_SECONDS", 0.0)
    twice, again = _read(tmp_path / "clip.wav", speech + late, -speech)
    assert (twice.tobytes(), again) == (once.tobytes(), flags)
    assert flags == ("cancelling", "dc_offset")


def test_six_decibels_are_the_limit() -> None:
    """The mean is kept at half the loudest channel's amplitude, not below."""
    for mixed, channel in ((0.26, None), (0.25, None), (0.24, 0)):
        measured = np.array([1.0, 0.9, mixed])
        assert choose_channel(measured, measured)[0] == channel


def test_channels_of_several_speakers_are_kept() -> None:
    """A mean that is low because many share it has all of them; one channel has not."""
    speakers = np.array([1.0, 0.9, 0.9, 0.8, 0.0, 0.225 * 16 / 25])
    assert choose_channel(speakers, speakers) == (None, ())


def test_a_survey_of_nothing_decides_nothing() -> None:
    """A file without samples has neither offset nor channels to choose from."""
    survey = Survey(2, 16_000)
    survey.add(np.zeros((0, 2), np.float32))
    assert survey.decide().flags == ()


@pytest.mark.parametrize("frames", [1, 100, 1_000])
def test_snippets_are_read(tmp_path: Path, frames: int) -> None:
    """Less than a frame of sound has no level to choose by."""
    samples = noise(1.0)[:frames]
    read, flags = _read(tmp_path / "clip.wav", samples, samples, rate=16_000)
    assert (read.tobytes(), flags) == (samples.tobytes(), ())
