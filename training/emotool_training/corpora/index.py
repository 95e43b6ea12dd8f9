"""The index of clips found below the folders of training data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from emotool.errors import CorpusError
from emotool.text import printable
from emotool_training.corpora.base import Excluded, Problem, Utterance, normalise_emotion

__all__ = ["CorpusIndex", "Duplicate"]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A second copy of a clip (another format or folder), left out in favour of ``kept``."""

    path: Path
    kept: Path


@dataclass(frozen=True, slots=True)
class CorpusIndex:
    """The clips below some folders; every audio file is in exactly one list.

    Parameters
    ----------
    utterances : tuple of Utterance
        The clips, sorted by key; no key twice.
    excluded : tuple of Excluded
        Clips left out on purpose (an emotion outside the six, song, video).
    duplicates : tuple of Duplicate
        Further copies of clips, left out.
    problems : tuple of Problem
        Files that no corpus claims, Git-LFS pointers, missing files, unreadable folders.
    synonyms : mapping of str to str
        Words for labels that were read as others, and the labels.
    """

    utterances: tuple[Utterance, ...]
    excluded: tuple[Excluded, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    problems: tuple[Problem, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict)

    def with_labels(self, labels: Sequence[str]) -> "CorpusIndex":
        """Keep the utterances whose emotion is one of ``labels``; the rest stays as it is.

        Raises
        ------
        CorpusError
            If no clip has one of the labels: a model cannot learn it.
        """
        there = self.labels
        missing = [label for label in labels if label not in there]
        if missing:
            raise CorpusError(
                f"no clip is labelled {' or '.join(missing)}; there is {', '.join(sorted(there))}",
                hint=f"choose labels with --labels, such as {','.join(sorted(there))}",
            )
        return self.among(labels)

    def among(self, labels: Sequence[str]) -> "CorpusIndex":
        """Keep the utterances whose emotion is one of ``labels``, be there some of each or not.

        Clips of known corpora that are left out for such an emotion are among them. A label may be
        another word for one of the six emotions: ``angry`` keeps the clips of ``anger``, and
        becomes their label.
        """
        words = {label: label for label in labels}
        for label in labels:
            words.setdefault(normalise_emotion(label), label)
        asked = {e.key: e.clip for e in self.excluded if e.clip and e.clip.emotion in words}
        kept = [u for u in self.utterances if u.emotion in words] + list(asked.values())
        rest = tuple(e for e in self.excluded if e.key not in asked)
        named = [replace(clip, emotion=words[clip.emotion]) for clip in kept]
        named.sort(key=lambda clip: clip.key)
        return replace(self, utterances=tuple(named), excluded=rest)

    @property
    def labels(self) -> set[str]:
        """All labels that clips have, also those outside the six of known corpora."""
        left_out = {e.clip.emotion for e in self.excluded if e.clip is not None}
        return {u.emotion for u in self.utterances} | left_out

    @property
    def skipped(self) -> str:
        """One line on what could not be used; empty where nothing is wrong."""
        if not self.problems:
            return ""
        counts = Counter(problem.kind for problem in self.problems)
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items()))
        first = self.problems[0]
        return (
            f"not used: {kinds}; first: {printable(str(first.path))}: {printable(first.message)}; "
            "`emotool data check` lists all"
        )
