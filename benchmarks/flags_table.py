"""Precision and recall of the flags, from how often each was raised on what."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks.spoiling import Spoiling

__all__ = ["FLAGS", "MEASURES", "SPOILT_SHARE", "Row", "markdown"]

FLAGS: Final = ("speechless", "clipped", "narrow_band", "noisy")

MEASURES: Final = {
    "range": ("range_db", "dB"),
    "in bands": ("band_range_db", "dB"),
    "of voice": ("voice_range_db", "dB"),
    "treble": ("treble_db", "dB"),
    "texture": ("texture_db", "dB"),
    "movement": ("movement", ""),
    "evenness": ("evenness", ""),
    "flatness": ("flatness", "‰"),
}
"""Headings, fields of `emotool.quality.measures.Measures` and `emotool.features.peaks.Peaks`, and
units."""

SPOILT_SHARE: Final = 0.1
"""Share of a folder's clips that are spoilt in a flag's way, where its precision is told."""


@dataclass
class Row:
    """How many clips that were spoilt in one way have which flag.

    Parameters
    ----------
    way : Spoiling
        What was done to them; of the kind ``nothing`` for clean ones.
    clips, flagged : int
        How many there are, and how many have a flag.
    raised : Counter of str
        How many have each flag.
    per_corpus : Counter of (str, bool)
        Clips by corpus and by whether they have a flag.
    labelled, right : int
        Clips whose true label the model knows and that it labelled, and labelled right.
    measured : list of dict of str to float
        What was measured of each clip in which there was something to measure.
    """

    way: Spoiling
    clips: int = 0
    flagged: int = 0
    raised: Counter[str] = field(default_factory=Counter)
    per_corpus: Counter[tuple[str, bool]] = field(default_factory=Counter)
    labelled: int = 0
    right: int = 0
    measured: list[dict[str, float]] = field(default_factory=list)

    def count(self, corpus: str, flags: Collection[str]) -> None:
        """Count a clip that has these flags."""
        self.clips += 1
        self.flagged += bool(flags)
        self.raised.update(flags)
        self.per_corpus[corpus, bool(flags)] += 1

    def share(self, flag: str) -> float:
        """Return the share of clips that have a flag, 0 to 1."""
        return self.raised[flag] / self.clips if self.clips else 0.0


def markdown(rows: Sequence[Row], of: str) -> str:
    """Return all tables.

    Parameters
    ----------
    rows : sequence of Row
        Among them exactly one of the kind ``nothing``.
    of : str
        Whose clips they are.

    Returns
    -------
    str
        Markdown.
    """
    [clean] = [row for row in rows if row.way.kind == "nothing"]
    spoilt = max(row.clips for row in rows if row is not clean)
    head = f"Clean: {of}; {spoilt} of them degraded in each way below.\n"
    return "\n".join(
        [
            head,
            *_table(_flag_lines(rows, clean)),
            "",
            *_table(_corpus_lines(clean)),
            "",
            *_table(_way_lines(rows)),
            "",
            "What was measured, from what 1 % to what 99 % of the clips do not exceed:",
            "",
            *_table(_measure_lines(rows)),
            "",
        ]
    )


def precision(recall: float, false_alarms: float, share: float = SPOILT_SHARE) -> float:
    """Return the share of flagged clips that deserve it, where ``share`` of all clips do.

    Examples
    --------
    >>> round(precision(0.9, 0.01), 3)
    0.909
    """
    right, wrong = share * recall, (1 - share) * false_alarms
    return right / (right + wrong) if right + wrong else 0.0


def _flag_lines(rows: Sequence[Row], clean: Row) -> Iterator[list[str]]:
    yield [
        "flag",
        "recall",
        "on clean clips",
        "precision, 1 in 10 degraded",
        "on clips degraded otherwise",
    ]
    for flag in FLAGS:
        due = [row for row in rows if row.way.flag == flag]
        others = [row for row in rows if row.way.flag not in ("", flag)]
        recall, wrong = _share(due, flag), clean.share(flag)
        yield [
            f"`{flag}`",
            _percent(recall),
            _percent(wrong, 2),
            _percent(precision(recall, wrong)),
            _percent(_share(others, flag)),
        ]
    any_of = clean.flagged / clean.clips
    yield ["any", "", _percent(any_of, 2), "", ""]


def _corpus_lines(clean: Row) -> Iterator[list[str]]:
    yield ["clean clips of", "clips", "with a flag"]
    for corpus in sorted({corpus for corpus, _ in clean.per_corpus}):
        flagged = clean.per_corpus[corpus, True]
        total = flagged + clean.per_corpus[corpus, False]
        yield [corpus, str(total), _percent(flagged / total, 2)]


def _way_lines(rows: Iterable[Row]) -> Iterator[list[str]]:
    yield ["done to a clip", "", "should be", *(f"`{flag}`" for flag in FLAGS), "model right"]
    for row in rows:
        yield [
            row.way.kind,
            row.way.degree,
            f"`{row.way.flag}`" if row.way.flag else "–",
            *(_percent(row.share(flag)) for flag in FLAGS),
            _percent(row.right / row.labelled) if _is_speech(row) else "",
        ]


def _measure_lines(rows: Iterable[Row]) -> Iterator[list[str]]:
    units = [f"{name} ({unit})" if unit else name for name, (_, unit) in MEASURES.items()]
    yield ["done to a clip", "", *units]
    for row in rows:
        if row.measured:
            spans = [_span(row, name, unit) for name, unit in MEASURES.values()]
            yield [row.way.kind, row.way.degree, *spans]


def _span(row: Row, name: str, unit: str) -> str:
    scale = 1_000 if unit == "‰" else 1
    values = scale * np.array([measured[name] for measured in row.measured])
    low, high = np.percentile(values, [1, 99])
    decimals = 1 if unit == "dB" else 2
    return f"{low:.{decimals}f} … {high:.{decimals}f}".replace("-", "−")


def _is_speech(row: Row) -> bool:
    """Return whether a label can be right or wrong: where there is no speech, there is none."""
    return row.labelled > 0 and row.way.flag != "speechless"


def _share(rows: Sequence[Row], flag: str) -> float:
    return sum(row.raised[flag] for row in rows) / max(1, sum(row.clips for row in rows))


def _percent(share: float, decimals: int = 1) -> str:
    return f"{100 * share:.{decimals}f} %"


def _table(lines: Iterable[Sequence[str]]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"| {' | '.join(line)} |"
        if number == 0:
            yield f"|{'---|' * len(line)}"
