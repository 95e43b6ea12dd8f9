"""The screen that README's picture is drawn from."""

import html
import re
from pathlib import Path

import pytest

pytest.importorskip("pty", reason="needs pseudo-terminals, which Windows has not")

from docs.make_picture import PICTURE, draw, screen
from emotool import classify


def test_a_redrawn_line_shows_its_last_state() -> None:
    """A progress bar that returned and wrote anew leaves its last state only."""
    assert screen("10 %\r50 %\r\x1b[2K100 %\r\ndone\r\n") == "100 %\ndone"


def test_a_bar_that_went_away_leaves_nothing() -> None:
    """A bar that moved up, erased its lines and let others take their place is not seen."""
    written = "\x1b[?25lbar one\r\nbar two\r\x1b[2K\x1b[1A\x1b[2K\x1b[?25hsummary\r\n"
    assert screen(written) == "summary"


def test_colours_are_kept() -> None:
    """Colours stay in the text, for rich to draw."""
    assert screen("\x1b[1mbold\x1b[0m\r\n") == "\x1b[1mbold\x1b[0m"


def test_a_picture_needs_no_network() -> None:
    """The SVG shows the words and names no font that would have to be fetched."""
    svg = draw([("emotool --version", "\x1b[32memotool 1.0\x1b[0m")])
    assert "emotool&#160;1.0" in svg
    assert "@font-face" not in svg
    assert "url(http" not in svg


def test_the_picture_has_the_labels_of_todays_models(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sample stands there with the label that `make demo` gives it (`make picture`)."""
    monkeypatch.chdir(root)
    text = html.unescape(PICTURE.read_text("utf-8")).replace("\N{NO-BREAK SPACE}", " ")
    for result in classify("samples"):
        shown = re.search(rf">{re.escape(result.path)}  (\w+):? ?(0\.\d\d)?", text)
        assert shown is not None, result.path
        if result.status != "ok":
            assert shown[1] == result.status
            continue
        # Processors differ in the third decimal, which can decide labels that are even.
        assert result.probabilities[shown[1]] == pytest.approx(float(shown[2]), abs=0.015)
