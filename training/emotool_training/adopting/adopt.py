"""Make a model that `emotool classify` runs of a published ONNX classifier."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from emotool.errors import ModelError
from emotool.features.waveform_spec import WaveformSpec
from emotool.files.atomic import atomic_write
from emotool.model.classifier import load_classifier
from emotool.model.metadata import (
    METADATA_KEY,
    Dimension,
    Golden,
    ModelMetadata,
    golden_input,
)
from emotool.model.session import compute, open_session, run_options
from emotool_training.adopting.card import adopted_card
from emotool_training.adopting.graph import Plan, Shape, adapt_graph, shape_of
from emotool_training.adopting.proof import Proof, prove_answers
from emotool_training.adopting.published import Extractor, Published, naming, read_published
from emotool_training.adopting.weights import open_graph, property_bytes, write_graph

__all__ = ["Adopted", "Wishes", "adopt"]

_SEED = 26
_TOLERANCE = 1e-3
_LEAST_SECONDS = 0.1
_SCHEMA = 2


@dataclass(frozen=True)
class Wishes:
    """What the user says of a published model, where its folder does not.

    Parameters
    ----------
    name : str
        What the model is to be called.
    licence, author : str
        As the publisher gives them; maybe empty.
    labels : tuple of str
        Names of the classes in order, instead of the folder's.
    dimensions : tuple of str
        Names of the numbers in order: the model gives dimensions and no classes.
    limits : (float, float)
        Between which the numbers lie.
    temperature : float
        What logits of classes are divided by, above 0.
    logits : str
        Name of the output with a number for each class or dimension.
    embedding, activation : str
        Names of these outputs, or of tensors inside the graph; empty for none.
    sample_rate : int, optional
        In Hz, instead of the folder's.
    window_seconds : float
        Longest window that the model receives.
    normalise : bool, optional
        Bring each window to a mean of 0 and a variance of 1, instead of what the folder says.
    trim : bool
        Cut silence off both ends of a clip.
    clip : str
        A recording to prove the answers on; a sound made for it if empty.
    """

    name: str
    licence: str = ""
    author: str = ""
    labels: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    limits: tuple[float, float] = (0.0, 1.0)
    temperature: float = 1.0
    logits: str = "logits"
    embedding: str = ""
    activation: str = ""
    sample_rate: int | None = None
    window_seconds: float = 10.0
    normalise: bool | None = None
    trim: bool = True
    clip: str = ""


@dataclass(frozen=True)
class Adopted:
    """What adopting gave.

    Parameters
    ----------
    path, card : Path
        The model and its card.
    size_bytes : int
        Of the model.
    metadata : ModelMetadata
        The file's.
    proof : Proof
        How its answers were proved.
    """

    path: Path
    card: Path
    size_bytes: int
    metadata: ModelMetadata
    proof: Proof = field(default_factory=Proof)


def adopt(source: Path, folder: Path, wishes: Wishes) -> Adopted:
    """Convert, prove and write a published model, with its card.

    Parameters
    ----------
    source : Path
        A folder as `optimum` exports it, or an ONNX file.
    folder : Path
        Gets ``NAME.onnx`` and ``NAME.md``.
    wishes : Wishes
        What else is known.

    Returns
    -------
    Adopted

    Raises
    ------
    ModelError
        If the model cannot be one of emotool's, or its answers cannot be proved.
    OutputError
        If a file cannot be written.
    """
    published = read_published(source)
    path = folder / f"{wishes.name}.onnx"
    with naming(published.graph), ExitStack() as stack:
        opened = open_graph(published.graph, stack)
        shape = shape_of(opened.model, [weight.name for weight in opened.weights])
        plan, spec = _plan(published, shape, wishes)
        adapt_graph(opened, shape, plan)
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=_made(folder))))
        trial = place / path.name
        with trial.open("wb") as handle:
            write_graph(opened, handle)
        metadata = _metadata(published, wishes, spec, _golden(trial, plan, spec))
        with trial.open("ab") as handle:
            handle.write(property_bytes(METADATA_KEY, metadata.to_json()))
        classifier = load_classifier(trial, "cpu")
        proof = prove_answers(classifier, wishes.clip)
        del classifier
        size = trial.stat().st_size
        with atomic_write(path.with_suffix(".md"), text=True) as text:
            text.write(adopted_card(metadata, size, wishes.author, published.origin, proof))
        trial.replace(path)
    return Adopted(path, path.with_suffix(".md"), size, metadata, proof)


def _made(folder: Path) -> Path:
    from emotool_training.folders import make_folder

    return make_folder(folder)


def _plan(published: Published, shape: Shape, wishes: Wishes) -> tuple[Plan, WaveformSpec]:
    """Decide what the graph becomes, and what it is given."""
    if wishes.logits not in shape.outputs:
        raise ModelError(
            f"the graph has no output {wishes.logits}; it has {', '.join(shape.outputs) or 'none'}",
            hint="--logits NAME says which output has a number for each class or dimension",
        )
    names, numbers = _names(published, wishes)
    axes = shape.outputs[wishes.logits]
    if len(axes) != 2 or axes[1] not in (len(names), None):
        raise ModelError(
            f"the output {wishes.logits} has the shape {_shown(axes)}, for which there are "
            f"{len(names)} names: {', '.join(names)[:200]}",
            hint="a model for audio classification gives [batch, names]",
        )
    extractor = published.extractor or Extractor(
        normalise=False if wishes.normalise is None else wishes.normalise
    )
    if shape.is_spectrogram and not extractor.mel_bands:
        raise ModelError(
            "the graph takes spectrograms, and nothing says how they are made",
            hint="adopt the folder with its preprocessor_config.json of a WhisperFeatureExtractor",
        )
    if not shape.is_spectrogram and extractor.mel_bands:
        raise ModelError("the graph takes waveforms, but preprocessor_config.json spectrograms")
    wanted = {"embedding": wishes.embedding, "activation": wishes.activation}
    plan = Plan(
        wishes.logits,
        0 if numbers else len(names),
        len(names) if numbers else 0,
        wishes.temperature,
        {ours: theirs for ours, theirs in wanted.items() if theirs},
        extractor,
    )
    return plan, _spec(extractor, shape, wishes)


def _names(published: Published, wishes: Wishes) -> tuple[tuple[str, ...], bool]:
    """Return the names of the outputs, and whether they are numbers."""
    if wishes.labels and wishes.dimensions:
        raise ModelError(
            "one output cannot be labels and dimensions", hint="leave out --labels or --dimensions"
        )
    names = wishes.dimensions or wishes.labels or published.names
    if not names:
        raise ModelError(
            "nothing says what the model's outputs are called",
            hint="give --labels angry,happy,sad or --dimensions arousal,dominance,valence in the "
            "order of the model, or a folder with a config.json",
        )
    return names, bool(wishes.dimensions or (published.regression and not wishes.labels))


def _spec(extractor: Extractor, shape: Shape, wishes: Wishes) -> WaveformSpec:
    """Say how sound is prepared."""
    rate = wishes.sample_rate or extractor.sample_rate
    normalise = extractor.normalise if wishes.normalise is None else wishes.normalise
    seconds = float(extractor.seconds) if extractor.mel_bands else wishes.window_seconds
    fixed = bool(extractor.mel_bands)
    if shape.samples is not None:
        seconds, fixed = shape.samples / rate, True
    return WaveformSpec(
        sample_rate=rate,
        window_seconds=seconds,
        least_seconds=seconds if fixed else min(_LEAST_SECONDS, seconds),
        normalisation="window" if normalise else "none",
        attention_mask=bool(shape.mask),
        trim_db=WaveformSpec().trim_db if wishes.trim else None,
    )


def _golden(path: Path, plan: Plan, spec: WaveformSpec) -> Golden:
    """Record the graph's answer to the seeded input."""
    from emotool.model.feed import feed

    session = open_session(path, "cpu", 1)
    name = "probabilities" if plan.classes else "dimensions"
    inputs = feed(np.repeat(golden_input(_SEED, spec), 2, axis=0), (), spec)
    (answers,) = compute(session, inputs, [name], run_options())
    wanted = plan.classes or plan.dimensions
    if answers.ndim != 2 or answers.shape != (2, wanted) or not np.isfinite(answers).all():
        raise ModelError(
            f"the graph answers a batch of 2 with the shape {_shown(answers.shape)} or with NaN; "
            f"expected 2 rows of {wanted} finite numbers"
        )
    numbers = tuple(float(number) for number in answers[0])
    if plan.classes:
        return Golden(_SEED, numbers, _TOLERANCE)
    return Golden(_SEED, (), _TOLERANCE, numbers)


def _metadata(
    published: Published, wishes: Wishes, spec: WaveformSpec, golden: Golden
) -> ModelMetadata:
    names, numbers = _names(published, wishes)
    low, high = wishes.limits
    extras = [name for name in ("embedding", "activation") if getattr(wishes, name)]
    whose = " by ".join(filter(None, (published.origin, wishes.author)))
    return ModelMetadata(
        name=wishes.name,
        labels=() if numbers else names,
        input=spec,
        temperature=1.0 if numbers else wishes.temperature,
        golden=golden,
        architecture=published.architecture,
        licence=wishes.licence,
        notes=f"Adopted from a published model{f': {whose}' if whose else ''}.",
        dimensions=tuple(Dimension(_column(name), low, high) for name in names) if numbers else (),
        extras=tuple(extras),
        schema_version=_SCHEMA,
    )


def _column(name: str) -> str:
    """Return a dimension's name as that of a column.

    Examples
    --------
    >>> _column("Arousal (0-1)")
    'arousal_0_1'
    """
    kept = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in name)
    return "_".join(filter(None, kept.lower().split("_")))[:32]


def _shown(axes: Sequence[int | None]) -> str:
    return f"[{', '.join('any' if axis is None else str(axis) for axis in axes)}]"
