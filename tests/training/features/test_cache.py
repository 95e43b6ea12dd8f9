"""Features are computed once, in parallel, and survive damage."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emotool.errors import OutputError
from emotool.features.spec import SpectrogramSpec
from emotool_training.augmentation.settings import Variants
from emotool_training.cache_folder import default_folder
from emotool_training.features import cache as feature_cache
from emotool_training.features.cache import FeatureCache, Wanted
from tests.synthesis import vowel, write_clip

SPEC = SpectrogramSpec(window_seconds=0.5, n_mels=16)
WINDOWS = Wanted("windows", SPEC)


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """Six clips of different voices."""
    return [write_clip(tmp_path / "clips" / f"{n}.wav", vowel(100 + 20 * n, 0.7)) for n in range(6)]


class Counter:
    """Counts what is computed."""

    def __init__(self) -> None:
        self.computed = 0

    def __call__(self, done: int, total: int) -> None:
        """Hear of progress."""
        self.computed = done


def arrays(cache: FeatureCache, clips: list[Path], wanted: Wanted = WINDOWS) -> list[np.ndarray]:
    """Load clips' arrays."""
    return [outcome.array for outcome in cache.load(clips, wanted)]


def test_features_are_computed_once(tmp_path: Path, clips: list[Path]) -> None:
    """A second run, of another process's cache object, computes nothing."""
    first, second = Counter(), Counter()
    before = list(FeatureCache(tmp_path / "cache", 2).load(clips, WINDOWS, first))
    after = list(FeatureCache(tmp_path / "cache", 2).load(clips, WINDOWS, second))
    assert (first.computed, second.computed) == (6, 0)
    assert all(np.array_equal(a.array, b.array) for a, b in zip(before, after, strict=True))


def test_processes_and_this_process_compute_the_same(tmp_path: Path, clips: list[Path]) -> None:
    """Bit for bit, so that a run does not depend on how many cores there were."""
    here = arrays(FeatureCache(tmp_path / "a", 1), clips)
    there = arrays(FeatureCache(tmp_path / "b", 2), clips)
    assert all(np.array_equal(a, b) for a, b in zip(here, there, strict=True))


def test_a_damaged_entry_is_computed_anew(tmp_path: Path, clips: list[Path]) -> None:
    """Cut short, overwritten, one bit turned, empty: the same features come back."""
    cache = FeatureCache(tmp_path / "cache", 1)
    whole = arrays(cache, clips)
    entries = sorted((tmp_path / "cache").rglob("*.npz"))
    assert len(entries) == 6
    content = entries[1].read_bytes()
    entries[0].write_bytes(entries[0].read_bytes()[:-100])
    entries[1].write_bytes(content[:500] + bytes([content[500] ^ 1]) + content[501:])
    entries[2].write_bytes(b"")
    entries[3].write_text("not an archive")
    assert all(np.array_equal(a, b) for a, b in zip(whole, arrays(cache, clips), strict=True))
    assert entries[1].read_bytes() == content


def test_a_changed_clip_is_computed_anew_and_a_moved_one_is_not(
    tmp_path: Path, clips: list[Path]
) -> None:
    """Entries follow the content of files."""
    arrays(FeatureCache(tmp_path / "cache", 1), clips)
    moved = clips[0].rename(clips[0].with_name("moved.wav"))
    counter = Counter()
    list(FeatureCache(tmp_path / "cache", 1).load([moved, *clips[1:]], WINDOWS, counter))
    assert counter.computed == 0
    write_clip(clips[1], vowel(300, 0.7))
    list(FeatureCache(tmp_path / "cache", 1).load(clips[1:], WINDOWS, counter))
    assert counter.computed == 1


def test_every_setting_has_entries_of_its_own() -> None:
    """Form, spectrogram, copy and how copies are altered; not how many there are."""
    folders = [
        WINDOWS.folder(),
        Wanted("image", SPEC).folder(),
        Wanted("windows", replace(SPEC, n_mels=17)).folder(),
        Wanted("image", SPEC, 1, Variants(count=2)).folder(),
        Wanted("image", SPEC, 2, Variants(count=2)).folder(),
        Wanted("image", SPEC, 1, Variants(count=2, speed=0.2)).folder(),
    ]
    assert len(set(folders)) == len(folders)
    more = Variants(count=5, clean_share=0.1)
    assert Wanted("image", SPEC, 1, more).folder() == folders[3]
    assert Wanted("image", SPEC, 0, more).folder() == folders[1]


def test_clips_that_cannot_be_used_come_back_in_their_place(
    tmp_path: Path, clips: list[Path]
) -> None:
    """A failed clip is tried again next time, since its cause may be mended."""
    clips[2].write_text("no audio")
    cache = FeatureCache(tmp_path / "cache", 2)
    assert [o.status for o in cache.load(clips, WINDOWS)] == ["ok"] * 2 + ["failed"] + ["ok"] * 3
    write_clip(clips[2], vowel())
    again = FeatureCache(tmp_path / "cache", 2)
    assert [outcome.status for outcome in again.load(clips, WINDOWS)] == ["ok"] * 6


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, clips: list[Path]) -> None:
    """One clear error, which says how to name another folder."""
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OutputError) as caught:
        arrays(FeatureCache(tmp_path / "cache", 1), clips)
    assert "--cache" in caught.value.hint


def test_workers_load_nothing_heavy(python: str, python_path: dict[str, str]) -> None:
    """What a worker imports has no TensorFlow, librosa or pydantic in it."""
    code = (
        "import sys, emotool_training.features.cache; "
        "heavy = {'tensorflow', 'keras', 'librosa', 'matplotlib', 'pydantic'} & set(sys.modules); "
        "sys.exit(', '.join(heavy) or None)"
    )
    done = subprocess.run(
        [python, "-c", code], env=python_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_script_without_a_guard_may_use_it(
    tmp_path: Path, clips: list[Path], python_path: dict[str, str]
) -> None:
    """Processes do not run the script again that started them."""
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from emotool.features.mel import SpectrogramSpec\n"
        "from emotool_training.features.cache import FeatureCache, Wanted\n"
        f"paths = sorted(Path({str(clips[0].parent)!r}).iterdir())\n"
        "wanted = Wanted('windows', SpectrogramSpec(window_seconds=0.5))\n"
        f"cache = FeatureCache(Path({str(tmp_path / 'cache')!r}), 2)\n"
        "print(len(list(cache.load(paths, wanted))))\n"
    )
    done = subprocess.run(
        [sys.executable, script], env=python_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("6\n", "")


def test_the_folder_is_the_platforms_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """$EMOTOOL_CACHE, else where the platform keeps what can be made again."""
    monkeypatch.setenv("EMOTOOL_CACHE", "/somewhere")
    assert default_folder() == Path("/somewhere")
    monkeypatch.delenv("EMOTOOL_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(Path("/xdg")))
    assert default_folder() == Path("/xdg/emotool/features")
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(feature_cache.Path, "home", lambda: Path("/home/x"))
    assert default_folder() == Path("/home/x/Library/Caches/emotool/features")
