"""Remote clips as files: short ones whole, long ones by ranges, each in one version."""

import errno
import io
from pathlib import Path

import numpy as np
import pytest

from emotool.audio.stream import open_audio
from emotool.errors import AudioError
from emotool.files import remote_reading
from emotool.files.remote import listed_path
from emotool.files.remote_reading import RangeReader, open_remote, prefetch
from tests.object_store import Proxy, Store
from tests.synthesis import vowel, write_clip


@pytest.fixture
def recording(tmp_path: Path, cloud: Store, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Store a recording that is longer than what is fetched whole; return its bytes."""
    monkeypatch.setattr(remote_reading, "WHOLE_BYTES", 20_000)
    monkeypatch.setattr(remote_reading, "_BLOCK", 10_000)
    content = write_clip(tmp_path / "long.flac", vowel(seconds=6)).read_bytes()
    assert len(content) > 60_000
    cloud.put("calls", "long.flac", content)
    return content


def samples(path: str) -> np.ndarray:
    """Return what is heard of a clip."""
    with open_audio(path, 16_000) as stream:
        return stream.read(10_000_000)


@pytest.mark.parametrize("listed", [True, False])
def test_long_recordings_are_read_by_ranges(
    recording: bytes, tmp_path: Path, proxy: Proxy, cloud: Store, listed: bool
) -> None:
    """The same samples; every request but the first for an unlisted one has a range and an ETag."""
    path = "s3://calls/long.flac"
    if listed:
        etag = cloud.etag("calls", "long.flac")
        path = listed_path(path, len(recording), etag)
    assert np.array_equal(samples(path), samples(str(tmp_path / "long.flac")))
    asked = [headers for _, _, headers in proxy.faults.requests]
    ranged = [each for each in asked if "range" in each]
    assert len(ranged) >= 7
    assert all("if-match" in each for each in ranged)
    assert len(asked) == len(ranged) + (not listed)


@pytest.mark.parametrize("name", ["long.flac", "long.wav", "long.mp3"])
def test_a_recording_that_changes_while_it_is_read_fails(
    tmp_path: Path, cloud: Store, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """In no format is what was read until then taken for all of it; the stage is ``open``."""
    monkeypatch.setattr(remote_reading, "WHOLE_BYTES", 5_000)
    monkeypatch.setattr(remote_reading, "_BLOCK", 5_000)
    content = write_clip(tmp_path / name, vowel(seconds=8)).read_bytes()
    cloud.put("calls", name, content)
    count = 0

    def change(path: str) -> None:
        nonlocal count
        count += 1
        if count == 4:
            cloud.put("calls", name, content + b"more")

    proxy.faults.before = change
    with pytest.raises(AudioError) as caught:
        samples(f"s3://calls/{name}")
    assert (caught.value.stage, caught.value.reason) == (
        "open",
        "it changed after it was listed",
    )


def test_requests_are_tried_again(recording: bytes, tmp_path: Path, proxy: Proxy) -> None:
    """Every third fails in one of three ways."""
    proxy.faults.every = 3
    heard = samples("s3://calls/long.flac")
    assert np.array_equal(heard, samples(str(tmp_path / "long.flac")))


def test_keys_have_any_letters(cloud: Store, tmp_path: Path) -> None:
    """What means something in a URL means nothing in a key."""
    content = write_clip(tmp_path / "a.wav", vowel(seconds=0.5)).read_bytes()
    for key in ("a b.wav", "50%20.wav", "why?.wav", "#1.wav", "é+&=.wav", "s3://x/y.wav"[5:]):
        cloud.put("calls", key, content)
        source, size = open_remote(f"s3://calls/{key}")
        assert (source.read(), size) == (content, len(content))


def test_prefetched_clips_are_asked_for_once(cloud: Store, proxy: Proxy) -> None:
    """Each is handed out once, with its error if it has one."""
    cloud.put("calls", "a.wav", b"sound")
    paths = ["s3://calls/a.wav", "s3://calls/no.wav", "clips/b.wav"]
    prefetch(paths)
    prefetch(paths)
    assert open_remote(paths[0])[0].read() == b"sound"
    with pytest.raises(AudioError, match="no such object"):
        open_remote(paths[1])
    assert len(proxy.faults.requests) == 2
    assert remote_reading._prefetched == {}


def test_a_range_reader_reads_like_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anywhere, in any order, with few blocks in memory."""
    monkeypatch.setattr(remote_reading, "_BLOCK", 100)
    content = bytes(np.random.default_rng(1).integers(0, 256, 1_050, np.uint8))
    reader = RangeReader(lambda start, stop: content[start:stop], len(content))
    buffered, known = io.BufferedReader(reader, 64), io.BytesIO(content)
    for place, count in ((0, 10), (1_000, 100), (95, 10), (250, 700), (1_050, 5), (2_000, 5)):
        assert buffered.seek(place) == known.seek(place)
        assert buffered.read(count) == known.read(count)
    assert buffered.seek(-5, io.SEEK_END) == 1_045
    assert len(reader._blocks) == remote_reading._BLOCKS


def test_a_range_reader_remembers_its_error() -> None:
    """Decoders in C would take an exception for the end of the file, and print it."""

    def fail(start: int, stop: int) -> bytes:
        raise OSError(errno.EIO, "no connection")

    for fetch, reason in ((fail, "no connection"), (lambda *_: b"short", "it changed")):
        reader = RangeReader(fetch, 10)
        assert reader.read(1) == b""
        assert reader.error is not None
        assert reason in str(reader.error)
