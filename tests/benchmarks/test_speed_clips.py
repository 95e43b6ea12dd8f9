"""The clips that speed is measured on."""

from pathlib import Path

import pytest

from benchmarks import speed_clips
from benchmarks.speed_clips import make_clips, make_links
from emotool.features.extraction import extract
from emotool.features.spec import SpectrogramSpec


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, on a machine without a corpus."""
    monkeypatch.setattr(speed_clips, "_CORPUS", tmp_path / "none")
    return tmp_path


def test_without_a_corpus_sounds_are_synthesised(folder: Path) -> None:
    """There are as many clips as asked for, all of them audible, and known by their lengths."""
    clips = make_clips(folder, 3)
    assert len(clips) == 3
    for clip in clips:
        features = extract(clip.path, SpectrogramSpec())
        assert features.status == "ok"
        assert (features.duration_s, len(features.windows)) == (clip.seconds, clip.windows)


def test_clips_are_made_once(folder: Path) -> None:
    """A second call finds the same clips and leaves the files alone."""
    first = make_clips(folder, 2)
    times = [Path(clip.path).stat().st_mtime_ns for clip in first]
    assert make_clips(folder, 2) == first
    assert [Path(clip.path).stat().st_mtime_ns for clip in first] == times


def test_links_are_names_of_the_same_files(folder: Path) -> None:
    """A hundred thousand clips take no more room than two thousand."""
    clips = make_clips(folder, 2)
    links = sorted(make_links(clips, folder, 5).iterdir())
    assert len(links) == 5
    assert {link.stat().st_ino for link in links} == {Path(c.path).stat().st_ino for c in clips}
