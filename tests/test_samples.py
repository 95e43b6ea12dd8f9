"""The clips that `make demo` classifies."""

from pathlib import Path

import soundfile

SOUNDS = {".wav", ".mp3", ".ogg", ".opus", ".flac", ".aiff"}


def test_samples_are_small_and_described(root: Path) -> None:
    """samples/ stays under 1 MB, and its README names every file and no other."""
    folder = root / "samples"
    clips = [path for path in folder.rglob("*") if path.suffix in SOUNDS]
    lines = (folder / "README.md").read_text("utf-8").splitlines()
    described = {line.split("`")[1] for line in lines if line.startswith("| `")}
    assert sum(path.stat().st_size for path in clips) < 1_000_000
    assert {path.relative_to(folder).as_posix() for path in clips} == described


def test_samples_differ_in_rate_channels_and_format(root: Path) -> None:
    """Between them the samples show several sample rates, formats, and one and two channels."""
    found = [
        soundfile.info(path) for path in (root / "samples").rglob("*") if path.suffix in SOUNDS
    ]
    assert len({info.samplerate for info in found}) >= 6
    assert len({info.format for info in found}) >= 5
    assert {info.channels for info in found} == {1, 2}
