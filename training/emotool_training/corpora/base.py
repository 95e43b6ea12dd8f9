"""What corpus parsers return: utterances with a label, excluded clips, problems.

A corpus is a module with :data:`FACTS` and ``parse(path)``. ``parse`` looks at the file's name
alone, never at its content or its folder, so a corpus is recognised at any depth, with any
audio suffix, and beside any other corpus.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

__all__ = [
    "EMOTIONS",
    "Corpus",
    "CorpusFacts",
    "Excluded",
    "Problem",
    "Utterance",
    "normalise_emotion",
    "of_six",
    "plain_word",
]

EMOTIONS = ("anger", "disgust", "fear", "happy", "neutral", "sad")
"""The emotions of the known corpora, in the order of every table. Clips of one's own may have any
other label beside them."""

# Words for the six emotions in folder names and manifests. Words that mean something else
# (calm, surprise, boredom, excitement) are absent on purpose: they are never merged.
_WORDS: Mapping[str, str] = {
    **{emotion: emotion for emotion in EMOTIONS},
    "angry": "anger",
    "ang": "anger",
    "disgusted": "disgust",
    "dis": "disgust",
    "fearful": "fear",
    "fea": "fear",
    "happiness": "happy",
    "joy": "happy",
    "hap": "happy",
    "neu": "neutral",
    "sadness": "sad",
}

# Words for emotions that are not among the six: a folder of such a name is a label at any depth.
OTHER_EMOTIONS = frozenset(
    {"boredom", "bored", "calm", "contempt", "excited", "excitement", "frustrated"}
    | {"frustration", "ps", "pleasant surprise", "pleasant_surprise", "pleasant_surprised"}
    | {"surprise", "surprised"}
)


def normalise_emotion(word: str) -> str:
    r"""Normalise a word for an emotion to its name.

    Parameters
    ----------
    word : str
        A folder's name or a manifest's cell; case and surrounding space do not matter.

    Returns
    -------
    str
        One of :data:`EMOTIONS` where the word means one of them, else the word itself in
        lower case and composed Unicode (NFC): two systems may write one word in two ways.

    Examples
    --------
    >>> normalise_emotion(" Happiness")
    'happy'
    >>> normalise_emotion("Calm")
    'calm'
    >>> normalise_emotion("scho\u0308n") == normalise_emotion("schön")
    True
    """
    word = plain_word(word)
    return _WORDS.get(word, word)


def plain_word(word: str) -> str:
    """Return a word in lower case and composed Unicode (NFC), without spaces around it."""
    return unicodedata.normalize("NFC", word.strip().lower())


@dataclass(frozen=True, slots=True)
class Utterance:
    """One clip of speech with its corpus's metadata.

    Parameters
    ----------
    key : str
        Names the clip wherever it lies: ``corpus/stem``, the file's suffix left out, so that
        the same clip in two formats has one key. It and the other names are text, even where
        a file's is none (`emotool_training.corpora.names.name_text`).
    path : Path
        Where the audio is.
    corpus, language : str
        The corpus's name, and an ISO 639-1 code (empty where unknown).
    speaker : str
        ``corpus-id``; empty where the speaker is unknown.
    sex : str
        ``male``, ``female`` or ``unknown``.
    emotion : str
        One of :data:`EMOTIONS`, or another label in lower case.
    intensity, sentence : str
        As the corpus names them (``strong``; ``ravdess-01``); empty where it does not.
    """

    key: str
    path: Path
    corpus: str
    language: str
    speaker: str
    sex: str
    emotion: str
    intensity: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Excluded:
    """A clip that belongs to a corpus and is left out on purpose, with the reason.

    Parameters
    ----------
    key, path, corpus : str, Path, str
        As in :class:`Utterance`.
    reason : str
        Why: an emotion outside the six, singing, video.
    clip : Utterance or None
        The clip as it is used where a label outside the six is asked for; None where it never is.
    """

    key: str
    path: Path
    corpus: str
    reason: str
    clip: Utterance | None = field(default=None, compare=False)


def of_six(clip: Utterance) -> Utterance | Excluded:
    """Leave out a clip of a known corpus whose emotion is outside the six."""
    if clip.emotion in EMOTIONS:
        return clip
    return Excluded(clip.key, clip.path, clip.corpus, clip.emotion, clip)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a file, a folder or a manifest's row.

    Parameters
    ----------
    kind : str
        ``unrecognised``, ``git-lfs pointer``, ``misnamed``, ``missing``, ``bad row``,
        ``described twice``, ``same name``, ``unreadable``, ``silent``, ``too short`` or
        ``same sound``.
    path : Path
        The file it concerns.
    message : str
        One line: the problem and, where there is one, its solution.
    """

    kind: str
    path: Path
    message: str


@dataclass(frozen=True, slots=True)
class CorpusFacts:
    """Facts about a corpus, for messages and model cards.

    Parameters
    ----------
    name, title, language : str
        Short name, full name, ISO 639-1 code.
    licence, source : str
        The terms of the recordings, and the publication that describes them.
    faults : mapping of str to str
        Stems of files that are known to be faulty, and how.
    """

    name: str
    title: str
    language: str
    licence: str
    source: str
    faults: Mapping[str, str] = field(default_factory=dict)


class Corpus(Protocol):
    """What a corpus module offers (``parse`` is a function of the module)."""

    FACTS: CorpusFacts

    def parse(self, path: Path) -> Utterance | Excluded | None:
        """Read one file's name: an utterance, a clip to leave out, or not of this corpus."""
