"""A model of waveforms is loaded only if it takes what it says."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from emotool.errors import ModelError
from emotool.features.waveform_spec import WaveformSpec
from emotool.model.classifier import load_classifier, read_metadata
from emotool_training.adopting.adopt import Wishes, adopt
from tests.emotool.tiny_models import set_metadata
from tests.published_models import Kind, write_published


@pytest.fixture(scope="module", params=["plain", "mask", "numbers"])
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an adopted model."""
    folder = tmp_path_factory.mktemp("model")
    kind = Kind(mask=request.param == "mask", regression=request.param == "numbers")
    published = write_published(folder / "published", kind)
    return adopt(published, folder, Wishes("mine", embedding="hidden")).path


def spoilt(path: Path, folder: Path, spoil: Callable[[onnx.ModelProto], object]) -> Path:
    """Write a copy with something changed."""
    model = onnx.load(path)
    spoil(model)
    place = folder / "spoilt.onnx"
    place.write_bytes(model.SerializeToString())
    return place


def rename(model: onnx.ModelProto) -> None:
    """Call the input by another name."""
    model.graph.input[0].name = "sound"
    for node in model.graph.node:
        node.input[:] = ["sound" if name == "waveform" else name for name in node.input]


def shorten(model: onnx.ModelProto) -> None:
    """Take one length only, which the metadata do not say."""
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1_000


def double(model: onnx.ModelProto) -> None:
    """Take float64."""
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE


def hide(model: onnx.ModelProto) -> None:
    """Leave out the embedding that the metadata promise."""
    kept = [output for output in model.graph.output if output.name != "embedding"]
    del model.graph.output[:]
    model.graph.output.extend(kept)


def other_weights(model: onnx.ModelProto) -> None:
    """Answer something else than the reference output."""
    for tensor in model.graph.initializer:
        if tensor.name == "matrix":
            values = -np.frombuffer(tensor.raw_data, np.float32)
            tensor.raw_data = values.tobytes()


def said(**changes: Any) -> Callable[[onnx.ModelProto], None]:
    """Let the metadata say something else of the input."""

    def spoil(model: onnx.ModelProto) -> None:
        text = next(one.value for one in model.metadata_props if one.key == "emotool")
        from emotool.model.metadata import ModelMetadata

        metadata = ModelMetadata.from_json(text)
        assert isinstance(metadata.input, WaveformSpec)
        changed = replace(metadata, input=replace(metadata.input, **changes))
        set_metadata(model, changed.to_json())

    return spoil


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (rename, "inputs: expected waveform"),
        (shorten, r"waveform's shape: expected \[batch, samples\]|cannot load"),
        (double, "waveform's type|cannot load"),
        (hide, "outputs: expected"),
        (other_weights, "its output for the reference input"),
        (said(normalisation="none"), "its output for the reference input"),
        (said(least_seconds=10.0), "its output for the reference input|shape"),
        (said(least_seconds=2.0), "its output for the reference input"),
    ],
)
def test_a_model_that_lies_about_its_input_is_refused(
    path: Path, tmp_path: Path, spoil: Callable[[onnx.ModelProto], object], reason: str
) -> None:
    """Names, types, lengths and scaling are checked before any clip is read."""
    with pytest.raises(ModelError, match=reason) as caught:
        load_classifier(spoilt(path, tmp_path, spoil))
    assert "\n" not in caught.value.message


def test_a_mask_that_is_not_there_is_a_lie(path: Path, tmp_path: Path) -> None:
    """And so is one that is there and not said."""
    there = read_metadata(path).input
    assert isinstance(there, WaveformSpec)
    with pytest.raises(ModelError, match="inputs: expected"):
        load_classifier(spoilt(path, tmp_path, said(attention_mask=not there.attention_mask)))


def test_shapes_that_are_not_the_models_are_the_callers_mistake(path: Path) -> None:
    """A batch that is not padded as the specification says is refused."""
    classifier = load_classifier(path)
    outputs = classifier.metadata.labelling
    for shape in ((1, 10, 10), (1, 0), (1, 20)):
        with pytest.raises(ValueError, match="expected"):
            classifier.run(np.zeros(shape, np.float32), outputs)
