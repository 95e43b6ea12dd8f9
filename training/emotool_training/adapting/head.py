"""A head for labelled clips: from embeddings to weights, and to what they are worth."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from emotool.model.linear_head import LinearHead, Statistics
from emotool.model.metadata import ModelMetadata
from emotool_training.adapting.regression import Clips, Floats, fit
from emotool_training.adapting.rows import Rows
from emotool_training.adapting.validation import Choice, choose, has_few_speakers
from emotool_training.corpora import Utterance
from emotool_training.evaluation.predictions import FACTS, Predictions
from emotool_training.evaluation.scores import score

__all__ = ["chosen_of", "figures_of", "offsets_of", "solved_head", "standardise"]


def solved_head(
    clips: Clips,
    speakers: Sequence[str],
    *,
    new_labels: bool = False,
    same_speakers: bool = False,
) -> tuple[Choice, Floats]:
    """Choose a strength and fit a head.

    Parameters
    ----------
    clips : Clips
    speakers : sequence of str
        Each clip's; "" where unknown.
    new_labels : bool
        Whether some are not the base's.
    same_speakers : bool
        Whether the head is for these speakers alone, however few they are.

    Returns
    -------
    tuple of Choice and ndarray of float32, shape (size + 1, labels)
        See `emotool_training.adapting.regression.fit`; 0 where the base stays as it is.
    """
    # Several threads at products of a block wait for each other more than they compute.
    with threadpool_limits(1):
        cautious = has_few_speakers(speakers) and not same_speakers
        few, basis = replace(clips, cautious=cautious).reduced()
        choice = choose(few, speakers, new_labels=new_labels)
        if math.isinf(choice.strength):
            shape = (clips.inputs[0].shape[1] + 1, clips.offsets.shape[1])
            return choice, np.zeros(shape, np.float32)
        start = None if choice.chosen.all() else fit(few.only(choice.chosen), choice.strength)
        added = fit(few, choice.strength, start)
    if basis is not None:
        added = np.concatenate([basis @ added[:-1], added[-1:]])
    return choice, added


def standardise(
    rows: Rows, head: LinearHead | None, own: Statistics | None
) -> tuple[Floats, Floats]:
    """Standardise embeddings in place; return what they were shifted and divided by.

    Those of a linear head's model are standardised, and here by the new statistics; others'
    are by the clips' own, which become part of the product.
    """
    size = rows.embeddings[0].shape[1]
    if head is None:
        count = len(rows.owner)
        shift = sum(block.sum(axis=0, dtype=np.float64) for block in rows.embeddings) / count
        squares = sum(
            np.square(block - shift).sum(axis=0, dtype=np.float64) for block in rows.embeddings
        )
        stretch = np.sqrt(squares / count + 1e-6)
    else:
        shift = own.shift if own else np.zeros(size)
        stretch = own.stretch if own else np.ones(size)
    moved, scale = np.asarray(shift, np.float32), np.asarray(stretch, np.float32)
    if head is None or own is not None:
        for block in rows.embeddings:
            block -= moved
            block /= scale
    return moved, scale


def offsets_of(
    rows: Rows, head: LinearHead | None, base: ModelMetadata, labels: Sequence[str]
) -> Floats:
    """Return the base's centred logits, 0 for labels that it does not have."""
    if head is None:
        raw = np.log(np.maximum(rows.probabilities, 1e-30))
    else:
        parts = [head.logits(block) for block in rows.embeddings]
        raw = np.concatenate(parts) / base.temperature
    centred = raw - raw.mean(axis=1, keepdims=True)  # [windows, base labels]
    return np.asarray(centred @ chosen_of(base.labels, labels), np.float32)


def chosen_of(base: Sequence[str], labels: Sequence[str]) -> Floats:
    """Return 1 where a label is the base's, f32 [base labels, labels]."""
    return np.array([[float(one == other) for other in labels] for one in base], np.float32)


def figures_of(
    labels: tuple[str, ...],
    clips: Sequence[Utterance],
    probabilities: npt.NDArray[np.float64] | None,
) -> dict[str, Any]:
    """Score predictions; nothing where there are none."""
    if probabilities is None:
        return {}
    facts = {
        name: np.array([getattr(clip, name) for clip in clips], np.str_)
        for name in FACTS
        if name != "subset"
    }
    facts["subset"] = np.full(len(clips), "test")
    said = (
        "Each speaker's clips by a head fitted to the other speakers' clips; the penalty's "
        "strength and the temperature were chosen on the same clips"
    )
    if not all(facts["speaker"]):
        said = (
            "Each clip by a head fitted to other clips, perhaps of its speaker: too high for "
            "other speakers"
        )
    return {**score(Predictions(labels, facts, probabilities)), "description": said}
