"""TESS: two women saying 200 English words in a carrier phrase, in seven emotions.

Names are ``SPEAKER_word_emotion``, for example ``OAF_back_angry``. OAF is the older, YAF the
younger speaker. Pleasant surprise (``ps``) is left out.
"""

import re
from pathlib import Path

from emotool_training.corpora.base import CorpusFacts, Excluded, Utterance, of_six

__all__ = ["FACTS", "parse"]

FACTS = CorpusFacts(
    name="tess",
    title="TESS, Toronto emotional speech set",
    language="en",
    licence="CC BY-NC-ND 4.0",
    source="Pichora-Fuller & Dupuis 2020, doi:10.5683/SP2/E8H2MF",
    faults={"OA_bite_neutral": "misnamed: the speaker should be OAF"},
)

_EMOTIONS = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "sad": "sad",
    "ps": "pleasant surprise",
}
# One published file is named OA_bite_neutral.
_NAME = re.compile(rf"(OAF|YAF|OA)_([a-z]+)_({'|'.join(_EMOTIONS)})")


def parse(path: Path) -> Utterance | Excluded | None:
    """Read a TESS name. The sentence is the word in "Say the word ...".

    Examples
    --------
    >>> clip = parse(Path("YAF_back_angry.wav"))
    >>> clip.speaker, clip.sex, clip.emotion, clip.sentence
    ('tess-YAF', 'female', 'anger', 'tess-back')
    >>> parse(Path("YAF_back_ps.wav")).reason
    'pleasant surprise'
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return None
    speaker, word, emotion_word = match.groups()
    if speaker == "OA":
        speaker = "OAF"
    key = f"{FACTS.name}/{speaker}_{word}_{emotion_word}"
    emotion = _EMOTIONS[emotion_word]
    return of_six(
        Utterance(
            key=key,
            path=path,
            corpus=FACTS.name,
            language=FACTS.language,
            speaker=f"{FACTS.name}-{speaker}",
            sex="female",
            emotion=emotion,
            sentence=f"{FACTS.name}-{word}",
        )
    )
