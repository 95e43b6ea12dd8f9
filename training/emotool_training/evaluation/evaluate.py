"""Evaluate an exported model on labelled clips, with the pipeline of ``classify``.

Clips are grouped by whether their speaker was in training: only on new speakers do figures
predict accuracy on other people's recordings.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotool.errors import TrainingError
from emotool.inputs.clips import Clip
from emotool.model.classifier import Classifier
from emotool.model.metadata import ModelMetadata
from emotool.results.row import ClipResult
from emotool.run.pipeline import classify_clips
from emotool.workers.pool import PoolOptions
from emotool_training.corpora import Utterance, facts
from emotool_training.evaluation.predictions import FACTS, Predictions
from emotool_training.evaluation.scores import score
from emotool_training.evaluation.thresholds import LEVELS, thresholds

__all__ = ["GROUPS", "Evaluation", "TrainedOn", "evaluate"]

GROUPS = {
    "new": "new speakers (none of their names occurs in training)",
    "heard": "speakers the model was trained on (not comparable: speakers shared)",
    "unknown": "speakers that may have been in training (overlap with training unknown)",
}
"""Groups of clips, the most informative first, and their descriptions."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model's predictions and their scores.

    Parameters
    ----------
    predictions : Predictions
        Of the clips that got a label, sorted by key; their subset is one of `GROUPS`.
    unanswered : tuple of ClipResult
        Clips that got none; ``shown`` is their key.
    figures : dict of str to dict
        By group, as `emotool_training.evaluation.scores.score` gives them, and under
        ``min_confidence`` the thresholds of `emotool_training.evaluation.thresholds` for each of
        its ``LEVELS``; groups without clips are left out.
    """

    predictions: Predictions
    unanswered: tuple[ClipResult, ...]
    figures: Mapping[str, Mapping[str, Any]]

    @property
    def headline(self) -> str:
        """The most informative group that has clips."""
        return next(name for name in GROUPS if name in self.figures)


def evaluate(
    classifier: Classifier,
    utterances: Sequence[Utterance],
    options: PoolOptions | None = None,
    *,
    batch_size: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Classify labelled clips and score the predictions.

    Parameters
    ----------
    classifier : Classifier
        A loaded model.
    utterances : sequence of Utterance
        Clips whose emotions are all among the model's labels.
    options : PoolOptions, optional
        How clips are read.
    batch_size : int, optional
        Windows given to the model at once.
    progress : callable, optional
        Called with how many of how many clips are done.

    Returns
    -------
    Evaluation

    Raises
    ------
    TrainingError
        If no clip got a label, or an emotion is not among the labels.
    """
    clips = [Clip(i, u.key, os.fspath(u.path)) for i, u in enumerate(utterances)]
    labelled: list[Utterance] = []
    rows: list[tuple[float, ...]] = []
    unanswered: list[ClipResult] = []
    for result in classify_clips(clips, classifier, options, batch_size=batch_size):
        if result.status == "ok":
            labelled.append(utterances[result.index])
            rows.append(result.probabilities)
        else:
            unanswered.append(result)
        if progress is not None:
            progress(len(rows) + len(unanswered), len(clips))
    if not rows:
        first = f"; the first, {unanswered[0].shown}: {unanswered[0].error}" if clips else ""
        raise TrainingError(f"none of {len(clips)} clips got a label{first}")
    predictions = Predictions(
        classifier.labels,
        _facts(labelled, TrainedOn.by(classifier.metadata)),
        np.array(rows, dtype=np.float64),  # [clips, labels]
    )
    figures = {group: _figures(part) for group in GROUPS if len(part := predictions.subset(group))}
    return Evaluation(predictions, tuple(unanswered), figures)


def _figures(part: Predictions) -> dict[str, Any]:
    """Score some clips, and find what to do to be correct more often."""
    found = thresholds(part)
    return {**score(part), "min_confidence": [found.level(wanted) for wanted in LEVELS]}


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """The speakers that a model was trained on.

    `speakers` are the names of all that it was trained or stopped by; empty where it does not
    say. `strangers` is whether some are of corpora whose names anyone may give: the same people
    may come under another name.
    """

    speakers: frozenset[str]
    strangers: bool

    @classmethod
    def by(cls, metadata: ModelMetadata) -> "TrainedOn":
        """Read it from a model's metadata.

        Model files are untrusted: what has another form than ours is ignored.
        """
        said = metadata.split.get("speakers")
        lists = said.values() if isinstance(said, dict) else ()
        names = [name for names in lists if isinstance(names, list) for name in names]
        known = tuple(f"{corpus}-" for corpus in facts())
        speakers = frozenset(name for name in names if isinstance(name, str))
        strangers = any(not name.startswith(known) for name in speakers)
        return cls(speakers, strangers or bool(set(metadata.corpora) - set(facts())))

    def group(self, speaker: str, corpus: str) -> str:
        """Say which of `GROUPS` a clip of a speaker is in."""
        if not speaker or not self.speakers:
            return "unknown"
        if speaker in self.speakers:
            return "heard"
        return "unknown" if self.strangers and corpus not in facts() else "new"


def _facts(utterances: Sequence[Utterance], trained_on: TrainedOn) -> dict[str, NDArray[np.str_]]:
    """Facts of the clips; the subset is whether the speaker was in training."""
    said = {
        name: np.array([getattr(u, name) for u in utterances], dtype=np.str_)
        for name in FACTS
        if name != "subset"
    }
    return {
        **said,
        "subset": np.array(
            [trained_on.group(u.speaker, u.corpus) for u in utterances], dtype=np.str_
        ),
    }
