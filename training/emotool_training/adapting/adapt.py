"""Adapt a model: statistics of recordings, a head for labelled clips, a temperature."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from threadpoolctl import threadpool_limits

from emotool.cores import usable_cores
from emotool.errors import TrainingError
from emotool.inputs.clips import Clip
from emotool.model.catalog import find_model
from emotool.model.classifier import Classifier, load_classifier
from emotool.model.linear_head import (
    LEAST_CLIPS,
    LinearHead,
    Moments,
    Statistics,
    read_linear_head,
    with_statistics,
)
from emotool.model.onnx_scan import read_onnx
from emotool.model.session import open_session
from emotool_training.adapting import graph
from emotool_training.adapting.description import Facts, metadata_of
from emotool_training.adapting.embeddings import Embedded, EmbeddingCache
from emotool_training.adapting.inputs import Inputs
from emotool_training.adapting.regression import BLOCK, Clips, Floats, fit
from emotool_training.adapting.rows import Rows, gather
from emotool_training.adapting.validation import Choice, choose, probabilities_of
from emotool_training.corpora import Utterance
from emotool_training.evaluation.calibration import apply_temperature, fit_temperature, reliability
from emotool_training.evaluation.predictions import FACTS, Predictions
from emotool_training.evaluation.scores import score
from emotool_training.export.model_file import Written, golden_answer, write_model

__all__ = ["Adapted", "Base", "Order", "adapt", "open_base"]

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Base:
    """The model that is adapted.

    Parameters
    ----------
    classifier : Classifier
    content : bytes
        The file.
    head : LinearHead or None
        Where it is linear and stored by name.
    """

    classifier: Classifier
    content: bytes
    head: LinearHead | None


@dataclass(frozen=True)
class Order:
    """What is to be done.

    Parameters
    ----------
    name : str
        The new model's.
    folder : Path
        Gets ``NAME.onnx`` and ``NAME.md``.
    cache : Path
        The folder of cached embeddings.
    workers : int
        Processes that decode clips; 0 for one per core.
    only_temperature : bool
        Calibrate, and change nothing else.
    """

    name: str
    folder: Path
    cache: Path
    workers: int = 0
    only_temperature: bool = False


@dataclass(frozen=True, eq=False)
class Adapted:
    """The result.

    Parameters
    ----------
    written : Written
        The files.
    facts : Facts
    base_figures : mapping
        Of the base on the labelled clips; empty where it does not have all labels.
    ece : tuple of float
        Calibration error before and after; empty where no temperature was fitted alone.
    rejected : dict of str to str
        Clips that could not be used, and why.
    """

    written: Written
    facts: Facts
    base_figures: dict[str, Any] = field(default_factory=dict)
    ece: tuple[float, ...] = ()
    rejected: dict[str, str] = field(default_factory=dict)


def open_base(name: str) -> Base:
    """Load a model to adapt, by its name or path."""
    path = find_model(name)
    classifier = load_classifier(path, device="cpu")
    for output in ("probabilities", "embedding"):
        classifier.require(output, "emotool adapt")
    content = read_onnx(path).whole()
    return Base(classifier, content, read_linear_head(content))


def adapt(
    base: Base, inputs: Inputs, order: Order, progress: Progress = lambda what, done, total: None
) -> Adapted:
    """Adapt a model and write it.

    Parameters
    ----------
    base : Base
    inputs : Inputs
        Labelled clips, recordings without labels, or both.
    order : Order
    progress : callable, optional
        Called with what is embedded, and how many of how many clips are.

    Returns
    -------
    Adapted

    Raises
    ------
    TrainingError
        If there are too few usable clips, or the base cannot be adapted so.
    EmotoolError
        If the model fails, or a file cannot be written.
    """
    return _Adaptation(base, order, progress).run(inputs)


class _Adaptation:
    """One adaptation."""

    def __init__(self, base: Base, order: Order, progress: Progress) -> None:
        self._base, self._order, self._progress = base, order, progress
        self._cache = EmbeddingCache(base.classifier, order.cache, order.workers)
        self._model = onnx.load_from_string(base.content)
        self._head = base.head

    def run(self, inputs: Inputs) -> Adapted:
        metadata = self._base.classifier.metadata
        own = None if self._order.only_temperature else self._statistics(inputs.recordings)
        facts = Facts(
            self._base.classifier.sha256,
            self._order.name,
            metadata.labels,
            metadata.temperature,
            recordings=own.clips if own else 0,
        )
        if inputs.index is None:
            return self._write(facts)
        clips = inputs.index.utterances
        rows = gather(self._embedded("labelled clips", [_clip(u) for u in clips]))
        usable = [clips[place] for place in rows.places]
        if not usable:
            reason = next(iter(self._cache.rejected.values()), "there are none")
            raise TrainingError(f"no labelled clip can be used, of {len(clips)}: {reason}")
        facts = dataclasses.replace(
            facts,
            clips=len(usable),
            speakers=tuple(sorted({u.speaker for u in usable} - {""})),
            corpora=tuple(sorted({u.corpus for u in usable})),
        )
        if self._order.only_temperature:
            return self._calibrated(facts, rows, usable)
        return self._fitted(facts, rows, usable, (inputs.labels, own))

    def _embedded(self, shown: str, clips: Sequence[Clip]) -> Iterator[tuple[int, Embedded]]:
        return self._cache.each(clips, lambda done, total: self._progress(shown, done, total))

    def _statistics(self, recordings: Sequence[Clip]) -> Statistics | None:
        """Put the statistics of recordings into the graph, and return them."""
        if not recordings:
            return None
        if self._head is None:
            name = self._base.classifier.name
            raise TrainingError(
                f"{name} stores no statistics that recordings without labels could change",
                hint="use --base whisper or whisper6, or give labelled clips",
            )
        moments = Moments(self._head.mean.size)
        for _, clip in self._embedded("recordings", recordings):
            moments.add(clip.embeddings)
        if moments.clips < LEAST_CLIPS:
            raise TrainingError(
                f"{moments.clips} of {len(recordings)} recordings can be used; statistics need "
                f"{LEAST_CLIPS} or more"
            )
        own = moments.statistics()
        content = with_statistics(self._base.content, own)
        self._model, self._head = onnx.load_from_string(content), read_linear_head(content)
        return own

    def _calibrated(self, facts: Facts, rows: Rows, usable: Sequence[Utterance]) -> Adapted:
        """Fit a temperature to the base's own probabilities."""
        if other := sorted({u.emotion for u in usable} - set(facts.labels)):
            raise TrainingError(
                f"{other[0]} is no label of {self._base.classifier.name}, so a temperature cannot "
                "be fitted to it",
                hint=f"its labels: {', '.join(facts.labels)}; --labels chooses among them",
            )
        truth = np.array([facts.labels.index(u.emotion) for u in usable])
        before = _mean_over_windows(rows.probabilities.astype(np.float64), rows.owner)
        factor = fit_temperature(before, truth, doubt=True)
        errors = (before, apply_temperature(before, factor))
        new = dataclasses.replace(
            facts, temperature=facts.temperature * factor, only_temperature=True
        )
        graph.replace_temperature(self._model, new.temperature)
        done = self._write(new)
        return dataclasses.replace(done, ece=tuple(reliability(p, truth).ece for p in errors))

    def _fitted(
        self,
        facts: Facts,
        rows: Rows,
        usable: Sequence[Utterance],
        wanted: tuple[tuple[str, ...], Statistics | None],
    ) -> Adapted:
        """Fit a head and put it into the graph."""
        labels, own = wanted
        scale = self._standardise(rows, own)
        clips = Clips(
            rows.embeddings,
            self._offsets(rows, labels),
            rows.owner,
            np.array([labels.index(u.emotion) for u in usable], np.int64),
        )
        choice, added = _solved(clips, [u.speaker for u in usable])
        temperature = self._put(added, labels, scale, choice.temperature)
        judged = [u for u, kept in zip(usable, choice.chosen, strict=True) if kept]
        before = probabilities_of(clips.offsets, clips.owner, len(usable))[choice.chosen]
        same = set(labels) <= set(facts.labels)
        new = dataclasses.replace(
            facts,
            labels=labels,
            temperature=temperature,
            strength=choice.strength,
            figures=_figures(labels, judged, choice.probabilities),
            evidence=self._head is not None,
        )
        done = self._write(new)
        return dataclasses.replace(
            done, base_figures=_figures(labels, judged, before) if same else {}
        )

    def _standardise(self, rows: Rows, own: Statistics | None) -> tuple[Floats, Floats]:
        """Standardise embeddings in place; return what they were shifted and divided by.

        Those of a linear head's model are standardised, and here by the new statistics; others'
        are by the clips' own, which become part of the product.
        """
        size = rows.embeddings[0].shape[1]
        if self._head is None:
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
        if self._head is None or own is not None:
            for block in rows.embeddings:
                block -= moved
                block /= scale
        return moved, scale

    def _offsets(self, rows: Rows, labels: Sequence[str]) -> Floats:
        """Return the base's centred logits, 0 for labels that it does not have."""
        metadata = self._base.classifier.metadata
        if self._head is None:
            raw = np.log(np.maximum(rows.probabilities, 1e-30))
        else:
            parts = [self._head.logits(block) for block in rows.embeddings]
            raw = np.concatenate(parts) / metadata.temperature
        centred = raw - raw.mean(axis=1, keepdims=True)  # [windows, base labels]
        return np.asarray(centred @ _chosen(metadata.labels, labels), np.float32)

    def _put(
        self, added: Floats, labels: Sequence[str], scale: tuple[Floats, Floats], factor: float
    ) -> float:
        """Put a fitted head into the graph; return the temperature."""
        metadata = self._base.classifier.metadata
        chosen = _chosen(metadata.labels, labels)
        if self._head is None:
            kernel = added[:-1] / scale[1][:, None]
            bias = added[-1] - scale[0] @ kernel
            graph.add_to_logits(self._model, graph.Added(chosen, kernel, bias), factor)
            return factor
        temperature = metadata.temperature
        kernel, bias = self._head.kernel, self._head.bias
        kernel = (kernel - kernel.mean(axis=1, keepdims=True)) @ chosen + temperature * added[:-1]
        bias = (bias - bias.mean()) @ chosen + temperature * added[-1]
        graph.replace_head(self._model, kernel.astype(np.float32), bias.astype(np.float32))
        graph.replace_temperature(self._model, temperature * factor)
        return temperature * factor

    def _write(self, facts: Facts) -> Adapted:
        """Record the answer to the reference input, and write the files."""
        base = self._base.classifier.metadata
        graph.drop_unused(self._model)
        session = open_session(self._model.SerializeToString(), "cpu", usable_cores())
        golden = golden_answer(session, base.input, base.golden.tolerance)
        written = write_model(self._model, metadata_of(base, facts, golden), self._order.folder)
        return Adapted(written, facts, rejected=self._cache.rejected)


def _solved(clips: Clips, speakers: Sequence[str]) -> tuple[Choice, Floats]:
    """Choose a strength and fit a head, f32 [size + 1, labels]."""
    # Several threads at small products wait for each other more than they compute.
    with threadpool_limits(None if len(clips.owner) >= BLOCK else 1):
        few, basis = clips.reduced()
        choice = choose(few, speakers)
        added = fit(few, choice.strength)
    if basis is not None:
        added = np.concatenate([basis @ added[:-1], added[-1:]])
    return choice, added


def _clip(utterance: Utterance) -> Clip:
    return Clip(0, utterance.key, str(utterance.path))


def _chosen(base: Sequence[str], labels: Sequence[str]) -> Floats:
    """Return 1 where a label is the base's, f32 [base labels, labels]."""
    return np.array([[float(one == other) for other in labels] for one in base], np.float32)


def _mean_over_windows(
    rows: npt.NDArray[np.float64], owner: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return each clip's mean, [clips, labels]."""
    sums = np.zeros((int(owner.max()) + 1, rows.shape[1]))
    np.add.at(sums, owner, rows)
    return np.asarray(sums / np.bincount(owner)[:, None])


def _figures(
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
