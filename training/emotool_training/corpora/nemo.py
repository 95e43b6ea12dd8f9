"""nEMO: nine actors saying 90 Polish sentences in six emotions.

Names are ``SPEAKER_emotion_sentence``, for example ``EB0_anger_12``. Surprise is left out, and
the corpus has no disgust.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from emotool_training.corpora.base import CorpusFacts, Excluded, Utterance, of_six

__all__ = ["FACTS", "SEXES", "parse"]

FACTS = CorpusFacts(
    name="nemo",
    title="nEMO, dataset of emotional speech in Polish",
    language="pl",
    licence="CC BY-NC-SA 4.0",
    source="Christop 2024, LREC-COLING 2024, arXiv:2404.06292",
)

SEXES: Mapping[str, str] = {
    "EB0": "female",
    "IC0": "female",
    "KD0": "female",
    "KS0": "male",
    "MP0": "male",
    "TP0": "male",
    "WR0": "male",
}
"""The sex of the speakers whose sex we know; of the others it is ``unknown``."""

_EMOTIONS = {
    "anger": "anger",
    "fear": "fear",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprised": "surprise",
    "surprise": "surprise",
}
_NAME = re.compile(rf"([A-Z]{{2}}\d)_({'|'.join(_EMOTIONS)})_([1-9]\d?)")


def parse(path: Path) -> Utterance | Excluded | None:
    """Read a nEMO name.

    Examples
    --------
    >>> clip = parse(Path("EB0_happiness_12.wav"))
    >>> clip.speaker, clip.sex, clip.emotion, clip.sentence
    ('nemo-EB0', 'female', 'happy', 'nemo-12')
    >>> parse(Path("EB0_surprised_12.wav")).reason
    'surprise'
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return None
    speaker, emotion_word, sentence = match.groups()
    key = f"{FACTS.name}/{path.stem}"
    emotion = _EMOTIONS[emotion_word]
    return of_six(
        Utterance(
            key=key,
            path=path,
            corpus=FACTS.name,
            language=FACTS.language,
            speaker=f"{FACTS.name}-{speaker}",
            sex=SEXES.get(speaker, "unknown"),
            emotion=emotion,
            sentence=f"{FACTS.name}-{sentence}",
        )
    )
