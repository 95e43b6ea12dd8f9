"""Write a graph with its metadata as a model file, and its card; without TensorFlow."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from emotool.errors import TrainingError
from emotool.features.waveform_spec import InputSpec
from emotool.files.atomic import atomic_write
from emotool.model.classifier import load_classifier
from emotool.model.feed import feed
from emotool.model.metadata import METADATA_KEY, Golden, ModelMetadata, golden_input
from emotool_training.export.card import model_card
from emotool_training.folders import make_folder

__all__ = ["Written", "golden_answer", "write_model"]

GOLDEN_SEED = 20_240_101


@dataclass(frozen=True)
class Written:
    """A model file and its card."""

    path: Path
    card: Path
    size_bytes: int


def golden_answer(session: Any, spec: InputSpec, tolerance: float) -> Golden:
    """Record a session's answer to the seeded input."""
    inputs = feed(golden_input(GOLDEN_SEED, spec), (), spec)
    (answer,) = session.run(["probabilities"], inputs)
    return Golden(GOLDEN_SEED, tuple(float(p) for p in answer[0]), tolerance)


def write_model(proto: onnx.ModelProto, metadata: ModelMetadata, folder: Path) -> Written:
    """Put the metadata into a graph, load it once, and write ``NAME.onnx`` and ``NAME.md``.

    Parameters
    ----------
    proto : onnx.ModelProto
        The graph; not changed.
    metadata : ModelMetadata
        Names the files.
    folder : Path
        Made where it is not there.

    Raises
    ------
    ModelError
        If the result would not load.
    OutputError
        If a file cannot be written; the old ones are then untouched.
    """
    content = _with_metadata(proto, metadata)
    _check_loads(content, metadata.name)
    path = make_folder(folder) / f"{metadata.name}.onnx"
    with atomic_write(path) as handle:
        handle.write(content)
    card = path.with_suffix(".md")
    with atomic_write(card, text=True) as text:
        there = path.with_name("LICENSE").is_file()
        text.write(model_card(metadata, len(content), licence_file=there))
    return Written(path, card, len(content))


def _with_metadata(proto: onnx.ModelProto, metadata: ModelMetadata) -> bytes:
    """Put the metadata into the file's properties."""
    whole = onnx.ModelProto()
    whole.CopyFrom(proto)
    onnx.helper.set_model_props(whole, {METADATA_KEY: metadata.to_json()})
    content: bytes = whole.SerializeToString()
    return content


def _check_loads(content: bytes, name: str) -> None:
    """Load the file as a user will: metadata, shapes and reference output are checked there."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.onnx"
            path.write_bytes(content)
            load_classifier(path, device="cpu")
    except OSError as error:
        raise TrainingError(
            f"cannot write a temporary file: {error.strerror or error}",
            hint="name a folder with room for it in the environment variable TMPDIR",
        ) from error
