"""Labels as files for annotation programs, one for each recording.

Audacity's label tracks, Raven's selection tables and Praat's TextGrids each describe one
recording (`emotool.writers.annotation_folder` writes a folder of them).
"""

import posixpath
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from emotool.results.row import ClipResult
from emotool.text import printable

__all__ = ["PROGRAMS", "Program", "audacity", "praat", "raven"]

Rows = Sequence[ClipResult]

_RAVEN_HEAD: Final = (
    "Selection",
    "View",
    "Channel",
    "Begin Time (s)",
    "End Time (s)",
    "Low Freq (Hz)",
    "High Freq (Hz)",
    "Begin File",
    "Emotion",
    "Confidence",
)
_LEAST_SECONDS: Final = 0.001
_NUMBER: Final = re.compile(r" -?\d+\.\d\d\b")
_PRAAT_HEAD: Final = (
    'File type = "ooTextFile"',
    'Object class = "TextGrid"',
    "",
    "xmin = 0",
)


def audacity(rows: Rows, top_hertz: float) -> str:
    r"""Write a label track: start, end and label of each row, tab-separated.

    Examples
    --------
    >>> audacity([ClipResult(0, "a.wav", "ok", label="sad", span=(0.0, 2.5))], 8000.0)
    '0.000000\t2.500000\tsad\n'
    """
    del top_hertz
    return "".join(f"{start:.6f}\t{end:.6f}\t{label}\n" for start, end, label in _lines(rows))


def raven(rows: Rows, top_hertz: float) -> str:
    """Write a selection table; boxes reach from 0 Hz to half of the file's sample rate.

    Where that is not known, they reach to ``top_hertz``.
    """
    lines = ["\t".join(_RAVEN_HEAD)]
    for number, (row, (start, end, label)) in enumerate(
        zip(rows, _lines(rows), strict=True), start=1
    ):
        top = row.source_rate / 2 or top_hertz
        file = printable(posixpath.basename(row.shown))
        place = f"{number}\tSpectrogram 1\t1\t{start:.6f}\t{end:.6f}\t0.0\t{top:.1f}\t{file}"
        share = "" if row.confidence is None else f"{row.confidence:.6f}"
        lines.append(f"{place}\t{label}\t{share}")
    return "\n".join(lines) + "\n"


def praat(rows: Rows, top_hertz: float) -> str:
    """Write a TextGrid with one interval tier, ``emotion``; what has no row is an empty interval.

    Intervals of a tier cannot overlap: one that begins before the last has ended begins there.
    What would be shorter than a millisecond is left out: a recording's length is exact to a sample
    at the model's rate, the end of its last window to one at the file's own.
    """
    del top_hertz
    intervals: list[tuple[float, float, str]] = []
    time = 0.0
    for begin, end, label in _lines(rows):
        start = begin if begin - time > _LEAST_SECONDS else time
        if end - start < _LEAST_SECONDS:
            continue
        if start > time:
            intervals.append((time, start, ""))
        intervals.append((start, end, label))
        time = end
    whole = rows[0].duration_s or 0.0
    if whole - time > _LEAST_SECONDS:
        intervals.append((time, whole, ""))
    else:
        whole = time
    head = [
        *_PRAAT_HEAD,
        f"xmax = {whole:.6f}",
        "tiers? <exists>",
        "size = 1",
        "item []:",
        "    item [1]:",
        '        class = "IntervalTier"',
        '        name = "emotion"',
        "        xmin = 0",
        f"        xmax = {whole:.6f}",
        f"        intervals: size = {len(intervals)}",
    ]
    for number, (start, end, label) in enumerate(intervals, start=1):
        text = label.replace('"', '""')
        head += [
            f"        intervals [{number}]:",
            f"            xmin = {start:.6f}",
            f"            xmax = {end:.6f}",
            f'            text = "{text}"',
        ]
    return "\n".join(head) + "\n"


@dataclass(frozen=True, slots=True)
class Program:
    """An annotation program's kind of file.

    Parameters
    ----------
    suffix : str
        How such a file's name ends.
    write : callable
        Returns its content for one or more rows and the highest frequency.
    head : str
        The beginning of its content.
    row : re.Pattern
        Finds the label of each row; where that cannot be, a text that is no label.
    """

    suffix: str
    write: Callable[[Rows, float], str]
    head: str
    row: re.Pattern[str]

    def wrote(self, content: str, labels: Collection[str]) -> bool:
        r"""Whether a file's content can be ours: rows of these labels, and nothing else.

        Numbers behind a word do not count: without labels, rows have the names of dimensions.

        Examples
        --------
        >>> track = PROGRAMS["audacity"]
        >>> track.wrote("0.000000\t2.500000\tsad\n", ("happy", "sad"))
        True
        >>> track.wrote("0.000000\t2.500000\tthe door\n", ("happy", "sad"))
        False
        """
        found = {"".join(row.groups("")) for row in self.row.finditer(content)} - {""}
        known = set(map(printable, labels))
        ours = all(text in known or _NUMBER.sub("", text) in known for text in found)
        return content.startswith(self.head) and bool(found) and ours


PROGRAMS: Final[Mapping[str, Program]] = {
    "audacity": Program(".txt", audacity, "", re.compile(r"[\d.]+\t[\d.]+\t(.*)\n|(.*\n)")),
    "raven": Program(
        ".selections.txt",
        raven,
        "\t".join(_RAVEN_HEAD) + "\n",
        re.compile(r"^\d.*\t(.*)\t[\d.]*\n", re.M),
    ),
    "praat": Program(
        ".TextGrid", praat, "\n".join(_PRAAT_HEAD) + "\n", re.compile(r'^ *text = "(.*)" *\n', re.M)
    ),
}


def _lines(rows: Rows) -> list[tuple[float, float, str]]:
    """Return each row's start, end and label, without separators in it."""
    spans = [row.span or (0.0, row.duration_s or 0.0) for row in rows]
    return [(*span, printable(row.label)) for span, row in zip(spans, rows, strict=True)]
