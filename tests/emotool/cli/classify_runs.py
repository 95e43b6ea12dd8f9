"""What the tests of ``emotool classify`` as a real process share."""

import csv
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.synthesis import tone, write_clip

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")

Emotool = Callable[..., "subprocess.CompletedProcess[str]"]


def table(text: str) -> list[dict[str, str]]:
    """Read CSV."""
    return list(csv.DictReader(io.StringIO(text)))


def one_line(text: str, *words: str) -> bool:
    """Say whether a message is one error line, perhaps with a hint, and no traceback."""
    lines = text.splitlines()
    return (
        lines[0].startswith("error: ")
        and all(line.startswith("hint: ") for line in lines[1:])
        and all(word in text for word in words)
    )


def fill(folder: Path, count: int) -> None:
    """Add many clips, hard links of a few."""
    sources = [
        write_clip(folder / "sources" / f"{index}.wav", tone(200 + 50 * index, 0.6))
        for index in range(7)
    ]
    (folder / "many").mkdir(parents=True)
    for index in range(count):
        (folder / "many" / f"{index:05}.wav").hardlink_to(sources[index % 7])
