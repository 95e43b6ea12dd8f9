"""What a fault is, and how the command line is run to try it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "ROOT",
    "Done",
    "Fault",
    "command",
    "emotool",
    "handlers_restored",
    "nothing_else",
    "words",
]

ROOT = Path(__file__).resolve().parents[2]

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Fault:
    """One fault and what comes of it; a line of docs/reliability.md.

    Parameters
    ----------
    what : str
        The fault.
    outcome : str
        What becomes of the row, the output or the run.
    says : str
        What the row's ``error`` or standard error says, ``…`` standing for anything; empty if
        there is nothing to say.
    code : int or None
        The exit code; None where the fault has no say in it.
    tests : tuple of str
        Where it is tried, as ``path::test`` from the root; empty for the tests of this folder
        that go through the list.
    """

    what: str
    outcome: str
    says: str = ""
    code: int | None = None
    tests: tuple[str, ...] = ()


def command(*arguments: str) -> list[str]:
    """Return the command that runs ``emotool classify`` with the present Python."""
    return [sys.executable, "-m", "emotool", "classify", *arguments]


def environment() -> dict[str, str]:
    """Return an environment in which a new Python finds this checkout."""
    ours = {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "PYTHONWARNINGS": "", "NO_COLOR": "1"}
    return {**os.environ, **ours, "COLUMNS": "100", "PYTHONDONTWRITEBYTECODE": "1"}


def emotool(folder: Path, *arguments: str, **options: Any) -> Done:
    """Run ``emotool classify`` in a folder and wait for its end."""
    settings: dict[str, Any] = {"cwd": folder, "env": environment(), "timeout": 300, "text": True}
    settings |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "errors": "replace"}
    return subprocess.run(command(*arguments), **(settings | options), check=False)


def words(says: str, text: str) -> bool:
    """Say whether a text is what was announced, where ``…`` stands for anything.

    Examples
    --------
    >>> words("no room in …: full", "error: no room in r.csv: full")
    True
    >>> words("no room in …: full", "no room in r.csv")
    False
    """
    position = 0
    for piece in says.split("…"):
        found = text.find(piece, position)
        if found < 0:
            return False
        position = found + len(piece)
    return True


def nothing_else(said: str) -> bool:
    r"""Say whether a quiet run has told nothing but, in one line, that clips failed.

    Examples
    --------
    >>> nothing_else(""), nothing_else("error: 2 of 3 clips failed, the first a.wav: …\n")
    (True, True)
    >>> nothing_else("Traceback (most recent call last):\n")
    False
    """
    return re.fullmatch(r"(error: [\d,]+ of [\d,]+ clips failed\b[^\n]*\n)?", said) is not None


@contextmanager
def handlers_restored() -> Iterator[None]:
    """Undo what the command line does to signals when it is run within a test's process."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
