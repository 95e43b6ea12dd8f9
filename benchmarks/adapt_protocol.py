"""Adaptation to a corpus that a model was not trained on: its bases, its draws, its figures."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy_store import load_all
from emotool.errors import TrainingError
from emotool.inputs.clips import Clip
from emotool.model.classifier import load_classifier
from emotool.model.linear_head import Moments
from emotool_training.adapting.embeddings import EmbeddingCache
from emotool_training.adapting.head import solved_head
from emotool_training.adapting.regression import Clips
from emotool_training.adapting.validation import probabilities_of
from emotool_training.corpora import Utterance, load_corpora
from emotool_training.evaluation.calibration import fit_temperature
from emotool_training.evaluation.metrics import uar
from emotool_training.export.export import export_model
from emotool_training.export.parity import real_windows
from emotool_training.export.source import held_out_clips, source_of
from emotool_training.features.clips import EmbeddedClips
from emotool_training.loop.linear_head import Solved, solve
from emotool_training.progress import progress_bar
from emotool_training.recipes.recipe import Recipe, load_recipe
from emotool_training.runs.folder import Run, find_runs

__all__ = [
    "CORPORA",
    "COUNTS",
    "DRAWS",
    "KINDS",
    "Part",
    "Vectors",
    "draw",
    "left_out",
    "measure",
    "uar_of",
    "vectors_of",
    "vectors_without",
]

CORPORA = ("ravdess", "emodb", "nemo")
"""Left out in turn. TESS is not: with its one speaker, speakers cannot be kept apart."""

COUNTS = (0, 5, 10, 20, 40, None)
"""Clips a label; None for all."""

DRAWS = 20
KINDS = ("as shipped", "own statistics")
ENCODER = "whisper"
"""Its encoder is that of all bases of which nothing but the head was trained."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Vectors:
    """Clips with the pooled vectors of their windows, before any statistics."""

    clips: Sequence[Utterance]
    windows: Sequence[Floats]


@dataclass(frozen=True, eq=False)
class Part:
    """Clips of one side of a draw."""

    windows: Sequence[Floats]
    targets: npt.NDArray[np.int64]
    speakers: Sequence[str]

    def data(self, solved: Solved, moved: tuple[Any, Any], temperature: float) -> Clips:
        """Standardise as a base does, moved by recordings' statistics."""
        stacked = solved.statistics.apply(np.concatenate(self.windows))
        inputs = ((stacked - moved[0]) / moved[1]).astype(np.float32)
        raw = (inputs @ solved.kernel + solved.bias) / np.float32(temperature)
        centred = raw - raw.mean(axis=1, keepdims=True)
        owner = np.repeat(np.arange(len(self.windows)), [len(w) for w in self.windows])
        return Clips([inputs], centred.astype(np.float32), owner, self.targets)

    def only(self, chosen: npt.NDArray[np.int64]) -> "Part":
        """Keep some clips."""
        windows = [self.windows[place] for place in chosen]
        return Part(windows, self.targets[chosen], [self.speakers[place] for place in chosen])


def vectors_of(data: Path, cache: Path, model: str = ENCODER) -> Vectors:
    """Compute the vectors of all clips by a model, or find them.

    Parameters
    ----------
    data : Path
        The corpora's folder.
    cache : Path
    model : str
        A model's name or file.
    """
    classifier = load_classifier(model, device="cpu")
    head = classifier.linear_head
    if head is None:
        raise TrainingError(f"{model} has no linear head")
    clips = load_corpora([data]).utterances
    store = EmbeddingCache(classifier, cache)
    asked = [Clip(0, clip.key, str(clip.path)) for clip in clips]
    with progress_bar("embedding") as advance:
        found = list(store.each(asked, advance))
    windows = [clip.embeddings * head.deviation + head.mean for _, clip in found]
    return Vectors([clips[place] for place, _ in found], windows)


def vectors_without(corpus: str, model: str, data: Path, cache: Path, runs: Path) -> Vectors:
    """Compute the vectors of all clips by the network that a fine-tuned base has.

    It is that of the newest finished run of *another corpus* that tested the corpus.

    Raises
    ------
    TrainingError
        If there is no such run.
    """
    found = [
        run
        for root in sorted(runs.glob("another_corpus-fold*"))
        for run in find_runs(root, model, finished=True)
        if corpus in {key.partition("/")[0] for key in _tested(run)}
    ]
    if not found:
        raise TrainingError(
            f"{runs} has no finished run of {model} without {corpus}",
            hint=f"python benchmarks/accuracy.py train --models {model} "
            "--protocols another_corpus --runs FOLDER",
        )
    newest = max(found, key=lambda run: run.folder.name)
    with tempfile.TemporaryDirectory() as folder:
        source = source_of(newest, Path("no figures"))
        windows = real_windows(held_out_clips(newest), source.spectrogram)
        file = export_model(source, windows, Path(folder), "float32").path
        return vectors_of(data, cache, str(file))


def _tested(run: Run) -> list[str]:
    split = json.loads((run.folder / "split.json").read_text(encoding="utf-8"))
    return list(split["clips"]["test"])


def measure(vectors: Vectors, model: str, corpus: str, results: Path) -> dict[str, Any]:
    """Adapt a model that was trained without a corpus to some of its speakers.

    Parameters
    ----------
    vectors : Vectors
    model : str
        A recipe's name.
    corpus : str
        That is left out.
    results : Path
        Of `benchmarks.accuracy`: which clips validated, and the temperature of the others.

    Returns
    -------
    dict
        ``uar``: by kind of base and count, of each draw; ``base``: of the whole corpus;
        ``kept``: the same by the published predictions.
    """
    whole, solved, temperature, kept = left_out(vectors, model, corpus, results)
    moments = (0.0, 1.0)
    found: dict[str, dict[str, list[float]]] = {kind: {} for kind in KINDS}
    generator = np.random.default_rng(0)
    for _ in range(DRAWS):
        draw(whole, solved, temperature, generator, found)
    base = uar_of(whole.data(solved, moments, temperature), None)
    return {"uar": found, "base": base, "kept": kept}


def left_out(
    vectors: Vectors, model: str, corpus: str, results: Path
) -> tuple[Part, Solved, float, float]:
    """Return a corpus's clips, the head and temperature without them, and its published UAR."""
    recipe = load_recipe(model)
    places = [
        place
        for place, clip in enumerate(vectors.clips)
        if clip.corpus == corpus and clip.emotion in recipe.labels
    ]
    clips = [vectors.clips[place] for place in places]
    whole = Part(
        [vectors.windows[place] for place in places],
        np.array([recipe.labels.index(clip.emotion) for clip in clips], np.int64),
        [clip.speaker for clip in clips],
    )
    return whole, *_base(vectors, recipe, corpus, results)


def _base(
    vectors: Vectors, recipe: Recipe, corpus: str, results: Path
) -> tuple[Solved, float, float]:
    """Solve for the head of the third protocol, with its training clips."""
    folds = load_all(results, recipe.name, "another_corpus")[0]
    tested = {str(part.subset("test").facts["corpus"][0]): part for part, _ in folds.values()}
    validating = set(tested[corpus].subset("validation").facts["key"].tolist())
    places = [
        place
        for place, clip in enumerate(vectors.clips)
        if clip.corpus != corpus and clip.emotion in recipe.labels and clip.key not in validating
    ]
    clips = [vectors.clips[place] for place in places]
    data = EmbeddedClips(
        [vectors.windows[place] for place in places],
        np.array([recipe.labels.index(clip.emotion) for clip in clips], np.int64),
        [clip.corpus for clip in clips],
    )
    if recipe.linear_head is None:
        raise TrainingError(f"{recipe.name} has no linear head")
    others = [part.subset("test") for name, part in tested.items() if name != corpus]
    temperature = fit_temperature(
        np.concatenate([part.probabilities for part in others]),
        np.concatenate([part.truth for part in others]),
    )
    mine = tested[corpus].subset("test")
    kept = uar(mine.truth, mine.predicted, len(recipe.labels))
    return solve(data, recipe, recipe.linear_head), temperature, float(kept)


def draw(
    whole: Part,
    solved: Solved,
    temperature: float,
    generator: np.random.Generator,
    found: dict[str, dict[str, list[float]]],
) -> None:
    """Draw half of the speakers, adapt to some of their clips, and judge on the others'."""
    speakers = sorted(set(whole.speakers))
    mine = set(generator.permutation(speakers)[: len(speakers) // 2].tolist())
    inside = np.array([speaker in mine for speaker in whole.speakers])
    known, judged = whole.only(np.flatnonzero(inside)), whole.only(np.flatnonzero(~inside))
    moments = Moments(solved.kernel.shape[0])
    for windows in known.windows:
        moments.add(solved.statistics.apply(windows))
    own = moments.statistics()
    order = generator.permutation(len(known.targets))
    for kind, moved in zip(KINDS, ((0.0, 1.0), (own.shift, own.stretch)), strict=True):
        test = judged.data(solved, moved, temperature)
        for count in COUNTS:
            value = uar_of(test, None)
            if count != 0:
                chosen = _first_of_each(known.targets, order, count)
                value = _adapted(known.only(chosen), solved, moved, temperature, test)
            found[kind].setdefault("all" if count is None else str(count), []).append(value)


def _first_of_each(
    targets: npt.NDArray[np.int64], order: npt.NDArray[np.int64], count: int | None
) -> npt.NDArray[np.int64]:
    """Return the first clips of each label in an order."""
    ranked = [order[targets[order] == label][:count] for label in np.unique(targets)]
    return np.sort(np.concatenate(ranked))


def _adapted(
    part: Part, solved: Solved, moved: tuple[Any, Any], temperature: float, test: Clips
) -> float:
    """Fit a head to clips as `emotool adapt` does, and judge it."""
    data = part.data(solved, moved, temperature)
    return uar_of(test, solved_head(data, part.speakers)[1])


def uar_of(test: Clips, added: Floats | None) -> float:
    """Return the UAR of a base with what is added to it, over the labels that the clips have."""
    raw = test.offsets
    if added is not None:
        raw = (raw + test.inputs[0] @ added[:-1] + added[-1]).astype(np.float32)
    shares = probabilities_of(raw, test.owner, len(test.targets))
    return float(uar(test.targets, shares.argmax(axis=1), raw.shape[1]))
