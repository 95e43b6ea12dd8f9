"""The corpora that are recognised by their file names."""

from functools import cache
from pathlib import Path

from emotool_training.corpora import cremad, emodb, nemo, ravdess, tess
from emotool_training.corpora.base import Corpus, CorpusFacts, Excluded, Utterance
from emotool_training.corpora.walk import AUDIO_SUFFIXES

__all__ = ["CORPORA", "facts", "key_of", "known_fault", "parse"]

CORPORA: tuple[Corpus, ...] = (cremad, ravdess, tess, emodb, nemo)
"""The modules, one per corpus; no name fits two of them. A new corpus is one more module here."""


@cache
def facts() -> dict[str, CorpusFacts]:
    """Give what is known about each corpus, by its short name."""
    return {corpus.FACTS.name: corpus.FACTS for corpus in CORPORA}


def parse(path: Path) -> Utterance | Excluded | None:
    """Read a file's name by whichever corpus it belongs to; None where it belongs to none.

    Examples
    --------
    >>> parse(Path("03a01Fa.wav")).corpus, parse(Path("EB0_fear_3.mp3")).corpus
    ('emodb', 'nemo')
    """
    for corpus in CORPORA:
        found = corpus.parse(path)
        if found is not None:
            return found
    return None


def key_of(corpus: str, name: str) -> str:
    """Give the key of a clip named in a table, whatever its suffix there.

    Parameters
    ----------
    corpus : str
        The corpus's short name.
    name : str
        The file's name, with or without suffix. In a known corpus, which has each name once,
        folders do not matter; in one's own they are part of the name.

    Examples
    --------
    >>> key_of("cremad", "anywhere/1040_ITH_SAD_X.mp3")
    'cremad/1040_ITH_SAD_XX'
    >>> key_of("mine", "happy/take.1.wav"), key_of("mine", "happy/take.1")
    ('mine/happy/take.1', 'mine/happy/take.1')
    """
    path = Path(name)
    found = parse(path)
    if found is not None and found.corpus == corpus:
        return found.key
    if corpus in facts():
        return f"{corpus}/{path.stem}"
    stem = path.with_suffix("") if path.suffix.lower() in AUDIO_SUFFIXES else path
    return f"{corpus}/{stem.as_posix()}"


def known_fault(corpus: str, path: Path) -> str:
    """Say what is known to be wrong with a file of a corpus; empty where nothing is."""
    found = facts().get(corpus)
    return found.faults.get(path.stem, "") if found is not None else ""
