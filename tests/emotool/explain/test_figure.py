"""The printed figure: in every format, for every name, the same bytes from the same clip."""

import io
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emotool.errors import MissingExtraError, OutputError
from emotool.explain.explanation import Explanation, explain
from emotool.explain.figure import Caption, draw, figure_format
from emotool.model.classifier import load_classifier
from tests.emotool.tiny_models import LABELS, write_tiny_model
from tests.synthesis import vowel, write_clip

pytestmark = pytest.mark.slow

MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.fixture(scope="module")
def explanation(tmp_path_factory: pytest.TempPathFactory) -> Explanation:
    """Explain a clip of three windows."""
    pytest.importorskip("matplotlib", reason="needs matplotlib (extra plot)")
    folder = tmp_path_factory.mktemp("clip")
    classifier = load_classifier(write_tiny_model(folder / "tiny.onnx"))
    return explain(write_clip(folder / "a.wav", vowel(seconds=1.4)), classifier)


def drawn(explanation: Explanation, file_format: str, name: str = "a.wav") -> bytes:
    """Draw a figure into memory."""
    handle = io.BytesIO()
    draw(explanation, Caption(name, "tiny", LABELS), handle, file_format)
    return handle.getvalue()


@pytest.mark.parametrize("file_format", MAGIC)
def test_figure_is_of_its_format_and_reproducible(
    explanation: Explanation, file_format: str
) -> None:
    """No date and no chance is in the file."""
    figure = drawn(explanation, file_format)
    assert figure.startswith(MAGIC[file_format])
    assert drawn(explanation, file_format) == figure


def test_png_is_large_enough_to_be_printed(explanation: Explanation) -> None:
    """Seven inches at 300 dots each."""
    figure = drawn(explanation, "png")
    assert int.from_bytes(figure[16:20], "big") == 2_100


def test_text_of_the_svg_says_what_is_shown(explanation: Explanation) -> None:
    """Panels, labels, clip and model are text, not outlines."""
    root = ET.fromstring(drawn(explanation, "svg"))
    text = " ".join(root.itertext())
    for part in ("Waveform", "Spectrogram", "Evidence", "Probabilities", "a.wav", "tiny", *LABELS):
        assert part in text


@pytest.mark.parametrize("name", ["$x_1^$.wav", "<b>&amp;.wav", "声\u202e\x1b.wav", "_a\udce9.wav"])
def test_any_name_can_be_drawn(explanation: Explanation, name: str) -> None:
    """Names are neither formulas nor markup, and what the font lacks stops nothing."""
    root = ET.fromstring(drawn(explanation, "svg", name))
    text = "".join(root.itertext())
    assert "\x1b" not in text
    assert name[-4:] in text
    assert drawn(explanation, "png", name)


@pytest.mark.parametrize("rows", [1, 4])
def test_evidence_without_frequencies_is_said_to_be_over_time(
    explanation: Explanation, rows: int
) -> None:
    """A map of one row says nothing of frequencies, and the panel's title says so."""
    shown = replace(explanation, evidence=np.full((rows, 20), 0.5, np.float32))
    text = " ".join(ET.fromstring(drawn(shown, "svg")).itertext())
    assert ("over time only" in text) == (rows == 1)


def test_mean_of_the_windows_is_the_title(explanation: Explanation) -> None:
    """The label is the one that classify gives."""
    mean = explanation.probabilities.mean(axis=0)
    best = int(np.argmax(mean))
    text = "".join(ET.fromstring(drawn(explanation, "svg")).itertext())
    assert f"{LABELS[best]} ({mean[best]:.2f})" in text


def test_unknown_suffix_names_those_there_are() -> None:
    """A wrong suffix is told before the model is loaded."""
    with pytest.raises(OutputError) as caught:
        figure_format("a.gif")
    assert ".svg" in caught.value.hint


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint can be pasted."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="emotool explain") as caught:
        draw(None, Caption("", "", ()), io.BytesIO(), "png")  # type: ignore[arg-type]
    assert "pip install matplotlib" in caught.value.hint


def test_importing_the_module_loads_no_matplotlib(root: Path) -> None:
    """Only drawing does."""
    code = "import sys, emotool.explain.figure; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
