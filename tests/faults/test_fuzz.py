"""Mutated files of every format: one row each, and no harm to the good clips among them."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from emotool.audio.stream import open_audio
from emotool.errors import AudioError
from tests import containers
from tests.containers import NEEDS_AV
from tests.emotool.tiny_models import write_tiny_model
from tests.faults.fuzz import fuzz
from tests.faults.mutants import FORMATS, write_mutants
from tests.synthesis import noise

pytestmark = pytest.mark.slow

MUTANTS = 1_000
CONTAINER_MUTANTS = 300
SEED = 5


def test_mutants_cost_nothing_but_their_rows(tmp_path: Path) -> None:
    """A thousand of them: no crash, no hang, no traceback, nothing that was not foreseen."""
    verdict = fuzz(tmp_path, write_tiny_model(tmp_path / "tiny.onnx"), MUTANTS, SEED)
    assert verdict.faults == []
    assert verdict.files == MUTANTS + MUTANTS // 25
    # They are neither all refused at the door nor all as good as before.
    assert verdict.statuses["failed"] > MUTANTS / 10
    assert verdict.statuses["ok"] > MUTANTS / 10
    assert len(verdict.reasons) > 10


@NEEDS_AV
def test_mutated_containers_cost_nothing_but_their_rows(tmp_path: Path) -> None:
    """The same for what FFmpeg's libraries decode: three hundred of phones' and browsers' files."""
    model = write_tiny_model(tmp_path / "tiny.onnx")
    verdict = fuzz(tmp_path, model, CONTAINER_MUTANTS, SEED, list(containers.sources()))
    assert verdict.faults == []
    assert verdict.statuses["failed"] > CONTAINER_MUTANTS / 10
    assert verdict.statuses["ok"] > CONTAINER_MUTANTS / 10


def test_mutants_are_the_same_for_a_seed(tmp_path: Path) -> None:
    """What was found with a seed can be found again."""
    contents = []
    for name in ("a", "b"):
        write_mutants(tmp_path / name, 2 * len(FORMATS), SEED)
        contents.append({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()})
    first, second = contents
    assert {name: len(data) for name, data in first.items()} == {
        name: len(data) for name, data in second.items()
    }
    # libsndfile puts the time into some formats and a random number into Ogg.
    assert sum(first[name] == second[name] for name in first) > 0.6 * len(first)


_PAYLOAD = noise(0.1).tobytes()
_u16 = st.sampled_from((0, 1, 2, 3, 6, 7, 8, 16, 17, 20, 24, 32, 49, 64, 85, 0xFFFE, 0xFFFF))
_u32 = st.sampled_from((0, 1, 2, 36, 8_000, 16_000, 2**31 - 1, 2**31, 2**32 - 1))
_any16, _any32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    # Format, channels, block size, bits; rate, bytes a second, size of the fmt and data chunks.
    words=st.tuples(*[_u16 | _any16] * 4),
    longs=st.tuples(*[_u32 | _any32] * 4),
    riff=_u32,
    extra=st.binary(max_size=40),
)
@example(words=(1, 1, 2, 16), longs=(16_000, 32_000, 16, 3_200), riff=36, extra=b"")
@example(words=(1, 0, 0, 0), longs=(0, 0, 16, 2**32 - 1), riff=0, extra=b"")
def test_any_wav_header_gives_sound_or_a_reason(
    tmp_path: Path,
    words: tuple[int, int, int, int],
    longs: tuple[int, int, int, int],
    riff: int,
    extra: bytes,
) -> None:
    """Whatever the fields say, there is no more sound than there are bytes for it."""
    form, channels, block, bits = words
    rate, bytes_per_second, fmt_size, data_size = longs
    header = b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + struct.pack("<I", fmt_size)
    header += struct.pack("<HHIIHH", form, channels, rate, bytes_per_second, block, bits)
    path = tmp_path / "clip.wav"
    path.write_bytes(header + extra + b"data" + struct.pack("<I", data_size) + _PAYLOAD)
    try:
        with open_audio(path, 16_000) as stream:
            rate = stream.source_rate
            samples = stream.read(10**8)
    except AudioError as error:
        assert error.stage in ("open", "decode", "resample")
        assert error.reason
        return
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    # An encoding packs some eight samples into a byte at most.
    assert samples.size <= 8 * 16_000 / rate * path.stat().st_size + 1


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "caf", "ogg", "mp3", "au"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(content=st.binary(max_size=200))
def test_any_bytes_behind_a_magic_number(tmp_path: Path, suffix: str, content: bytes) -> None:
    """What begins like a format need not go on like one."""
    magic = {
        "wav": b"RIFF\xff\xff\xff\xffWAVEfmt ",
        "flac": b"fLaC",
        "aiff": b"FORM\0\0\xff\xffAIFFCOMM",
        "caf": b"caff\0\1\0\0desc",
        "ogg": b"OggS\0\2",
        "mp3": b"\xff\xfb\x90",
        "au": b".snd",
    }[suffix]
    path = tmp_path / f"clip.{suffix}"
    path.write_bytes(magic + content)
    try:
        with open_audio(path, 16_000) as stream:
            assert np.isfinite(stream.read(10**8)).all()
    except AudioError as error:
        assert error.stage in ("open", "decode", "resample")
