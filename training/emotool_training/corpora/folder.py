"""Clips of your own: a folder per label, such as ``mine/happy/a.wav`` and ``mine/sad/b.wav``.

Such a tree does not say who speaks, and a split that keeps speakers apart needs to know. A
pattern can find the speaker in the path below the folder that was named:

===================================  ===================
``anna/happy/01.wav``                ``^([^/]+)/``
``happy/anna/01.wav``                ``^[^/]+/([^/]+)/``
``happy/anna_01.wav``                ``/([^/_]+)_``
===================================  ===================

Without one the speaker stays unknown (empty), and only a split by clips is possible.

A label may be any word. Words for emotions are recognised at any depth. Another word is a label
where those for emotions are, or else in the folder that was named: ``mine/shouting/a.wav``. What
lies beside clips of a known corpus has no label of that kind.
"""

import re
from collections import Counter
from pathlib import Path

from emotool.errors import CorpusError
from emotool.text import printable
from emotool_training.corpora.base import (
    EMOTIONS,
    OTHER_EMOTIONS,
    Utterance,
    normalise_emotion,
)
from emotool_training.corpora.names import CorpusNames, name_text

__all__ = ["Finder"]


class Finder:
    """Recognises clips by the folder they lie in.

    Parameters
    ----------
    names : CorpusNames
        Names the corpora.
    speaker_pattern : str, optional
        A regular expression, searched in the path below the folder that was named (``/``
        between folders); its first group, or the one named ``speaker``, is the speaker.

    Raises
    ------
    CorpusError
        If the pattern is no regular expression or has no group.
    """

    def __init__(self, names: CorpusNames, speaker_pattern: str | None = None) -> None:
        self._names = names
        self._pattern = None if speaker_pattern is None else _compile(speaker_pattern)
        self._matches = False
        self._depths: dict[Path, Counter[int]] = {}  # of the folders that label, below each root
        self._known: set[Path] = set()  # folders, at any depth, with clips of a known corpus
        self._tried: list[str] = []  # the first path, if any

    def try_pattern(self, inside: str) -> None:
        """Note whether the speaker pattern is found in a path; `check_pattern` asks.

        Parameters
        ----------
        inside : str
            The path of an audio file below the folder that was named.
        """
        if self._pattern is not None and not self._matches:
            self._matches = self._pattern.search(inside) is not None
            self._tried = self._tried or [inside]

    def check_pattern(self) -> None:
        """Refuse a speaker pattern that is in none of the paths tried.

        Raises
        ------
        CorpusError
            That shows one of the paths.
        """
        if self._pattern is not None and self._tried and not self._matches:
            raise CorpusError(
                f"--speaker-pattern {printable(self._pattern.pattern)!r} matches no path, such as "
                f"{printable(self._tried[0])}",
                hint="its first group must find the speaker in such a path: '/([^/_]+)_' finds "
                "anna in happy/anna_01.wav",
            )

    def note_known(self, path: Path, root: Path) -> None:
        """Note that a clip below ``root`` belongs to a known corpus, by its own name."""
        self._known.update(folder for folder in path.parents if folder.is_relative_to(root))

    def parse(self, path: Path, root: Path) -> Utterance | None:
        """Read a clip's label from the nearest folder that is named by an emotion.

        Parameters
        ----------
        path : Path
            The clip, below ``root``.
        root : Path
            The folder that was named; it may itself be named by an emotion.

        Returns
        -------
        Utterance or None
            None where no folder is named by an emotion.
        """
        for folder in path.parents:
            name = folder.name if folder != root else root.resolve().name
            if normalise_emotion(name) in (*EMOTIONS, *OTHER_EMOTIONS):
                label = self._names.label(name)
                # mine/happy and mine/sad, named one by one, are one corpus: mine.
                home = root.resolve().parent if folder == root else root.resolve()
                prefix = f"{name}/" if folder == root else ""
                depth = len(folder.parts) - len(root.parts) - 1
                self._depths.setdefault(root, Counter())[depth] += 1
                return self._clip(path, home, prefix + path.relative_to(root).as_posix(), label)
            if folder == root:
                break
        return None

    def parse_free(self, path: Path, root: Path) -> Utterance | None:
        """Read a label that is no emotion, after all other clips below ``root`` are read.

        Parameters
        ----------
        path : Path
            A clip that `parse` has no label for.
        root : Path
            The folder that was named.

        Returns
        -------
        Utterance or None
            None where no folder can be its label.
        """
        inside = path.relative_to(root)
        depths = self._depths.get(root, Counter({0: 1}))
        depth = max(0, min(depths, key=lambda one: (-depths[one], one)))
        speaker = self.speaker(inside.as_posix())
        while speaker and inside.parts[depth : depth + 1] == (speaker,):
            depth += 1
        if (
            depth >= len(inside.parts) - 1
            or root.joinpath(*inside.parts[: depth + 1]) in self._known
        ):
            return None
        label = self._names.label(name_text(inside.parts[depth]))
        return self._clip(path, root.resolve(), inside.as_posix(), label)

    def _clip(self, path: Path, home: Path, inside: str, label: str) -> Utterance:
        """Describe a clip that lies at ``inside`` below its corpus's home."""
        corpus = self._names.of(home)
        key = f"{corpus}/{name_text(inside.removesuffix(path.suffix))}"
        speaker = self.speaker(inside)
        return Utterance(
            key=key,
            path=path,
            corpus=corpus,
            language="",
            speaker=f"{corpus}-{speaker}" if speaker else "",
            sex="unknown",
            emotion=label.replace("_", " "),
        )

    def speaker(self, inside: str) -> str:
        """Find the speaker in a clip's path; empty where the pattern is not there."""
        match = self._pattern.search(inside) if self._pattern else None
        if match is None:
            return ""
        return name_text(match.groupdict().get("speaker") or match[1] or "")


def _compile(pattern: str) -> re.Pattern[str]:
    """Compile a speaker pattern; `CorpusError` if it is invalid."""
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise CorpusError(
            f"speaker pattern {pattern!r}: {error}", hint="an example: '/([^/_]+)_'"
        ) from error
    if not compiled.groups:
        raise CorpusError(
            f"speaker pattern {pattern!r} has no group",
            hint="put round brackets around the part that names the speaker: '/([^/_]+)_'",
        )
    return compiled
