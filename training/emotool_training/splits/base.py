"""A split: three lists of clips, whether speakers are shared, and a digest."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from emotool.errors import CorpusError
from emotool_training.corpora import Utterance

__all__ = [
    "NOT_COMPARABLE",
    "SHARE",
    "SUBSETS",
    "Split",
    "check_shares",
    "make_split",
    "require_speakers",
]

SUBSETS = ("train", "validation", "test")

NOT_COMPARABLE = "not comparable: speakers are shared between training and test"
"""Warning in every output of a split by clips: test speakers were in training."""

SHARE = 0.15
"""Default shares of the clips that validate, and of those that test."""


@dataclass(frozen=True, slots=True)
class Split:
    """Clips to train on, to stop training by, and to test on.

    Parameters
    ----------
    kind : str
        ``speakers``, ``clips``, ``cremad`` or ``folds``.
    train, validation, test : tuple of Utterance
        Sorted by key.
    digest : str
        SHA-256, hexadecimal, over the sorted keys with their subsets: equal where the same
        clips are on the same sides, wherever they lie.
    comparable : bool
        True where no speaker is on two sides. Figures from other splits say nothing about new
        speakers.
    description : str
        One line for people.
    skipped : str
        One line on what of the data could not be used, for people; empty where all could.
    """

    kind: str
    train: tuple[Utterance, ...]
    validation: tuple[Utterance, ...]
    test: tuple[Utterance, ...]
    digest: str
    comparable: bool
    description: str
    skipped: str = field(default="", compare=False)

    def subsets(self) -> dict[str, tuple[Utterance, ...]]:
        """Give the three lists by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def to_dict(self) -> dict[str, Any]:
        """Return the split as a run stores it: without paths and unusable clips."""
        subsets = self.subsets()
        return {
            "kind": self.kind,
            "comparable": self.comparable,
            "description": self.description,
            "digest": self.digest,
            "speakers": {
                name: sorted({u.speaker for u in clips}) for name, clips in subsets.items()
            },
            "clips": {name: [u.key for u in clips] for name, clips in subsets.items()},
        }


def make_split(
    kind: str,
    subsets: Sequence[Iterable[Utterance]],
    description: str,
    *,
    comparable: bool = True,
    tested: bool = True,
) -> Split:
    """Build a split and check that its sides do not overlap.

    Parameters
    ----------
    kind : str
        As in :class:`Split`.
    subsets : three iterables of Utterance
        Training, validation and test clips, in any order.
    description : str
        One line; :data:`NOT_COMPARABLE` is added where speakers may be shared.
    comparable : bool
        Promise that no speaker is on two sides.
    tested : bool
        Whether there must be test clips; a model that is to be given away tests on none.

    Raises
    ------
    CorpusError
        If a clip is on two sides, a side is empty that must not be, or the promise does not hold.
    """
    train, validation, test = (tuple(sorted(s, key=lambda u: u.key)) for s in subsets)
    sides = dict(zip(SUBSETS, (train, validation, test), strict=True))
    for name, clips in sides.items():
        if not clips and (tested or name != "test"):
            raise CorpusError(f"{description}: no clip is left for {name}")
    placed: dict[str, str] = {}
    heard: dict[str, str] = {}
    for name, clips in sides.items():
        for clip in clips:
            if clip.key in placed:
                raise CorpusError(f"{clip.key} is in {placed[clip.key]} and in {name}")
            placed[clip.key] = name
            side = heard.setdefault(clip.speaker, name)
            if comparable and side != name:
                raise CorpusError(f"speaker {clip.speaker} is in {side} and in {name}")
    if comparable:
        require_speakers(train + validation + test)
    else:
        description = f"{description}; {NOT_COMPARABLE}"
    return Split(kind, train, validation, test, _digest(placed), comparable, description)


def require_speakers(utterances: Iterable[Utterance]) -> None:
    """Refuse clips whose speaker is unknown: they cannot be kept on one side.

    Raises
    ------
    CorpusError
        If there is one; the hint names the choices.
    """
    unknown = [u for u in utterances if not u.speaker]
    if unknown:
        raise CorpusError(
            f"{len(unknown)} clips have no speaker (first: {unknown[0].path}), so "
            "speakers cannot be kept apart",
            hint="find the speaker in the path with --speaker-pattern '/([^/_]+)_', list it in "
            "a CSV manifest, or take --split clips, whose figures are not comparable",
        )


def check_shares(validation: float, test: float) -> None:
    """Refuse shares that leave nothing to train on.

    Raises
    ------
    CorpusError
        If they do.
    """
    if not (validation > 0 and test >= 0 and validation + test < 1):
        raise CorpusError(
            f"shares of {validation:g} for validation and {test:g} for test leave no training",
            hint="both lie between 0 and 1, and so does their sum",
        )


def _digest(placed: dict[str, str]) -> str:
    """Hash which clip is on which side."""
    lines = "".join(f"{subset}\t{key}\n" for key, subset in sorted(placed.items()))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()
