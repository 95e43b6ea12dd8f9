"""EmoDB, the Berlin database: ten actors saying ten German sentences in seven emotions.

Names are speaker, sentence, emotion and version run together, for example ``03a01Fa``. The
emotion's letter is that of its German word. Boredom (L, Langeweile) is left out.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from emotool_training.corpora.base import CorpusFacts, Excluded, Utterance, of_six

__all__ = ["FACTS", "SENTENCES", "SPEAKERS", "parse"]

FACTS = CorpusFacts(
    name="emodb",
    title="EmoDB, Berlin Database of Emotional Speech",
    language="de",
    licence="free for research",
    source="Burkhardt et al. 2005, doi:10.21437/Interspeech.2005-446",
)

SPEAKERS: Mapping[str, tuple[str, int]] = {
    "03": ("male", 31),
    "08": ("female", 34),
    "09": ("female", 21),
    "10": ("male", 32),
    "11": ("male", 26),
    "12": ("male", 30),
    "13": ("female", 32),
    "14": ("female", 35),
    "15": ("male", 25),
    "16": ("female", 31),
}
"""Sex and age in years of the ten speakers."""

SENTENCES: Mapping[str, str] = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}
"""The ten sentences by their code."""

_EMOTIONS = {
    "W": "anger",  # Wut, also Ärger
    "L": "boredom",  # Langeweile
    "E": "disgust",  # Ekel
    "A": "fear",  # Angst
    "F": "happy",  # Freude
    "T": "sad",  # Trauer
    "N": "neutral",
}
_NAME = re.compile(rf"({'|'.join(SPEAKERS)})([ab]\d\d)([{''.join(_EMOTIONS)}])[a-z]?")


def parse(path: Path) -> Utterance | Excluded | None:
    """Read an EmoDB name.

    Examples
    --------
    >>> clip = parse(Path("03a01Fa.wav"))
    >>> clip.speaker, clip.sex, clip.emotion, clip.sentence
    ('emodb-03', 'male', 'happy', 'emodb-a01')
    >>> parse(Path("03a01Lb.wav")).reason
    'boredom'
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return None
    speaker, sentence, letter = match.groups()
    key = f"{FACTS.name}/{path.stem}"
    emotion = _EMOTIONS[letter]
    return of_six(
        Utterance(
            key=key,
            path=path,
            corpus=FACTS.name,
            language=FACTS.language,
            speaker=f"{FACTS.name}-{speaker}",
            sex=SPEAKERS[speaker][0],
            emotion=emotion,
            sentence=f"{FACTS.name}-{sentence}",
        )
    )
