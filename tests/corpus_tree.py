"""Small corpora made up for tests."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from emotool_training.corpora import EMOTIONS, Utterance

__all__ = ["made_up", "need", "odd", "touch"]


def need(*paths: Path) -> None:
    """Skip the test where a file of the shared corpus is not in the one that is here."""
    for path in paths:
        if not path.exists():
            pytest.skip(f"needs {path.name} in the corpus folder {path.parent}")


def odd(folder: Path, name: bytes) -> Path:
    """Return the path of a name that is no text, or skip the test where there are none such."""
    if os.name == "nt":
        pytest.skip("file names are text on Windows")
    path = folder / os.fsdecode(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        pytest.skip(f"this file system refuses such names: {error.strerror}")
    path.unlink()
    return path


def touch(root: Path, *names: str, content: str | None = None) -> Path:
    """Write files that are no audio: finding clips must not depend on decoding them."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name if content is None else content)
    return root


def made_up(
    speakers: dict[str, int], clips: int = 4, emotions: Sequence[str] = EMOTIONS
) -> list[Utterance]:
    """Return clips of ``speakers`` (how many, by corpus): so many per speaker and emotion.

    Men and women take turns, and each speaker says a few clips more or less than others.
    """

    def all_clips() -> Iterator[Utterance]:
        for corpus, count in speakers.items():
            for number in range(count):
                for emotion in emotions:
                    for take in range(clips + number % 2):
                        stem = f"{number:02d}-{emotion}-{take}"
                        yield Utterance(
                            key=f"{corpus}/{stem}",
                            path=Path(f"/data/{corpus}/{stem}.wav"),
                            corpus=corpus,
                            language="en",
                            speaker=f"{corpus}-{number:02d}",
                            sex="male" if number % 2 else "female",
                            emotion=emotion,
                        )

    return list(all_clips())
