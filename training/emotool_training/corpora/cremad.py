"""CREMA-D: 7,442 clips of 91 actors saying 12 English sentences in 6 emotions, 4 levels.

Names are ``ACTOR_SENTENCE_EMOTION_LEVEL``, for example ``1001_IEO_HAP_HI``. The actors' facts in
``cremad_actors.csv`` and the split in ``cremad_split.json`` come with this package.
"""

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from emotool_training.corpora.base import CorpusFacts, Utterance

__all__ = ["FACTS", "SENTENCES", "Actor", "actors", "parse", "published_split"]

FACTS = CorpusFacts(
    name="cremad",
    title="CREMA-D, Crowd-sourced Emotional Multimodal Actors Dataset",
    language="en",
    licence="ODbL 1.0 (database), DbCL 1.0 (contents)",
    source="Cao et al. 2014, doi:10.1109/TAFFC.2014.2336244",
    faults={
        "1040_ITH_SAD_X": "misnamed: the level should be XX",
        "1076_MTI_NEU_XX": "unreadable in some copies",
        "1076_MTI_SAD_XX": "silent",
    },
)

SENTENCES: Mapping[str, str] = {
    "DFA": "Don't forget a jacket",
    "IEO": "It's eleven o'clock",
    "IOM": "I'm on my way to the meeting",
    "ITH": "I think I have a doctor's appointment",
    "ITS": "I think I've seen this before",
    "IWL": "I would like a new alarm clock",
    "IWW": "I wonder what this is about",
    "MTI": "Maybe tomorrow it will be cold",
    "TAI": "The airplane is almost full",
    "TIE": "That is exactly what happened",
    "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
}
"""The twelve sentences by their code."""

_EMOTIONS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
_LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified"}
# A single X is the misspelt level of 1040_ITH_SAD_X.
_NAME = re.compile(
    rf"(10\d\d)_({'|'.join(SENTENCES)})_({'|'.join(_EMOTIONS)})_({'|'.join(_LEVELS)}|X)"
)


@dataclass(frozen=True, slots=True)
class Actor:
    """One of the 91 actors.

    Parameters
    ----------
    number : str
        ``1001`` to ``1091``.
    age : int
        Years, at the recording.
    sex : str
        ``male`` or ``female``.
    race, ethnicity : str
        In the corpus's own words.
    """

    number: str
    age: int
    sex: str
    race: str
    ethnicity: str


@cache
def actors() -> Mapping[str, Actor]:
    """Give the facts about the 91 actors, by number.

    Examples
    --------
    >>> len(actors()), actors()["1001"].age, actors()["1001"].sex
    (91, 51, 'male')
    """
    text = (resources.files("emotool_training.corpora") / "cremad_actors.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    found = (Actor(r["actor"], int(r["age"]), r["sex"], r["race"], r["ethnicity"]) for r in rows)
    return {actor.number: actor for actor in found}


@cache
def published_split() -> Mapping[str, tuple[str, ...]]:
    """Give the published split of the actors: speakers by ``train``, ``validation``, ``test``.

    Examples
    --------
    >>> {subset: len(speakers) for subset, speakers in published_split().items()}
    {'train': 56, 'validation': 18, 'test': 17}
    """
    text = (resources.files("emotool_training.corpora") / "cremad_split.json").read_text("utf-8")
    subsets = json.loads(text)["actors"]
    return {
        subset: tuple(f"{FACTS.name}-{number}" for number in numbers)
        for subset, numbers in subsets.items()
    }


def parse(path: Path) -> Utterance | None:
    """Read a CREMA-D name.

    Examples
    --------
    >>> clip = parse(Path("1001_IEO_HAP_HI.wav"))
    >>> clip.speaker, clip.sex, clip.emotion, clip.intensity, clip.sentence
    ('cremad-1001', 'male', 'happy', 'high', 'cremad-IEO')
    >>> parse(Path("1099_IEO_HAP_HI.wav")) is None
    True
    """
    match = _NAME.fullmatch(path.stem)
    if match is None or match[1] not in actors():
        return None
    number, sentence, emotion, level = match.groups()
    if level == "X":
        level = "XX"
    return Utterance(
        key=f"{FACTS.name}/{number}_{sentence}_{emotion}_{level}",
        path=path,
        corpus=FACTS.name,
        language=FACTS.language,
        speaker=f"{FACTS.name}-{number}",
        sex=actors()[number].sex,
        emotion=_EMOTIONS[emotion],
        intensity=_LEVELS[level],
        sentence=f"{FACTS.name}-{sentence}",
    )
