"""The figure of ``emotool explain``: sound, spectrogram, evidence and probabilities of one clip.

Four panels share one time axis: waveform, spectrogram, the spectrogram under the model's evidence,
and the probabilities of each window. matplotlib comes with the extra ``plot`` and is imported only
when a figure is drawn.
"""

import importlib.util
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from emotool.errors import MissingExtraError, OutputError
from emotool.explain.explanation import Explanation, frequency_heights
from emotool.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FORMATS", "Caption", "draw", "figure_format", "require_matplotlib"]

FORMATS: Final = (".png", ".svg", ".pdf")
"""Suffixes that a figure can have."""

_WIDTH_INCHES: Final = 7.0  # a page's two columns
_DPI: Final = 300
_TICKS_HZ: Final = (250, 500, 1_000, 2_000, 4_000, 8_000, 16_000)
# Okabe and Ito (2008), "Color Universal Design": distinguishable with colour blindness.
_COLOURS: Final = ("#e69f00", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#000000")
_STYLE: Final[dict[str, Any]] = {
    "font.size": 8,
    "axes.linewidth": 0.6,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "pdf.fonttype": 42,  # text stays text: journals refuse Type 3 fonts
    "svg.fonttype": "none",
    "svg.hashsalt": "emotool",  # the same figure is the same bytes
    "text.parse_math": False,  # a $ in a file's name is a $
}


@dataclass(frozen=True, slots=True)
class Caption:
    """What is written on a figure.

    Parameters
    ----------
    name : str
        The clip.
    model : str
        The model's name.
    labels : sequence of str
        Its labels, in the order of the probabilities.
    """

    name: str
    model: str
    labels: Sequence[str]


def figure_format(target: str) -> str:
    """Return the format that a figure's suffix asks for.

    Raises
    ------
    OutputError
        If it is none of `FORMATS`.

    Examples
    --------
    >>> figure_format("clip.PNG")
    'png'
    """
    suffix = PurePath(target).suffix.lower()
    if suffix not in FORMATS:
        raise OutputError(
            f"unknown figure format: {printable(target)}",
            hint=f"use one of these extensions: {', '.join(FORMATS)}",
        )
    return suffix[1:]


def require_matplotlib() -> None:
    """Check that matplotlib is installed, without importing it.

    Raises
    ------
    MissingExtraError
        If it is not.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtraError("plot", "emotool explain")


def draw(explanation: Explanation, caption: Caption, handle: IO[bytes], file_format: str) -> None:
    """Draw an explanation.

    Parameters
    ----------
    explanation : Explanation
        Of a clip that has windows.
    caption : Caption
        What to write on the figure.
    handle : IO
        Where the bytes go.
    file_format : str
        ``png``, ``svg`` or ``pdf``.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    require_matplotlib()
    import matplotlib as mpl

    date = {"svg": "Date", "pdf": "CreationDate"}.get(file_format)
    with mpl.rc_context(), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn with boxes; that is no reason to stop.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        figure = _figure(explanation, caption)
        metadata = {} if date is None else {date: None}
        figure.savefig(handle, format=file_format, dpi=_DPI, metadata=metadata)


def _figure(explanation: Explanation, caption: Caption) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH_INCHES, 6.0), layout="constrained")
    heights = {"height_ratios": (1, 2, 2, 1.4)}
    wave, spectrogram, evidence, shares = figure.subplots(4, 1, sharex=True, gridspec_kw=heights)
    figure.suptitle(_title(explanation, caption), x=0.01, ha="left", fontsize=9)
    _draw_wave(wave, explanation)
    for axes in (spectrogram, evidence):
        _draw_spectrogram(axes, explanation, grey=axes is evidence)
    spectrogram.set_title("Spectrogram (mel)")
    _draw_evidence(evidence, explanation)
    _draw_shares(shares, explanation, caption.labels)
    shares.set_xlim(0, explanation.seconds)
    shares.set_xlabel("Time (s)")
    figure.align_ylabels()
    return figure


def _title(explanation: Explanation, caption: Caption) -> str:
    mean = explanation.probabilities.mean(axis=0)
    best = int(mean.argmax())
    label = f"{printable(caption.labels[best])} ({mean[best]:.2f})"
    shown = PurePath(caption.name).name
    start = f", first {explanation.seconds:.0f} s" if explanation.cut else ""
    return f"{printable(shown)}{start}: {label}, model {printable(caption.model)}"


def _draw_wave(axes: "Axes", explanation: Explanation) -> None:
    """Draw each moment's lowest and highest sample: as exact as print shows, at any length."""
    columns = min(explanation.samples.size, 2_000)
    edges = np.linspace(0, explanation.samples.size, columns + 1).astype(int)[:-1]
    low = np.minimum.reduceat(explanation.samples, edges)
    high = np.maximum.reduceat(explanation.samples, edges)
    times = edges / explanation.spec.sample_rate
    axes.fill_between(times, low, high, color="#333333", linewidth=0.3)
    highest = max(float(np.abs(explanation.samples).max()), 1e-6)
    axes.set_ylim(-1.05 * highest, 1.05 * highest)
    axes.set_title("Waveform")
    axes.set_ylabel("Amplitude")


def _draw_spectrogram(axes: "Axes", explanation: Explanation, *, grey: bool) -> None:
    highest = float(explanation.spectrogram.max())
    axes.imshow(
        explanation.spectrogram,
        origin="lower",
        aspect="auto",
        extent=(0, explanation.seconds, 0, 1),
        cmap="gray_r" if grey else "magma",
        vmin=highest - explanation.spec.top_db,
        vmax=highest,
        interpolation="nearest",
        rasterized=True,
    )
    shown = [
        hertz for hertz in _TICKS_HZ if explanation.spec.f_min < hertz < explanation.spec.f_max
    ]
    axes.set_yticks(
        frequency_heights(explanation.spec, shown),
        [f"{hertz / 1_000:g}" for hertz in shown],
    )
    axes.set_ylim(0, 1)
    axes.set_ylabel("Frequency (kHz)")


def _draw_evidence(axes: "Axes", explanation: Explanation) -> None:
    """Lay the evidence over the grey spectrogram; nothing of it hides what it lies on."""
    over_time = explanation.evidence is not None and len(explanation.evidence) == 1
    axes.set_title(f"Evidence for each window’s label{', over time only' if over_time else ''}")
    if explanation.evidence is None:
        return
    from matplotlib import colormaps
    from matplotlib.patches import Patch

    orange = colormaps["autumn"](1 / 3)
    shades = ((0.25, "weak"), (0.75, "strong"))
    axes.legend(
        handles=[Patch(color=orange, alpha=alpha, label=name) for alpha, name in shades],
        loc="center left",
        bbox_to_anchor=(1, 0.5),
        handlelength=1.2,
    )
    axes.imshow(
        np.ones_like(explanation.evidence),
        alpha=0.75 * explanation.evidence,
        origin="lower",
        aspect="auto",
        extent=(0, explanation.seconds, 0, 1),
        cmap="autumn",
        vmin=0,
        vmax=3,
        interpolation="bilinear",
        rasterized=True,
    )


def _draw_shares(axes: "Axes", explanation: Explanation, labels: Sequence[str]) -> None:
    """Draw the probabilities of each window as a step as long as the window."""
    for place, label in enumerate(labels):
        colour = _COLOURS[place % len(_COLOURS)]
        style = "-" if place < len(_COLOURS) else "--"
        # A label that begins with "_" would be left out of the legend.
        axes.plot([], [], style, color=colour, label=f"\u200b{printable(label)}")
        for start, row in zip(explanation.starts_s, explanation.probabilities, strict=True):
            end = min(start + explanation.spec.window_seconds, explanation.seconds)
            axes.plot([start, end], [row[place]] * 2, style, color=colour, solid_capstyle="butt")
    for start in explanation.starts_s[1:]:
        axes.axvline(start, color="#bbbbbb", linewidth=0.4, zorder=0)
    axes.set_ylim(-0.03, 1.03)
    axes.set_yticks([0, 0.5, 1])
    axes.set_ylabel("Probability")
    axes.set_title("Probabilities of each window")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), handlelength=1.2)
