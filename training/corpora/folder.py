"""Clips of your own: one folder per label, such as ``mine/happy/a.wav`` and ``mine/sad/b.wav``.

Such a tree does not say who speaks, and a split that keeps speakers apart needs to know. A
pattern can find the speaker in the path below the folder: ``^[^/]+/([^/]+)/`` for
``happy/anna/a.wav``, ``/([^/_]+)_[^/]*$`` for ``happy/anna_03.wav``. Without one the speaker
stays unknown (empty), and only a split by clips is possible.
"""

import re
from pathlib import Path

from emotool.errors import CorpusError
from training.corpora.base import (
    EMOTIONS,
    OTHER_EMOTIONS,
    Excluded,
    Utterance,
    normalise_emotion,
)

__all__ = ["Finder"]


class Finder:
    """Recognises clips by the folder they lie in.

    Parameters
    ----------
    speaker_pattern : str, optional
        A regular expression, searched in the path from the label's folder on (``/`` between
        folders); its first group, or the one named ``speaker``, is the speaker.

    Raises
    ------
    CorpusError
        If the pattern is no regular expression or has no group.
    """

    def __init__(self, speaker_pattern: str | None = None) -> None:
        self._pattern: re.Pattern[str] | None = None
        # Two folders with one name are two corpora: their speakers and clips are not the same.
        self._names: dict[Path, str] = {}
        if speaker_pattern is None:
            return
        try:
            self._pattern = re.compile(speaker_pattern)
        except re.error as error:
            raise CorpusError(
                f"speaker pattern {speaker_pattern!r}: {error}", hint="example: '/([^/_]+)_'"
            ) from error
        if not self._pattern.groups:
            raise CorpusError(
                f"speaker pattern {speaker_pattern!r} has no group",
                hint="put round brackets around the part that names the speaker: '/([^/_]+)_'",
            )

    def parse(self, path: Path, root: Path) -> Utterance | Excluded | None:
        """Read a clip's label from the nearest folder that is named by an emotion.

        Parameters
        ----------
        path : Path
            The clip, below ``root``.
        root : Path
            The folder that was named; it may itself be named by an emotion.

        Returns
        -------
        Utterance, Excluded or None
            Excluded where the folder is named by an emotion outside the six; None where no
            folder is named by one.
        """
        for label_folder in path.parents:
            label = normalise_emotion(label_folder.name)
            if label in EMOTIONS or label.replace(" ", "_") in OTHER_EMOTIONS:
                return self._clip(path, label_folder, label)
            if label_folder == root:
                break
        return None

    def _clip(self, path: Path, label_folder: Path, label: str) -> Utterance | Excluded:
        """Describe a clip below a folder named by its label."""
        home = label_folder.resolve().parent
        corpus = self._corpus_name(home)
        inside = f"{label_folder.name}/{path.relative_to(label_folder).as_posix()}"
        key = f"{corpus}/{inside.removesuffix(path.suffix)}"
        if label not in EMOTIONS:
            return Excluded(key, path, corpus, label)
        match = self._pattern.search(inside) if self._pattern else None
        speaker = ""
        if match is not None:
            groups = match.groupdict()
            speaker = groups.get("speaker") or match[1] or ""
        return Utterance(
            key=key,
            path=path,
            corpus=corpus,
            language="",
            speaker=f"{corpus}-{speaker}" if speaker else "",
            sex="unknown",
            emotion=label,
        )

    def _corpus_name(self, home: Path) -> str:
        """Name the corpus by the folder that holds the labels' folders, no name twice."""
        if home not in self._names:
            name = base = home.name or "folder"
            count = 1
            while name in self._names.values():
                count += 1
                name = f"{base}-{count}"
            self._names[home] = name
        return self._names[home]
