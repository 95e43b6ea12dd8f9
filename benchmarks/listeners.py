"""How often people are right: CREMA-D's listeners, voice only.

CREMA-D (Cao et al. 2014, doi:10.1109/TAFFC.2014.2336244) had every clip judged by people who
heard the voice without the face. A vote is right when it names the emotion that the actor
was asked to show. The votes are counted from a table of clips with one ``votes_<emotion>``
column for each of the six emotions.

These are other clips than the models' figures are about, and people who may choose among six
emotions answer another question than a model that must say happy or sad: the figures stand
beside each other, no more.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emotool_training.corpora import EMOTIONS
from emotool_training.corpora.base import Utterance
from emotool_training.corpora.cremad import parse

__all__ = ["Listeners", "count_votes"]


@dataclass(frozen=True)
class Listeners:
    """Votes of human listeners.

    Parameters
    ----------
    right : int
        Votes for the emotion that was acted.
    votes : int
        All votes counted.
    """

    right: int
    votes: int

    @property
    def share(self) -> float:
        """Share of right votes, 0 … 1."""
        return self.right / self.votes


def count_votes(path: Path, labels: Sequence[str] = EMOTIONS) -> Listeners:
    """Count the votes for some labels on clips acted as one of them.

    With ``("happy", "sad")``: of the votes for happy or sad on happy and sad clips, how many
    were right. Votes for other emotions are left out, as a model that knows only the two
    could not give them.

    Parameters
    ----------
    path : Path
        CSV with the columns ``clip`` and ``votes_<emotion>``.
    labels : sequence of str
        Emotions among the six.

    Returns
    -------
    Listeners

    Raises
    ------
    ValueError
        If a clip's name is not CREMA-D's.
    """
    right = votes = 0
    with path.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            clip = parse(Path(f"{row['clip']}.wav"))
            if not isinstance(clip, Utterance):
                raise ValueError(f"{path}: {row['clip']} is no CREMA-D clip")
            if clip.emotion in labels:
                right += int(row[f"votes_{clip.emotion}"])
                votes += sum(int(row[f"votes_{label}"]) for label in labels)
    return Listeners(right, votes)
