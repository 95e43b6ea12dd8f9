"""A clip becomes the windows that a model labels, the same for training and classification."""

from pathlib import Path

import numpy as np
import pytest

from emotool.audio.stream import open_audio
from emotool.errors import AudioError
from emotool.features.clip_features import ClipFeatures
from emotool.features.extraction import LONG_SECONDS, SILENCE_DBFS, extract, iter_extract
from emotool.features.mel import log_mel
from emotool.features.spec import SpectrogramSpec
from emotool.features.windowing import cut_windows, trim
from tests.synthesis import Samples, noise, tone, vowel, write_clip

SPEC = SpectrogramSpec()
SMALL = SpectrogramSpec(window_seconds=0.5, n_fft=256, hop_length=128, n_mels=16, tail_seconds=0.1)


def _write(folder: Path, samples: Samples, rate: int = 16_000) -> Path:
    return write_clip(folder / "clip.wav", samples, rate, subtype="FLOAT")


@pytest.mark.parametrize(
    ("seconds", "windows"), [(0.2, 1), (2.9, 1), (3.0, 1), (3.49, 1), (3.5, 2), (6.4, 2), (9.5, 4)]
)
def test_a_clip_gives_as_many_windows_as_it_fills(
    tmp_path: Path, seconds: float, windows: int
) -> None:
    """A tail of half a second counts; less only where it is all there is."""
    features = extract(_write(tmp_path, noise(seconds)), SPEC)
    assert features.status == "ok"
    assert features.windows.shape == (windows, SPEC.n_mels, SPEC.frames)
    assert features.windows.dtype == np.float32
    assert features.starts_s == tuple(3.0 * index for index in range(windows))
    assert features.duration_s == pytest.approx(seconds)
    assert features.flags == ()


def test_a_clip_is_trimmed_and_its_windows_say_where_they_begin(tmp_path: Path) -> None:
    """Quiet ends are left out of the picture, not out of the duration or the positions."""
    quiet = np.zeros(20_000, np.float32)
    samples = np.concatenate([quiet, vowel(120.0, 3.6), quiet])
    features = extract(_write(tmp_path, samples), SPEC)
    start, stop = trim(samples, SPEC)
    assert 18_000 < start < 21_000
    assert features.duration_s == pytest.approx(6.1)
    assert features.starts_s == (start / 16_000, start / 16_000 + 3.0)
    expected = log_mel(cut_windows(samples[start:stop], SPEC), SPEC)
    assert features.windows.tobytes() == expected.tobytes()


@pytest.mark.parametrize("peak_db", [-200.0, SILENCE_DBFS - 0.1])
@pytest.mark.parametrize("offset", [0.0, 0.3, -1.0])
def test_silence_is_no_speech(tmp_path: Path, peak_db: float, offset: float) -> None:
    """A clip that never rises above the limit is silent, whatever constant it rides on."""
    samples = tone(440.0, amplitude=10 ** (peak_db / 20)) + np.float32(offset)
    features = extract(_write(tmp_path, samples), SPEC)
    assert features.status == "silent"
    assert features.windows.shape == (0, SPEC.n_mels, SPEC.frames)
    assert features.duration_s == 1.0


def test_a_whisper_is_not_silence(tmp_path: Path) -> None:
    """Just above the limit, a clip is heard."""
    samples = tone(440.0, amplitude=10 ** ((SILENCE_DBFS + 0.1) / 20))
    assert extract(_write(tmp_path, samples), SPEC).status == "ok"


@pytest.mark.parametrize(
    ("count", "status"), [(0, "too_short"), (1_599, "too_short"), (1_600, "ok")]
)
def test_a_tenth_of_a_second_is_needed(tmp_path: Path, count: int, status: str) -> None:
    """Shorter clips are not labelled; their duration is still told."""
    features = extract(_write(tmp_path, noise(1.0)[:count]), SPEC)
    assert features.status == status
    assert features.duration_s == count / 16_000


def test_no_minimum_still_needs_a_sample(tmp_path: Path) -> None:
    """An empty clip is too short even for a specification without a minimum."""
    spec = SpectrogramSpec(min_seconds=0.0)
    assert extract(_write(tmp_path, noise(1.0)[:0]), spec).status == "too_short"
    assert extract(_write(tmp_path, noise(1.0)[:1]), spec).status in ("ok", "silent")


def test_clipping_is_flagged(tmp_path: Path) -> None:
    """Sound cut off at full scale is labelled, and the flag says that it may mislead."""
    samples = np.clip(3 * vowel(120.0, 1.0), -1, 1)
    features = extract(_write(tmp_path, samples), SPEC)
    assert (features.status, features.flags) == ("ok", ("clipped",))


def test_what_cannot_be_read_is_an_error_of_that_clip(tmp_path: Path) -> None:
    """Errors come through as AudioError, for a row of their own."""
    path = tmp_path / "clip.wav"
    path.write_text("no audio")
    with pytest.raises(AudioError, match="text file"):
        extract(path, SPEC)


def _long(seconds: float = LONG_SECONDS + 2.3) -> Samples:
    """Return noise longer than the limit, quiet at both ends."""
    samples = noise(seconds)
    samples[:8_000] *= np.float32(3e-3)
    samples[-4_000:] *= np.float32(3e-3)
    return samples


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("block_windows", [1, 7, 32, 1_000])
def test_a_long_clip_comes_in_parts_that_are_the_whole(
    tmp_path: Path, rate: int, block_windows: int
) -> None:
    """Parts together hold the windows of the untrimmed clip, bit for bit, at exact places."""
    samples = noise(LONG_SECONDS + 2.3, rate)
    path = _write(tmp_path, samples, rate)
    parts = list(iter_extract(path, SMALL, block_windows))
    assert all(len(part.windows) <= block_windows for part in parts)
    assert all(part.flags == ("long",) for part in parts)
    assert sum(part.duration_s for part in parts) == pytest.approx(62.3, abs=1e-3)
    starts = [start for part in parts for start in part.starts_s]
    assert starts == [0.5 * index for index in range(125)]
    if rate == 16_000:
        together = np.concatenate([part.windows for part in parts])
        assert together.tobytes() == log_mel(cut_windows(samples, SMALL), SMALL).tobytes()


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("seconds", [1, LONG_SECONDS + 1])
@pytest.mark.parametrize("tail", [12_345, 12_346, 12_347])
def test_windows_lie_where_they_say_to_the_files_own_sample(
    tmp_path: Path, rate: int, seconds: float, tail: int
) -> None:
    """Clicks where windows are said to begin are their first samples; the last ends the file."""
    samples = noise(seconds + tail / rate, rate) * np.float32(0.1)
    places = list(range(0, samples.size, rate // 2))
    samples[places] = 0.9
    path = _write(tmp_path, samples, rate)
    parts = list(iter_extract(path, SMALL))
    starts = [round(start, 6) * rate for part in parts for start in part.starts_s]
    ends = [round(end, 6) * rate for part in parts for end in part.ends_s]
    assert starts == places
    assert ends == pytest.approx([*places[1:], samples.size], abs=0.03)
    with open_audio(path, SMALL.sample_rate) as stream:
        heard = stream.read(samples.size)
    assert np.flatnonzero(heard > 0.2).tolist() == [place * 16_000 // rate for place in places]


@pytest.mark.parametrize(("tail", "windows"), [(0.05, 124), (0.15, 125)])
@pytest.mark.parametrize("block_windows", [1, 31, 32])
def test_the_tail_of_a_long_clip_counts_like_that_of_a_short_one(
    tmp_path: Path, tail: float, windows: int, block_windows: int
) -> None:
    """A tail that begins a new part is not made a window for being alone there."""
    path = _write(tmp_path, noise(62.0 + tail))
    parts = list(iter_extract(path, SMALL, block_windows))
    assert sum(len(part.windows) for part in parts) == windows
    assert sum(part.duration_s for part in parts) == pytest.approx(62.0 + tail)


@pytest.mark.slow
@pytest.mark.parametrize("hop_seconds", [0.02, 0.09, 0.1, 0.3])
@pytest.mark.parametrize("block_windows", [1, 8, 31])
@pytest.mark.parametrize("seconds", [60.01, 61.0, 62.345])
def test_overlapping_windows_of_a_long_clip_are_those_of_the_whole(
    tmp_path: Path, seconds: float, block_windows: int, hop_seconds: float
) -> None:
    """None is lost where parts meet, also where windows are nearer than a tail is long."""
    samples = noise(seconds)
    parts = list(iter_extract(_write(tmp_path, samples), SMALL, block_windows, hop_seconds))
    hop = round(hop_seconds * 16_000)
    expected = [i * hop / 16_000 for i in range(len(cut_windows(samples, SMALL, hop)))]
    assert [start for part in parts for start in part.starts_s] == expected
    assert all(len(part.windows) <= block_windows for part in parts)
    assert sum(part.duration_s for part in parts) == pytest.approx(seconds, abs=1e-4)


def test_a_minute_is_not_long(tmp_path: Path) -> None:
    """Exactly a minute is trimmed and comes in one part; one sample more is streamed."""
    minute = _long(LONG_SECONDS)
    [part] = iter_extract(_write(tmp_path, minute), SMALL)
    assert part.flags == ()
    assert part.starts_s[0] > 0.4
    parts = list(iter_extract(_write(tmp_path, np.append(minute, np.float32(0.1))), SMALL))
    assert parts[0].flags == ("long",)
    assert parts[0].starts_s[0] == 0.0


@pytest.mark.parametrize("block_windows", [1, 16, 32])
def test_silent_stretches_of_a_long_clip_have_no_windows(
    tmp_path: Path, block_windows: int
) -> None:
    """An hour with speech in one minute is labelled by that minute, however it is cut up."""
    samples = np.zeros(16_000 * 70, np.float32)
    samples[16_000 * 30 : 16_000 * 33] = noise(3.0)
    path = _write(tmp_path, samples)
    parts = list(iter_extract(path, SMALL, block_windows))
    assert {part.status for part in parts} == {"ok", "silent"}
    assert [start for part in parts for start in part.starts_s] == [
        30.0 + 0.5 * index for index in range(6)
    ]
    assert all((part.status == "ok") == (len(part.windows) > 0) for part in parts)
    whole = extract(path, SMALL)
    assert (whole.status, whole.flags) == ("ok", ("long",))
    assert (whole.duration_s, len(whole.windows)) == (pytest.approx(70.0), 6)
    assert extract(_write(tmp_path, 0 * samples), SMALL).status == "silent"


def test_a_pause_as_long_as_a_window_has_no_say(tmp_path: Path) -> None:
    """In clips of any length, a window without sound is left out of the mean."""
    samples = np.concatenate([noise(1.0), np.zeros(16_000, np.float32), noise(1.0)])
    features = extract(_write(tmp_path, samples), SMALL)
    assert features.starts_s == (0.0, 0.5, 2.0, 2.5)


def test_damage_late_in_a_long_clip_is_an_error(tmp_path: Path) -> None:
    """Parts before the damage are given, then the error: half an answer is none."""
    samples = noise(70.0)
    samples[16_000 * 69] = np.nan
    given_parts: list[ClipFeatures] = []
    with pytest.raises(AudioError, match="NaN"):
        given_parts.extend(iter_extract(_write(tmp_path, samples), SMALL, 4))
    with pytest.raises(AudioError, match="NaN"):
        extract(_write(tmp_path, samples), SMALL)


def test_a_whole_clip_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`extract` holds all windows in memory, so it refuses what `iter_extract` is for."""
    monkeypatch.setattr("emotool.features.extraction._MAX_EXTRACT_SECONDS", 61.0)
    path = _write(tmp_path, noise(62.0))
    with pytest.raises(AudioError, match="too long"):
        extract(path, SMALL)
    assert sum(part.duration_s for part in iter_extract(path, SMALL)) == pytest.approx(62.0)


def test_the_format_changes_little(tmp_path: Path) -> None:
    """The same voice as WAV at 16 kHz and as FLAC at 48 kHz in stereo looks alike."""
    plain = extract(_write(tmp_path, vowel(120.0, 2.0)), SPEC)
    stereo = np.repeat(vowel(120.0, 2.0, 48_000)[:, None], 2, axis=1)
    other = extract(write_clip(tmp_path / "clip.flac", stereo, 48_000), SPEC)
    audible = plain.windows[0, :100] > plain.windows.max() - 30
    difference = np.abs(plain.windows[0, :100] - other.windows[0, :100])[audible]
    assert np.median(difference) < 1.0


@pytest.mark.parametrize("hop_seconds", [0.5, 0.25, 0.1, 9.0])
@pytest.mark.parametrize("block_windows", [1, 3, 32])
@pytest.mark.parametrize("seconds", [60.1, 61.3])
def test_parts_of_a_long_clip_are_those_of_the_whole(
    tmp_path: Path, hop_seconds: float, block_windows: int, seconds: float
) -> None:
    """However it is cut into parts, windows, their places and the duration are the same."""
    path = _write(tmp_path, noise(seconds))
    with open_audio(path, SMALL.sample_rate) as stream:
        samples = stream.read(10_000_000)
    parts = list(iter_extract(path, SMALL, block_windows, hop_seconds))
    hop = min(round(hop_seconds * SMALL.sample_rate), SMALL.window_samples)
    windows = cut_windows(samples, SMALL, hop)
    starts = [start for part in parts for start in part.starts_s]
    ends = [end for part in parts for end in part.ends_s]
    assert starts == [index * hop / SMALL.sample_rate for index in range(len(windows))]
    length = samples.size / SMALL.sample_rate
    window = SMALL.window_seconds
    assert ends == pytest.approx([min(start + window, length) for start in starts])
    assert sum(part.duration_s for part in parts) == pytest.approx(length)
    assert sum(len(part.windows) for part in parts) == len(windows)
    assert max(len(part.windows) for part in parts) <= block_windows
