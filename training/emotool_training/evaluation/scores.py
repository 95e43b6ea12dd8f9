"""Compute all scores of a set of predictions, as one dictionary for JSON.

Figures come with 95 % intervals over speakers (``emotool_training.evaluation.bootstrap``).
Several sets of predictions of the same clips, one per training seed, are scored together: each
figure is the mean over the seeds, and a draw of speakers is the same for all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotool.errors import TrainingError
from emotool_training.evaluation.bootstrap import (
    DRAWS,
    draw_speakers,
    percentile_interval,
    speaker_confusions,
)
from emotool_training.evaluation.calibration import negative_log_likelihood, reliability
from emotool_training.evaluation.metrics import accuracy_of, f1_of, mean_corpora, uar_of
from emotool_training.evaluation.predictions import Predictions

__all__ = ["score", "speaker_index"]

Floats = NDArray[np.float64]
Score = Callable[[Floats], Floats]

_SCORES: Mapping[str, Score] = {"uar": uar_of, "accuracy": accuracy_of, "f1": f1_of}


@dataclass(frozen=True, eq=False)
class _Speakers:
    """Confusions of every seed and speaker, with what is drawn from them.

    `confusions` is [seeds, speakers, labels, labels], `corpora` [speakers], `draws`
    [draws, speakers].
    """

    confusions: Floats
    corpora: NDArray[np.str_]
    draws: Floats

    def confusion(self, counts: Floats) -> Floats:
        """Sum speakers' matrices, taken `counts` [draws, speakers] times each."""
        seeds, speakers, labels, _ = self.confusions.shape
        flat = self.confusions.reshape(seeds, speakers, labels * labels)
        summed = counts @ flat  # [seeds, draws, labels²]
        return summed.reshape(seeds, len(counts), labels, labels)

    def only(self, corpus: str) -> "_Speakers":
        """Keep one corpus's speakers."""
        chosen = self.corpora == corpus
        return _Speakers(self.confusions[:, chosen], self.corpora[chosen], self.draws[:, chosen])

    def all_counts(self) -> Floats:
        """Every speaker once, then the draws: [1 + draws, speakers]."""
        return np.concatenate([np.ones((1, len(self.corpora))), self.draws])


def score(
    predictions: Predictions | Sequence[Predictions],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    drawn: int | None = None,
) -> dict[str, Any]:
    """Score predictions, overall and by corpus, speaker, sex and intensity.

    Parameters
    ----------
    predictions : Predictions or sequence of Predictions
        One set, or one per training seed; all of the same clips in the same order.
    draws : int
        Bootstrap draws.
    seed : int
        Seed of the draws.
    drawn : int, optional
        Speakers of each draw: intervals are then of so many other speakers, not of the mean
        over all that there are.

    Returns
    -------
    dict
        ``uar`` (mean over ``averaged_corpora`` of each one's UAR, the headline), ``accuracy``
        and ``f1`` (over all clips), each with ``_low`` and ``_high``; ``per_seed_uar``;
        ``confusion`` (summed over seeds); ``per_corpus``, ``per_speaker``, ``per_sex``,
        ``per_intensity``; ``calibration`` (``ece``, ``nll``); counts, of which
        ``unknown_speakers`` is that of clips without a speaker. A bound is None where
        there is a single speaker to draw.

    Raises
    ------
    TrainingError
        If there are no clips, or the sets differ in their clips or labels.
    """
    sets = [predictions] if isinstance(predictions, Predictions) else list(predictions)
    first = _check_same_clips(sets)
    index, corpora = speaker_index(first)
    speakers = len(corpora)
    counts = draw_speakers(list(corpora), draws=draws, seed=seed, speakers=drawn)
    people = _Speakers(_confusions(sets, index, speakers), corpora, counts)
    averaged = mean_corpora(list(first.facts["corpus"]))
    means = _means_over_corpora(people, averaged)  # [seeds, 1 + draws]
    return {
        "labels": list(first.labels),
        "clips": len(first),
        "speakers": speakers,
        "unknown_speakers": int((first.facts["speaker"] == "").sum()),
        "seeds": len(sets),
        "averaged_corpora": list(averaged),
        # Who is in no averaged corpus does not move the mean.
        **_bounds("uar", means, wide=_vary(counts[:, np.isin(corpora, averaged)])),
        "per_seed_uar": [float(value) for value in means[:, 0]],
        **{k: v for k, v in _figures(people).items() if not k.startswith("uar")},
        "confusion": people.confusions.sum((0, 1)).astype(int).tolist(),
        "per_corpus": {name: _corpus_figures(people, first, name) for name in np.unique(corpora)},
        "per_speaker": _groups(sets, people, index, "speaker"),
        "per_sex": _groups(sets, people, index, "sex"),
        "per_intensity": _groups(sets, people, index, "intensity"),
        "calibration": _calibration(sets),
    }


def _check_same_clips(sets: Sequence[Predictions]) -> Predictions:
    """Return the first set, or say why the sets cannot be scored together."""
    if not sets or not len(sets[0]):
        raise TrainingError("there are no predictions to score")
    first = sets[0]
    for other in sets[1:]:
        same = other.labels == first.labels and len(other) == len(first)
        if not same or (other.facts["key"] != first.facts["key"]).any():
            raise TrainingError("predictions of different clips cannot be averaged")
    return first


def speaker_index(first: Predictions) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Index the speakers of clips.

    Parameters
    ----------
    first : Predictions
        Clips of a corpus that have no speaker count as one speaker's.

    Returns
    -------
    index : ndarray of int64, shape (clips,)
        Each clip's speaker.
    corpora : ndarray of str, shape (speakers,)
        Each speaker's corpus.

    Raises
    ------
    TrainingError
        If a speaker's name occurs in two corpora.
    """
    names, index = np.unique(_speaker_names(first), return_inverse=True)
    return index, _corpus_of(first, index, len(names))


def _speaker_names(first: Predictions) -> NDArray[np.str_]:
    """Speakers; clips of one corpus without a speaker count as one speaker's.

    That can only make an interval wider or unknown, never too narrow.
    """
    speakers, corpora = first.facts["speaker"], first.facts["corpus"]
    return np.where(speakers == "", np.char.add(corpora, "-unknown"), speakers)


def _corpus_of(first: Predictions, index: NDArray[np.int64], speakers: int) -> NDArray[np.str_]:
    """Corpus of each speaker."""
    corpora = np.empty(speakers, dtype=first.facts["corpus"].dtype)
    corpora[index] = first.facts["corpus"]
    if (corpora[index] != first.facts["corpus"]).any():
        raise TrainingError("a speaker's name occurs in two corpora")
    return corpora


def _confusions(
    sets: Sequence[Predictions],
    index: NDArray[np.int64],
    speakers: int,
    chosen: NDArray[np.bool_] | None = None,
) -> Floats:
    """Confusions of the chosen clips, [seeds, speakers, labels, labels]."""
    keep = np.ones(len(index), dtype=bool) if chosen is None else chosen
    sizes = (speakers, len(sets[0].labels))
    truth = sets[0].truth[keep]
    return np.stack(
        [speaker_confusions(truth, one.predicted[keep], index[keep], sizes) for one in sets]
    )


def _means_over_corpora(people: _Speakers, averaged: Sequence[str]) -> Floats:
    """UAR per corpus averaged over corpora, [seeds, 1 + draws]; the first is no draw."""
    parts = [people.only(name) for name in averaged]
    scores = [uar_of(part.confusion(part.all_counts())) for part in parts]
    return np.asarray(np.mean(scores, axis=0))


def _bounds(name: str, values: Floats, *, wide: bool) -> dict[str, float | None]:
    """Give a figure and its interval, from [seeds, 1 + draws]; averaged over the seeds."""
    over_seeds = values.mean(axis=0)  # [1 + draws]
    low, high = percentile_interval(over_seeds[1:]) if wide else (None, None)
    return {name: float(over_seeds[0]), f"{name}_low": low, f"{name}_high": high}


def _vary(draws: Floats) -> bool:
    """Whether draws [draws, speakers] differ: a corpus's only speaker is in all equally often."""
    return bool((draws != draws[:1]).any())


def _figures(people: _Speakers) -> dict[str, float | None]:
    """UAR, accuracy and F1 of all clips together, with intervals."""
    matrices = people.confusion(people.all_counts())  # [seeds, 1 + draws, labels, labels]
    # Speakers without a clip in this group (an intensity only some corpora have) cannot
    # widen an interval, so they do not count as someone to draw.
    heard = people.confusions.sum((0, 2, 3)) > 0
    wide = _vary(people.draws[:, heard]) and int(heard.sum()) > 1
    figures: dict[str, float | None] = {}
    for name, function in _SCORES.items():
        figures |= _bounds(name, function(matrices), wide=wide)
    return figures


def _corpus_figures(people: _Speakers, first: Predictions, name: str) -> dict[str, Any]:
    """Figures of one corpus."""
    part = people.only(name)
    clips = int((first.facts["corpus"] == name).sum())
    return {"clips": clips, "speakers": len(part.corpora), **_figures(part)}


def _groups(
    sets: Sequence[Predictions], people: _Speakers, index: NDArray[np.int64], fact: str
) -> dict[str, Any]:
    """Figures of each group of clips that share a fact; clips without it are in none."""
    values = sets[0].facts[fact]
    result: dict[str, Any] = {}
    for name in np.unique(values[values != ""]):
        chosen = values == name
        confusions = _confusions(sets, index, len(people.corpora), chosen)
        part = _Speakers(confusions, people.corpora, people.draws)
        count = len(np.unique(index[chosen]))
        figures = _figures(part)
        if fact == "speaker":
            figures = {key: figures[key] for key in _SCORES}  # no other speaker to draw
        result[str(name)] = {"clips": int(chosen.sum()), "speakers": count, **figures}
    return result


def _calibration(sets: Sequence[Predictions]) -> dict[str, float]:
    """Calibration error and likelihood, averaged over the seeds."""
    truth = sets[0].truth
    return {
        "ece": float(np.mean([reliability(one.probabilities, truth).ece for one in sets])),
        "nll": float(np.mean([negative_log_likelihood(o.probabilities, truth) for o in sets])),
    }
