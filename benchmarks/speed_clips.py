"""The folder of clips that everything is measured on."""

import json
import os
import random
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.speed_process import ROOT
from emotool.errors import AudioError
from emotool.features.extraction import extract
from emotool.features.spec import SpectrogramSpec

__all__ = ["Clip", "make_clips", "make_links", "read_list"]

_CORPUS = Path(os.environ.get("EMOTOOL_CORPUS", ROOT.parent / "shared" / "corpus"))
_RATE = 16_000
_SOUNDS = (".wav", ".flac")


@dataclass(frozen=True)
class Clip:
    """A clip to be labelled.

    Parameters
    ----------
    path : str
        Where it is.
    seconds : float
        How long it is.
    windows : int
        How many windows emotool gives its models; the peers give theirs as many.
    """

    path: str
    seconds: float
    windows: int


def make_clips(folder: Path, count: int) -> list[Clip]:
    """Fill a folder with clips, once, and return them.

    Copies of the corpus's clips, drawn with a fixed seed, where there is a corpus
    (``EMOTOOL_CORPUS``); else synthesised voices of the same lengths.
    """
    listed = folder / f"clips-{count}.json"
    if listed.is_file():
        return read_list(listed)
    sounds = folder / f"clips-{count}"
    shutil.rmtree(sounds, ignore_errors=True)
    sounds.mkdir(parents=True)
    found = sorted(path for path in _CORPUS.glob("*/*") if path.suffix in _SOUNDS)
    chooser = random.Random(0)
    for index in range(count):
        target = sounds / f"{index:06d}"
        if not found:
            _synthesise(target.with_suffix(".flac"), index)
            continue
        # Each once before any is taken twice.
        if index % len(found) == 0:
            chooser.shuffle(found)
        source = found[index % len(found)]
        shutil.copyfile(source, target.with_suffix(source.suffix))
    clips = [_described(path) for path in sorted(sounds.iterdir())]
    listed.write_text(json.dumps([asdict(clip) for clip in clips]), encoding="utf-8")
    return clips


def make_links(clips: Sequence[Clip], folder: Path, count: int) -> Path:
    """Return a folder of so many names for the clips' files (hard links), made where missing."""
    target = folder / f"links-{count}"
    if not target.is_dir():
        unfinished = folder / f"links-{count}.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for index in range(count):
            source = Path(clips[index % len(clips)].path)
            os.link(source, unfinished / f"{index:06d}{source.suffix}")
        unfinished.rename(target)
    return target


def read_list(path: Path) -> list[Clip]:
    """Read a list of clips."""
    return [Clip(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]


def _described(path: Path) -> Clip:
    try:
        features = extract(path, SpectrogramSpec())
    except AudioError as error:
        raise SystemExit(f"error: {path}: {error.reason}") from error
    return Clip(str(path), features.duration_s, len(features.windows))


def _synthesise(path: Path, index: int) -> None:
    """Write a voice-like sound: harmonics of a wandering pitch, in syllables, with some noise."""
    draw = np.random.default_rng(index)
    time = np.arange(int(_RATE * draw.uniform(1.5, 4.5))) / _RATE  # [n] s
    pitch = draw.uniform(90, 260) * (1 + 0.1 * np.sin(2 * np.pi * draw.uniform(0.3, 1.5) * time))
    phase = 2 * np.pi * np.cumsum(pitch) / _RATE  # [n]
    voice = sum(np.sin(k * phase) / k for k in range(1, 25))
    syllables = np.clip(np.sin(2 * np.pi * draw.uniform(2, 5) * time), 0, 1)
    sound = 0.1 * syllables * voice + 0.002 * draw.standard_normal(time.size)
    soundfile.write(path, sound.astype(np.float32), _RATE)
