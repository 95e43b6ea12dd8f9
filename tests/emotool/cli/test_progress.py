"""Progress is for people who watch: nobody else gets a byte of it."""

import io
import sys
import time
from collections.abc import Iterator

import pytest

from emotool.cli.progress import ProgressBar
from emotool.results.row import ClipResult


class Terminal(io.StringIO):
    """A stream that says that people watch it."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def watched(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make standard error a terminal; a fixture would be undone by pytest's capturing."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


def rows(count: int) -> Iterator[ClipResult]:
    """Make results, 20 ms apart."""
    for index in range(count):
        time.sleep(0.02)
        yield ClipResult(index, f"{index}.wav", "ok")


def test_terminal_shows_count_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of more than half a second has a bar, with what one wants to know."""
    terminal = watched(monkeypatch)
    with ProgressBar() as bar:
        bar.begin(1000, 0)
        for row in rows(40):
            bar.advance(row)
    text = terminal.getvalue()
    assert "/1000" in text
    assert "clips/s" in text
    assert "left" in text


def test_short_run_shows_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is over at once needs no bar."""
    terminal = watched(monkeypatch)
    with ProgressBar() as bar:
        bar.begin(3, 0)
        for row in rows(3):
            bar.advance(row)
    assert terminal.getvalue() == ""


def test_log_file_gets_notes_but_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody watches only what should be known is said, escaped."""
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    with ProgressBar() as bar:
        bar.begin(1000, 7)
        for row in rows(30):
            bar.advance(row)
        bar.note("odd \x1b[31mname")
    assert log.getvalue().splitlines() == [
        "resuming: 7 of 1,000 clips already done",
        "odd \\x1b[31mname",
    ]


def test_note_is_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name in brackets is shown, not obeyed."""
    terminal = watched(monkeypatch)
    with ProgressBar() as bar:
        bar.begin(1000, 0)
        for row in rows(40):
            bar.advance(row)
        bar.note("a[/b].wav")
    assert "a[/b].wav" in terminal.getvalue()


def test_closed_standard_error_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon without streams can be run too."""
    monkeypatch.setattr(sys, "stderr", None)
    with ProgressBar() as bar:
        bar.begin(1, 1)
        bar.advance(ClipResult(0, "a.wav", "ok"))
        bar.note("nobody hears")
