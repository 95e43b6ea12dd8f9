"""Speech corpora: from folders to clips with emotion, speaker, sex, intensity and sentence.

Give :func:`load_corpora` folders. Five corpora are recognised by their file names, at any depth
and with any audio suffix; other clips by the folder they lie in, or by a CSV manifest. Of the
known corpora, emotions outside the six are left out and counted; other clips may have any label.
"""

from emotool_training.corpora.base import (
    EMOTIONS,
    CorpusFacts,
    Excluded,
    Problem,
    Utterance,
    normalise_emotion,
)
from emotool_training.corpora.index import CorpusIndex, Duplicate
from emotool_training.corpora.load import data_roots, load_corpora
from emotool_training.corpora.registry import CORPORA, facts, key_of, known_fault, parse

__all__ = [
    "CORPORA",
    "EMOTIONS",
    "CorpusFacts",
    "CorpusIndex",
    "Duplicate",
    "Excluded",
    "Problem",
    "Utterance",
    "data_roots",
    "facts",
    "key_of",
    "known_fault",
    "load_corpora",
    "normalise_emotion",
    "parse",
]
