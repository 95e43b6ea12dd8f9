"""Any audio: every format, rate, width and number of channels, whole, damaged or absurd."""

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotool.audio.stream import open_audio
from emotool.errors import AudioError
from tests.synthesis import Samples, noise, tone, vowel, write_clip

_FORMATS = [
    ("wav", {"subtype": "PCM_U8"}, 0.01),
    ("wav", {"subtype": "PCM_16"}, 1e-4),
    ("wav", {"subtype": "PCM_24"}, 1e-6),
    ("wav", {"subtype": "PCM_32"}, 1e-6),
    ("wav", {"subtype": "FLOAT"}, 0.0),
    ("wav", {"subtype": "DOUBLE"}, 0.0),
    ("wav", {"subtype": "ULAW"}, 0.02),
    ("wav", {"subtype": "ALAW"}, 0.02),
    ("wav", {"subtype": "IMA_ADPCM"}, 0.05),
    ("wav", {"subtype": "MS_ADPCM"}, 0.1),
    ("wav", {"subtype": "GSM610"}, 0.3),
    ("wav", {"format": "WAVEX", "subtype": "PCM_24"}, 1e-6),
    ("rf64", {"format": "RF64", "subtype": "PCM_16"}, 1e-4),
    ("w64", {"subtype": "PCM_16"}, 1e-4),
    ("flac", {"subtype": "PCM_16"}, 1e-4),
    ("flac", {"subtype": "PCM_24"}, 1e-6),
    ("aiff", {"subtype": "PCM_16"}, 1e-4),
    ("aifc", {"format": "AIFF", "subtype": "FLOAT"}, 0.0),
    ("caf", {"subtype": "ALAC_16"}, 1e-4),
    ("caf", {"subtype": "PCM_16"}, 1e-4),
    ("au", {"subtype": "ULAW"}, 0.02),
    ("voc", {"subtype": "PCM_16"}, 1e-4),
    ("sph", {"format": "NIST", "subtype": "PCM_16"}, 1e-4),
    ("sf", {"format": "IRCAM", "subtype": "PCM_16"}, 1e-4),
    ("ogg", {"subtype": "VORBIS"}, 0.1),
    ("opus", {"format": "OGG", "subtype": "OPUS"}, 0.1),
    ("mp3", {}, 0.1),
]


def _read(path: Path, sample_rate: int = 16_000, count: int = 10**7) -> Samples:
    with open_audio(path, sample_rate) as stream:
        return stream.read(count)


def _refused(path: Path) -> AudioError:
    with pytest.raises(AudioError) as caught:
        _read(path)
    return caught.value


@pytest.mark.parametrize(("suffix", "options", "tolerance"), _FORMATS, ids=str)
def test_every_format_gives_the_sound_that_was_written(
    tmp_path: Path, suffix: str, options: dict[str, str], tolerance: float
) -> None:
    """Within what the encoding loses, at the same place: a codec's delay is removed."""
    samples = vowel(130.0, 1.5)
    samples = samples * np.float32(0.5)
    read = _read(write_clip(tmp_path / f"clip.{suffix}", samples, **options))
    assert read.dtype == np.float32
    assert 0 <= read.size - samples.size < 600, "block codecs may round the length up"
    assert np.abs(read[: samples.size] - samples).max() <= tolerance


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000, 384_000])
def test_any_rate_is_brought_to_the_models(tmp_path: Path, rate: int) -> None:
    """A tone keeps its frequency, amplitude and place, whatever rate it was recorded at."""
    path = write_clip(tmp_path / "clip.wav", tone(440.0, 1.0, rate), rate, subtype="FLOAT")
    read = _read(path)
    assert abs(read.size - 16_000) <= 1
    middle = slice(1_000, 15_000)
    np.testing.assert_allclose(read[middle], tone(440.0, 1.0)[: read.size][middle], atol=1e-3)


@pytest.mark.parametrize("channels", [2, 3, 6, 32])
def test_channels_are_averaged(tmp_path: Path, channels: int) -> None:
    """The mean of the channels is what is heard."""
    each = np.stack([noise(0.2, seed=seed) for seed in range(channels)], axis=1)
    path = write_clip(tmp_path / "clip.wav", each, subtype="FLOAT")
    with open_audio(path, 16_000) as stream:
        assert (stream.channels, stream.source_rate) == (channels, 16_000)
        np.testing.assert_allclose(stream.read(10_000), each.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_pieces_are_the_same_samples_as_the_whole(tmp_path: Path, rate: int, suffix: str) -> None:
    """Streamed decoding and resampling give the same bits wherever the cuts fall."""
    stereo = np.stack([noise(3.0, rate, 1), vowel(110.0, 3.0, rate)], axis=1)
    path = write_clip(tmp_path / f"clip.{suffix}", stereo, rate)
    whole = _read(path)
    for sizes in ([1, 16_000, 7], [4_801], [100_000]):
        pieces, step = [], 0
        with open_audio(path, 16_000) as stream:
            while (piece := stream.read(sizes[step % len(sizes)])).size:
                pieces.append(piece)
                step += 1
            assert stream.read(5).size == 0, "the end stays the end"
        assert np.concatenate(pieces).tobytes() == whole.tobytes()


def test_blocks_do_not_change_resampling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding a file in small blocks gives the samples of decoding it in one."""
    path = write_clip(tmp_path / "clip.wav", noise(2.0, 44_100), 44_100)
    whole = _read(path)
    monkeypatch.setattr("emotool.audio.stream._BLOCK_VALUES", 1_000)
    assert _read(path).tobytes() == whole.tobytes()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channels", [1, 2])
def test_values_that_are_no_numbers_are_refused(tmp_path: Path, bad: float, channels: int) -> None:
    """One NaN or infinity among a million samples fails the clip."""
    samples = np.zeros((5_000, channels), np.float32)
    samples[4_321, channels - 1] = bad
    error = _refused(write_clip(tmp_path / "clip.wav", samples, subtype="FLOAT"))
    assert (error.stage, "NaN" in error.reason) == ("decode", True)


def test_absurd_values_are_refused(tmp_path: Path) -> None:
    """Values a billion times full scale are damage; ten times full scale is a loud recording."""
    loud = write_clip(tmp_path / "loud.wav", tone(440.0) * 20, subtype="FLOAT")
    assert np.abs(_read(loud)).max() == pytest.approx(10.0, rel=1e-3)
    absurd = write_clip(tmp_path / "absurd.wav", tone(440.0) * np.float32(1e30), subtype="FLOAT")
    assert "full scale" in _refused(absurd).reason


@pytest.mark.parametrize("rate", [1, 1_999, 768_001, 2**31 - 1])
def test_absurd_rates_are_refused(tmp_path: Path, rate: int) -> None:
    """A sample rate nobody records at is a damaged header."""
    path = write_clip(tmp_path / "clip.wav", tone(440.0))
    content = bytearray(path.read_bytes())
    content[24:28] = struct.pack("<I", rate)
    path.write_bytes(content)
    assert "sample rate" in _refused(path).reason


@pytest.mark.parametrize("claimed", [0x7FFFFFFF, 0xFFFFFFFF, 5_000_000])
def test_a_wav_that_claims_too_much_is_read_to_its_end(tmp_path: Path, claimed: int) -> None:
    """Programs that write to a pipe cannot know the length; what is there is read."""
    path = write_clip(tmp_path / "clip.wav", tone(440.0))
    content = bytearray(path.read_bytes())
    content[40:44] = struct.pack("<I", claimed)
    path.write_bytes(content)
    assert _read(path).size == 16_000


def test_an_mp3_that_claims_to_be_empty_is_damaged(tmp_path: Path) -> None:
    """No samples in a large file is damage; a file of a header and nothing else is not."""
    path = write_clip(tmp_path / "clip.mp3", tone(440.0))
    content = path.read_bytes()
    place = content.index(content[:2], 4)  # the frame behind the one that counts the others
    path.write_bytes(content[:place] + bytes(5_000))
    assert "no whole frame can be found" in _refused(path).reason
    assert _read(write_clip(tmp_path / "none.wav", np.zeros(0, np.float32))).size == 0


def _with_total(path: Path, total: int) -> Path:
    """Rewrite a FLAC header's count of samples: the low 36 bits of bytes 18 to 25."""
    content = bytearray(path.read_bytes())
    rest = int.from_bytes(content[18:26], "big") >> 36 << 36
    content[18:26] = (rest | total).to_bytes(8, "big")
    path.write_bytes(content)
    return path


def test_a_flac_of_unknown_length_is_read_to_its_end(tmp_path: Path) -> None:
    """Zero stands for unknown in FLAC: it was written to a pipe."""
    path = _with_total(write_clip(tmp_path / "clip.flac", tone(440.0, 5.0)), 0)
    assert _read(path).size == 80_000


@pytest.mark.parametrize("claimed", [100_000, 2**36 - 1])
def test_a_flac_that_ends_early_is_damaged(tmp_path: Path, claimed: int) -> None:
    """A decoder that stops before the promised end has met damage, and says how far it came."""
    path = _with_total(write_clip(tmp_path / "clip.flac", tone(440.0, 5.0)), claimed)
    error = _refused(path)
    assert (error.stage, "80000 of" in error.reason) == ("decode", True)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff", "caf", "au", "w64"])
def test_a_file_cut_at_any_byte_gives_sound_or_a_reason(tmp_path: Path, suffix: str) -> None:
    """No crash, no hang, no stray exception, and never more sound than was there."""
    path = write_clip(tmp_path / f"clip.{suffix}", vowel(120.0, 0.3))
    content = path.read_bytes()
    whole = _read(path).size
    cut = tmp_path / f"cut.{suffix}"
    stops = {*range(0, min(300, len(content)), 7), *range(300, len(content), len(content) // 40)}
    for stop in sorted(stops):
        cut.write_bytes(content[:stop])
        try:
            assert _read(cut).size <= whole + 1_200  # MP3 pads its last frame
        except AudioError as error:
            assert error.stage in ("open", "decode")


def test_damaged_files_of_every_format_give_sound_or_a_reason(tmp_path: Path) -> None:
    """A seeded sample of mutations: flipped, zeroed, inserted and missing bytes."""
    rng = np.random.default_rng(0)
    damaged = tmp_path / "damaged"
    for index, (suffix, options, _) in enumerate(_FORMATS):
        path = write_clip(tmp_path / f"{index}.{suffix}", vowel(120.0, 0.2), **options)
        content = path.read_bytes()
        for _ in range(15):
            damaged.write_bytes(_mutated(content, rng))
            try:
                samples = _read(damaged)
            except AudioError as error:
                assert error.stage in ("open", "decode", "resample")
                assert error.reason
            else:
                assert np.isfinite(samples).all()


def _mutated(content: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(content)
    start = int(rng.integers(len(data)))
    kind = rng.integers(5)
    if kind == 0:
        data[start : start + 100] = bytes(len(data[start : start + 100]))
    elif kind == 1:
        data[start:start] = rng.bytes(int(rng.integers(1, 200)))
    elif kind == 2:
        del data[start : start + int(rng.integers(1, 200))]
    else:  # the header, or anywhere
        reach = min(len(data), 80) if kind == 3 else len(data)
        for place in rng.integers(reach, size=8):
            data[place] = rng.integers(256)
    return bytes(data)


def test_clipping_is_noticed_and_a_single_peak_is_not(tmp_path: Path) -> None:
    """Three samples in a row at full scale, in any channel, were cut off; one was not."""
    peak = tone(440.0)
    peak[5_000] = 1.0
    clipped = np.clip(tone(440.0, amplitude=1.5), -1, 1)
    stereo = np.stack([peak, clipped], axis=1)
    cases = [
        (peak, False),
        (clipped, True),
        (-clipped, True),
        (stereo, True),
        (peak[:2] + 1, False),
    ]
    for index, (samples, expected) in enumerate(cases):
        path = write_clip(tmp_path / f"{index}.wav", samples)
        with open_audio(path, 16_000) as stream:
            stream.read(50_000)
            assert stream.clipped is expected, index


@pytest.mark.slow
def test_memory_stays_flat_however_long_a_clip_decodes(tmp_path: Path) -> None:
    """An hour of silence in a small FLAC is read in pieces of a few megabytes."""
    path = tmp_path / "bomb.flac"
    with soundfile.SoundFile(path, "w", 16_000, 1) as file:
        for _ in range(60):
            file.write(np.zeros(960_000, np.float32))
    assert path.stat().st_size < 1_000_000
    tracemalloc.start()
    total = 0
    with open_audio(path, 8_000) as stream:
        while (piece := stream.read(80_000)).size:
            total += piece.size
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 3_600 * 8_000
    assert peak < 24 * 2**20


def test_a_file_that_shrinks_while_it_is_read_is_damaged(tmp_path: Path) -> None:
    """The rest of a clip that vanishes half-way is not made up."""
    path = write_clip(tmp_path / "clip.wav", noise(200.0))
    with open_audio(path, 16_000) as stream:
        assert stream.read(16_000).size == 16_000
        with path.open("r+b") as file:
            file.truncate(100_000)
        with pytest.raises(AudioError, match="cut off"):
            stream.read(10**7)


def test_many_channels_are_read_in_smaller_blocks(tmp_path: Path) -> None:
    """Eight channels of unknown length, which no header bounds, need no more memory than one."""
    path = write_clip(tmp_path / "wide.flac", np.zeros((400_000, 8), np.float32))
    _with_total(path, 0)
    tracemalloc.start()
    assert _read(path).size == 400_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 2**20


def test_resampler_that_fails_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong in it is told as the clip's failure, with its stage."""

    class Broken:
        def resample_chunk(self, block: Samples, last: bool) -> Samples:
            raise RuntimeError("no memory for a filter")

    path = write_clip(tmp_path / "clip.wav", tone(440.0, 1.0, 8_000), 8_000)
    with open_audio(path, 16_000) as stream:
        monkeypatch.setattr(stream, "_resampler", Broken())
        with pytest.raises(AudioError, match="filter") as caught:
            stream.read(10)
    assert caught.value.stage == "resample"
