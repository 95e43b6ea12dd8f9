"""Names in corpora of your own: of corpora, clips and speakers, no name twice, and of labels."""

import re
from collections.abc import Iterable
from pathlib import Path

from emotool.text import path_text
from emotool_training.corpora.base import normalise_emotion, plain_word

__all__ = ["CorpusNames", "name_text"]

_LIKE_A_BYTE = re.compile(r"\\x[89a-f][0-9a-f]")


def name_text(name: str) -> str:
    r"""Write a file's name as Unicode text that no other name has.

    Keys and speakers are kept in files of UTF-8, and not every byte of a name is a character:
    those that are none become ``\xNN``. For the sake of a name that holds such letters itself,
    backslashes are doubled in both; all other names stay as they are.

    Examples
    --------
    >>> print(name_text("caf\udce9"), name_text(r"caf\xe9"), name_text(r"a\b"))
    caf\xe9 caf\\xe9 a\b
    """
    text = path_text(name)
    if text == name and not _LIKE_A_BYTE.search(name):
        return name
    return path_text(name.replace("\\", "\\\\"))


class CorpusNames:
    """Names a corpus by its folder or manifest, and a label by a word for it.

    Two folders with one name are two corpora: ``anna`` in one and ``anna`` in the other need
    not be one speaker, nor ``happy/01.wav`` one clip.

    Parameters
    ----------
    taken : iterable of str
        Names that are given already.

    Attributes
    ----------
    synonyms : dict of str to str
        Words for labels that were read as others, in lower case, and the labels.

    Examples
    --------
    >>> names = CorpusNames(["ravdess"])
    >>> names.of(Path("/a/mine")), names.of(Path("/b/mine")), names.of(Path("/a/mine"))
    ('mine', 'mine-2', 'mine')
    >>> names.of(Path("/a/ravdess")), names.of(Path("/a/list.csv")), names.of(Path("/a/v1.5"))
    ('ravdess-2', 'list', 'v1.5')
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.synonyms: dict[str, str] = {}
        self._taken = set(taken)
        self._given: dict[Path, str] = {}

    def label(self, word: str) -> str:
        """Give the label that a word means (`emotool_training.corpora.base.normalise_emotion`).

        Examples
        --------
        >>> names = CorpusNames()
        >>> names.label("Joy"), names.label("shouting"), names.synonyms
        ('happy', 'shouting', {'joy': 'happy'})
        """
        label = normalise_emotion(word)
        if (said := plain_word(word)) != label:
            self.synonyms[said] = label
        return label

    def of(self, home: Path) -> str:
        """Give the name of the corpus in a folder or manifest."""
        home = home.resolve()
        if home not in self._given:
            base = home.stem if home.suffix in (".csv", ".tsv") else home.name
            name = base = name_text(base) or "folder"
            count = 1
            while name in self._taken:
                count += 1
                name = f"{base}-{count}"
            self._taken.add(name)
            self._given[home] = name
        return self._given[home]
