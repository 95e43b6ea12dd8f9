"""Whole clips and blocks of clips are the same samples."""

from pathlib import Path

import numpy as np
import pytest

from emotool.audio.reader import read_audio, stream_audio
from emotool.errors import AudioError
from tests.synthesis import noise, tone, write_clip


def test_a_clip_comes_with_what_is_known_of_it(tmp_path: Path) -> None:
    """Samples at the rate asked for; rate, channels and clipping of the file itself."""
    stereo = np.stack([np.ones(44_100, np.float32), noise(1.0, 44_100)], axis=1)
    audio = read_audio(write_clip(tmp_path / "clip.wav", stereo, 44_100), 16_000)
    assert (audio.sample_rate, audio.source_rate, audio.channels) == (16_000, 44_100, 2)
    assert (audio.samples.dtype, audio.samples.ndim) == (np.float32, 1)
    assert audio.duration_s == pytest.approx(1.0, abs=1e-3)
    assert audio.clipped


def test_one_sample_is_a_clip(tmp_path: Path) -> None:
    """Nothing needs a second sample."""
    for rate in (16_000, 8_000, 48_000):
        audio = read_audio(write_clip(tmp_path / f"{rate}.wav", tone(99.0)[:1], rate), 16_000)
        assert audio.samples.size in (0, 1, 2)


@pytest.mark.parametrize("rate", [16_000, 22_050])
def test_blocks_are_even_and_together_the_whole(tmp_path: Path, rate: int) -> None:
    """All blocks but the last have the length asked for; none is empty."""
    path = write_clip(tmp_path / "clip.flac", noise(2.6, rate), rate)
    blocks = list(stream_audio(path, 16_000, 0.5))
    assert [block.size for block in blocks[:-1]] == [8_000] * 5
    assert 0 < blocks[-1].size <= 8_000
    assert np.concatenate(blocks).tobytes() == read_audio(path, 16_000).samples.tobytes()


def test_a_clip_too_long_to_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading whole has a limit; streaming has none."""
    monkeypatch.setattr("emotool.audio.reader._MAX_READ_SECONDS", 1.0)
    path = write_clip(tmp_path / "clip.wav", tone(440.0, 1.0))
    assert read_audio(path, 16_000).duration_s == 1.0
    path = write_clip(tmp_path / "clip.wav", tone(440.0, 1.001))
    with pytest.raises(AudioError, match="too long"):
        read_audio(path, 16_000)
    assert sum(block.size for block in stream_audio(path, 16_000)) == 16_016


def test_a_stream_left_early_closes_its_file(tmp_path: Path) -> None:
    """Who stops listening leaves nothing open."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("needs /proc to count descriptors")
    path = write_clip(tmp_path / "clip.wav", noise(3.0))
    before = len(list(folder.iterdir()))
    blocks = stream_audio(path, 16_000, 0.1)
    next(blocks)
    blocks.close()  # type: ignore[attr-defined]
    assert len(list(folder.iterdir())) == before
