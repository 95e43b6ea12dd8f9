"""Adapt a model: statistics of recordings, a head for labelled clips, a temperature."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import onnx

from emotool.cores import usable_cores
from emotool.errors import TrainingError
from emotool.inputs.clips import Clip
from emotool.model.linear_head import (
    LEAST_CLIPS,
    Moments,
    Statistics,
    read_linear_head,
    with_statistics,
)
from emotool.model.session import open_session
from emotool.text import printable
from emotool_training.adapting import graph
from emotool_training.adapting.description import Facts, metadata_of
from emotool_training.adapting.embeddings import Embedded, EmbeddingCache
from emotool_training.adapting.head import (
    chosen_of,
    figures_of,
    offsets_of,
    solved_head,
    standardise,
)
from emotool_training.adapting.inputs import Inputs
from emotool_training.adapting.outcome import Adapted, Base, Order
from emotool_training.adapting.regression import Clips, Floats
from emotool_training.adapting.rows import Rows, gather
from emotool_training.adapting.validation import mean_over_windows, probabilities_of
from emotool_training.corpora import Utterance
from emotool_training.evaluation.calibration import apply_temperature, fit_temperature, reliability
from emotool_training.export.model_file import golden_answer, write_model

__all__ = ["adapt"]

Progress = Callable[[str, int, int], None]


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
            first = self._rejected([_clip(u) for u in clips])
            raise TrainingError(
                f"no labelled clip can be used, of {len(clips)}{first}",
                hint="`emotool classify` shows what is wrong with each",
            )
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

    def _rejected(self, clips: Sequence[Clip]) -> str:
        """Return what a message adds about the first of clips that cannot be used."""
        reasons = ((clip.shown, self._cache.rejected.get(clip.shown)) for clip in clips)
        return next((f"; first: {printable(f'{one}: {why}')}" for one, why in reasons if why), "")

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
                f"{LEAST_CLIPS} or more{self._rejected(recordings)}",
                hint="name more recordings, or give labelled clips",
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
        before = mean_over_windows(rows.probabilities.astype(np.float64), rows.owner, len(usable))
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
        scale = standardise(rows, self._head, own)
        clips = Clips(
            rows.embeddings,
            offsets_of(rows, self._head, self._base.classifier.metadata, labels),
            rows.owner,
            np.array([labels.index(u.emotion) for u in usable], np.int64),
        )
        same = set(labels) <= set(facts.labels)
        choice, added = solved_head(
            clips,
            [u.speaker for u in usable],
            new_labels=not same,
            same_speakers=self._order.same_speakers,
        )
        if math.isinf(choice.strength) and labels == facts.labels:
            one = np.ptp(clips.targets) == 0
            kept = "the clips have one label" if one else "all clips are labelled correctly already"
            return self._write(dataclasses.replace(facts, kept=kept))
        temperature = self._put(added, labels, scale, choice.temperature)
        judged = [u for u, kept in zip(usable, choice.chosen, strict=True) if kept]
        before = probabilities_of(clips.offsets, clips.owner, len(usable))[choice.chosen]
        new = dataclasses.replace(
            facts,
            labels=labels,
            temperature=temperature,
            strength=choice.strength,
            figures=figures_of(labels, judged, choice.probabilities),
            evidence=self._head is not None,
        )
        done = self._write(new)
        return dataclasses.replace(
            done, base_figures=figures_of(labels, judged, before) if same else {}
        )

    def _put(
        self, added: Floats, labels: Sequence[str], scale: tuple[Floats, Floats], factor: float
    ) -> float:
        """Put a fitted head into the graph; return the temperature."""
        metadata = self._base.classifier.metadata
        chosen = chosen_of(metadata.labels, labels)
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


def _clip(utterance: Utterance) -> Clip:
    return Clip(0, utterance.key, str(utterance.path))
