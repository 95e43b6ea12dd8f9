"""The report of ``emotool data check``: clips counted by corpus, emotion and speaker."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emotool_training.corpora import EMOTIONS, Problem, Utterance

__all__ = ["Report", "Row", "rows_by_corpus", "rows_by_speaker"]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: a corpus, or one of its speakers.

    Parameters
    ----------
    corpus, language, speaker, sex : str
        Speaker and sex are empty in a corpus's own row; an unknown speaker is ``unknown``.
    speakers : int
        How many there are.
    emotions : dict of str to int
        Clips by emotion, in the order of :data:`emotool_training.corpora.EMOTIONS`,
        then by other labels.
    clips : int
        Their sum.
    duration_s : float
        Decoded seconds.
    """

    corpus: str
    language: str
    speaker: str
    sex: str
    speakers: int
    emotions: dict[str, int]
    clips: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """What is there, and what is wrong.

    Parameters
    ----------
    corpora, speakers : tuple of Row
        Sorted by name.
    excluded : tuple of (corpus, reason, count)
        Clips left out on purpose.
    copies : int
        Further copies of clips (another format or folder), left out.
    problems : tuple of Problem
        Everything wrong, by kind and path.
    """

    corpora: tuple[Row, ...]
    speakers: tuple[Row, ...]
    excluded: tuple[tuple[str, str, int], ...]
    copies: int
    problems: tuple[Problem, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """Give the report as it is written for programs (schema version 1)."""
        return {
            "schema_version": 1,
            "ok": self.sound,
            "corpora": [_row_dict(row, "speaker", "sex") for row in self.corpora],
            "speakers": [_row_dict(row, "speakers") for row in self.speakers],
            "excluded": [
                {"corpus": corpus, "reason": reason, "clips": count}
                for corpus, reason, count in self.excluded
            ],
            "copies_left_out": self.copies,
            "problems": [
                {"kind": p.kind, "path": p.path.as_posix(), "message": p.message}
                for p in self.problems
            ],
        }


def rows_by_corpus(clips: Sequence[Utterance], seconds: Sequence[float]) -> tuple[Row, ...]:
    """Count clips and seconds by corpus; ``seconds`` holds each clip's duration."""
    return _rows(clips, seconds, [(clip.corpus, "") for clip in clips])


def rows_by_speaker(clips: Sequence[Utterance], seconds: Sequence[float]) -> tuple[Row, ...]:
    """Count clips and seconds by speaker; ``seconds`` holds each clip's duration."""
    return _rows(clips, seconds, [(clip.corpus, clip.speaker or "unknown") for clip in clips])


def _rows(
    clips: Sequence[Utterance], seconds: Sequence[float], groups: Sequence[tuple[str, str]]
) -> tuple[Row, ...]:
    """Count clips and seconds by group (corpus, speaker)."""
    others = sorted({clip.emotion for clip in clips} - set(EMOTIONS))
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for position, group in enumerate(groups):
        members[group].append(position)
    rows = []
    for (corpus, speaker), positions in sorted(members.items()):
        inside = [clips[position] for position in positions]
        counts = Counter(clip.emotion for clip in inside)
        rows.append(
            Row(
                corpus=corpus,
                language=inside[0].language,
                speaker=speaker,
                sex=inside[0].sex if speaker else "",
                speakers=len({clip.speaker for clip in inside if clip.speaker}),
                emotions={emotion: counts[emotion] for emotion in (*EMOTIONS, *others)},
                clips=len(inside),
                duration_s=sum(seconds[position] for position in positions),
            )
        )
    return tuple(rows)


def _row_dict(row: Row, *left_out: str) -> dict[str, Any]:
    """Give a row for programs, without the cells that it does not have."""
    cells = {name: getattr(row, name) for name in row.__slots__ if name not in left_out}
    return cells | {"duration_s": round(row.duration_s, 3)}
