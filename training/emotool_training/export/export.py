"""Export a trained model to one self-contained ONNX file, with its card.

Order matters: the float32 graph is compared with Keras on real clips first, then stored in the
form asked for and compared with its float32 twin, then given its metadata, loaded by the same
code that will load it for users, and only then put in its place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray

from emotool.cores import usable_cores
from emotool.features.spec import SpectrogramSpec
from emotool.model.metadata import Golden, ModelMetadata
from emotool.model.session import open_session
from emotool_training.export.card import licence_of
from emotool_training.export.figures import for_metadata
from emotool_training.export.model_file import golden_answer, write_model
from emotool_training.export.onnx_encoder import encoder_graph, is_encoder
from emotool_training.export.onnx_graph import store_half, to_onnx
from emotool_training.export.parity import Agreement, Parity, agreement, check_parity
from emotool_training.export.quantise import quantise

__all__ = ["STORAGES", "Exported", "Source", "Storage", "export_model"]

Storage = Literal["float32", "float16", "int8"]
Windows = NDArray[np.float32]


@dataclass(frozen=True)
class _Form:
    """How weights are stored, and how far answers may then differ between machines."""

    store: Callable[[onnx.ModelProto, Windows], onnx.ModelProto]
    tolerance: float


STORAGES: Mapping[str, _Form] = {
    "float32": _Form(lambda proto, windows: proto, 1e-3),
    "float16": _Form(lambda proto, windows: store_half(proto), 1e-3),
    # Integer kernels round differently from one processor's instructions to another's.
    "int8": _Form(quantise, 0.05),
}


@dataclass(frozen=True, eq=False)
class Source:
    """What is exported.

    Parameters
    ----------
    name : str
        Of the file and of the model.
    architecture : str
        A module of `emotool_training.architectures`.
    labels : tuple of str
        In the order of the logits.
    spectrogram : SpectrogramSpec
        What the model is fed.
    model : keras.Model
        In float32, with its final weights.
    split : mapping
        ``emotool_training.splits.Split.to_dict()`` of its training, and ``data``, the
        fingerprint of its clips' content.
    metrics : mapping
        By protocol, as `emotool_training.export.figures` makes them.
    temperature : float
        Divides the logits.
    corpora : tuple of str
        That it was trained on.
    notes : str
        Lines for the card.
    git_commit : str
        Of the code.
    """

    name: str
    architecture: str
    labels: tuple[str, ...]
    spectrogram: SpectrogramSpec
    model: Any
    split: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    temperature: float = 1.0
    corpora: tuple[str, ...] = ()
    notes: str = ""
    git_commit: str = ""


@dataclass(frozen=True)
class Exported:
    """The result of an export.

    Parameters
    ----------
    path, card : Path
        The model and its card.
    size_bytes : int
        Of the model.
    parity : Parity
        The float32 graph against Keras.
    agreement : Agreement
        The stored form against the float32 graph.
    metadata : ModelMetadata
        The file's metadata.
    """

    path: Path
    card: Path
    size_bytes: int
    parity: Parity
    agreement: Agreement
    metadata: ModelMetadata


def export_model(
    source: Source, windows: Windows, folder: Path, storage: Storage = "float32"
) -> Exported:
    """Convert, check and write a model and its card.

    Parameters
    ----------
    source : Source
        What is exported.
    windows : ndarray of float32, shape (windows, n_mels, frames)
        Of real clips, in dB; for int8 also what the ranges are measured on, so they must be
        of training or validation speakers.
    folder : Path
        Gets ``NAME.onnx`` and ``NAME.md``; made where it is not there.
    storage : {"float32", "float16", "int8"}
        How weights are stored.

    Returns
    -------
    Exported

    Raises
    ------
    TrainingError
        If the graph does not answer like the trained model.
    ModelError
        If the result would not load.
    OutputError
        If a file cannot be written; the old ones are then untouched.
    """
    form = STORAGES[storage]
    plain = _graph(source, int8=False)
    cores = usable_cores()
    twin = open_session(plain.SerializeToString(), "cpu", cores)
    parity = check_parity(source.model, twin, source.temperature, windows)
    # Ranges of int8 from every other window, agreement on those between: a form is not judged
    # on what it was fitted to.
    if storage == "int8" and is_encoder(source.model):
        stored = _graph(source, int8=True)
    else:
        stored = form.store(plain, windows[::2])
    session = open_session(stored.SerializeToString(), "cpu", cores)
    agreed = agreement(twin, session, windows[1::2] if len(windows) > 1 else windows)
    golden = golden_answer(session, source.spectrogram, form.tolerance)
    metadata = _metadata(source, golden, _storage_note(source, storage, agreed))
    written = write_model(stored, metadata, folder)
    return Exported(written.path, written.card, written.size_bytes, parity, agreed, metadata)


def _graph(source: Source, *, int8: bool) -> onnx.ModelProto:
    """Write the graph of an encoder, or convert that of any other network."""
    if is_encoder(source.model):
        return encoder_graph(source.model, source.temperature, int8=int8)
    return to_onnx(source.model, source.temperature)


def _storage_note(source: Source, storage: Storage, agreed: Agreement) -> str:
    """Say how the weights are stored, and what that changed."""
    if storage == "float32":
        return "Weights in float32."
    said = {
        "float16": "Weights stored as float16, computed in float32",
        "int8": "Convolutions statically quantised to int8, per channel (QDQ)",
    }[storage]
    if storage == "int8" and is_encoder(source.model):
        said = (
            "Products of the blocks and the second convolution in int8, each frame with a scale "
            "of its own"
        )
    kept = round(agreed.labels * agreed.windows)
    return (
        f"{said}: {kept} of {agreed.windows} windows of clips held out of training keep the label "
        f"of the float32 model; probabilities differ by up to {agreed.probability:.2g}."
    )


def _metadata(source: Source, golden: Golden, stored: str) -> ModelMetadata:
    """Assemble the file's metadata."""
    return ModelMetadata(
        name=source.name,
        labels=source.labels,
        input=source.spectrogram,
        temperature=source.temperature,
        golden=golden,
        architecture=source.architecture,
        corpora=source.corpora,
        split=_split_facts(source.split),
        metrics=for_metadata(source.metrics),
        licence=licence_of(source.corpora),
        git_commit=source.git_commit,
        notes="\n".join(filter(None, (stored, source.notes))),
    )


def _split_facts(split: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of a split what fits into a model file: no list of clips."""
    facts = {name: split[name] for name in ("kind", "comparable", "description") if name in split}
    speakers = split.get("speakers", {})
    heard = {name: speakers[name] for name in ("train", "validation") if name in speakers}
    digests = {"hash": split.get("digest", ""), "data": split.get("data", "")}
    return {**facts, **digests, "speakers": heard}
