"""RAVDESS: 24 actors saying two English sentences in eight emotions, two intensities.

Names are seven numbers: modality, channel, emotion, intensity, statement, repetition, actor,
for example ``03-01-06-01-02-01-12``. Song (channel 02), video (modalities 01 and 02), calm and
surprise are left out.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from emotool_training.corpora.base import CorpusFacts, Excluded, Utterance, of_six

__all__ = ["FACTS", "SENTENCES", "parse"]

FACTS = CorpusFacts(
    name="ravdess",
    title="RAVDESS, Ryerson Audio-Visual Database of Emotional Speech and Song",
    language="en",
    licence="CC BY-NC-SA 4.0",
    source="Livingstone & Russo 2018, doi:10.1371/journal.pone.0196391",
)

SENTENCES: Mapping[str, str] = {
    "01": "Kids are talking by the door",
    "02": "Dogs are sitting by the door",
}
"""The two statements by their number."""

_EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
_INTENSITIES = {"01": "normal", "02": "strong"}
_NAME = re.compile(r"(0[123])-(0[12])-(0[1-8])-(0[12])-(0[12])-(0[12])-(0[1-9]|1\d|2[0-4])")


def parse(path: Path) -> Utterance | Excluded | None:
    """Read a RAVDESS name.

    Examples
    --------
    >>> clip = parse(Path("03-01-06-02-02-01-12.wav"))
    >>> clip.speaker, clip.sex, clip.emotion, clip.intensity, clip.sentence
    ('ravdess-12', 'female', 'fear', 'strong', 'ravdess-02')
    >>> parse(Path("03-01-02-01-02-01-12.wav")).reason
    'calm'
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return None
    modality, channel, emotion_code, intensity, statement, _, actor = match.groups()
    key = f"{FACTS.name}/{path.stem}"
    emotion = _EMOTIONS[emotion_code]
    reason = ""
    if modality != "03":
        reason = "video"
    elif channel != "01":
        reason = "song"
    if reason:
        return Excluded(key, path, FACTS.name, reason)
    return of_six(
        Utterance(
            key=key,
            path=path,
            corpus=FACTS.name,
            language=FACTS.language,
            speaker=f"{FACTS.name}-{actor}",
            sex="male" if int(actor) % 2 else "female",  # odd numbers are men
            emotion=emotion,
            intensity=_INTENSITIES[intensity],
            sentence=f"{FACTS.name}-{statement}",
        )
    )
