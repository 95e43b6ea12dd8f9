"""Labels as annotation programs read them: one file for each recording.

Audacity's label tracks, Raven's selection tables and Praat's TextGrids each describe one
recording, so a run writes a folder of them that mirrors its inputs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Final, Self

from emotool.errors import OutputError
from emotool.files import atomic_write
from emotool.results.row import ClipResult, path_text
from emotool.segments import segment_rows
from emotool.text import printable

__all__ = ["PROGRAMS", "AnnotationFolder", "Annotations", "audacity", "praat", "raven"]

Rows = Sequence[ClipResult]


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
    """Write a selection table; boxes reach from 0 Hz to ``top_hertz``."""
    columns = (
        "Selection",
        "View",
        "Channel",
        "Begin Time (s)",
        "End Time (s)",
        "Low Freq (Hz)",
        "High Freq (Hz)",
        "Emotion",
        "Confidence",
    )
    lines = ["\t".join(columns)]
    for number, (row, (start, end, label)) in enumerate(
        zip(rows, _lines(rows), strict=True), start=1
    ):
        place = f"{number}\tSpectrogram 1\t1\t{start:.6f}\t{end:.6f}\t0.0\t{top_hertz:.1f}"
        lines.append(f"{place}\t{label}\t{row.confidence or 0.0:.6f}")
    return "\n".join(lines) + "\n"


def praat(rows: Rows, top_hertz: float) -> str:
    """Write a TextGrid with one interval tier, ``emotion``; what has no row is an empty interval.

    Intervals of a tier cannot overlap: one that begins before the last has ended begins there.
    """
    del top_hertz
    intervals: list[tuple[float, float, str]] = []
    time = 0.0
    for begin, end, label in _lines(rows):
        start = max(begin, time)
        if end <= start:
            continue
        if start > time:
            intervals.append((time, start, ""))
        intervals.append((start, end, label))
        time = end
    whole = max(rows[0].duration_s or 0.0, time)
    if whole > time:
        intervals.append((time, whole, ""))
    head = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
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
class _Program:
    """How a program's files end, and what makes them."""

    suffix: str
    write: Callable[[Rows, float], str]


PROGRAMS: Final[Mapping[str, _Program]] = {
    "audacity": _Program(".txt", audacity),
    "raven": _Program(".selections.txt", raven),
    "praat": _Program(".TextGrid", praat),
}


@dataclass(frozen=True, slots=True)
class Annotations:
    """A folder of annotations that is asked for.

    Parameters
    ----------
    program : str
        One of `PROGRAMS`.
    folder : str
        Where; made if it is not there.
    """

    program: str
    folder: str


class AnnotationFolder:
    """Writes a file for each labelled clip, as soon as its label is known, whole or not at all.

    Parameters
    ----------
    wanted : Annotations
    labels : sequence of str
        The model's labels.
    inputs : sequence of str
        Paths of the clips, which are never written over.
    merge : bool
        Join neighbours of one label.
    top_hertz : float
        Highest frequency the model hears.

    Raises
    ------
    OutputError
        If the folder cannot be made; from `write`, if a file cannot.
    """

    whole_clips = True

    def __init__(
        self,
        wanted: Annotations,
        labels: Sequence[str],
        inputs: Sequence[str],
        *,
        merge: bool,
        top_hertz: float,
    ) -> None:
        self._program = PROGRAMS[wanted.program]
        self._folder = Path(wanted.folder)
        self._labels = tuple(labels)
        self._merge, self._top = merge, top_hertz
        self._taken: set[Path] = set()
        ending = self._program.suffix.rpartition(".")[2]
        self._inputs = {Path(path).resolve() for path in inputs if path.endswith(ending)}
        _make(self._folder)

    def write(self, result: ClipResult) -> None:
        """Write a clip's file; one without a label has none."""
        if result.status != "ok":
            return
        path = self._place(result)
        if path.resolve() in self._inputs:
            raise OutputError(
                f"{printable(str(path))} is an input: annotations would overwrite it",
                hint="name another folder for them",
            )
        _make(path.parent)
        rows = segment_rows(result, self._labels, merge=self._merge)
        with atomic_write(path, text=True) as handle:
            handle.write(self._program.write(rows, self._top))

    def _place(self, result: ClipResult) -> Path:
        """Find a clip's place below the folder: never outside, never twice the same."""
        parts = PurePosixPath(path_text(result.shown).replace("\\", "/").replace(":", "_")).parts
        inside = Path(*[part for part in parts if part not in ("/", "//", "..")] or ["clip"])
        path = self._folder / inside.with_name(inside.stem + self._program.suffix)
        if path in self._taken:  # a.wav and a.mp3
            path = self._folder / inside.with_name(inside.name + self._program.suffix)
        while path in self._taken:
            path = path.with_name("_" + path.name)
        self._taken.add(path)
        return path

    def close(self) -> None:
        """Do nothing more: every file is in its place."""

    def discard(self) -> None:
        """Keep what is there: each file is whole."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _lines(rows: Rows) -> list[tuple[float, float, str]]:
    """Give each row's start, end and label, in which no separator is left."""
    spans = [row.span or (0.0, row.duration_s or 0.0) for row in rows]
    return [(*span, printable(row.label)) for span, row in zip(spans, rows, strict=True)]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {printable(str(folder))}: {error.strerror}"
        ) from error
