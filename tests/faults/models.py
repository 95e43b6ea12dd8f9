"""Untrusted model files, and the messages about them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.emotool.tiny_models import set_metadata, tiny_metadata, write_tiny_model
from tests.faults.fault import Fault

__all__ = ["MODELS", "MODELS_FAULTS", "ModelFault"]


@dataclass(frozen=True)
class ModelFault:
    """A model that is refused.

    Parameters
    ----------
    what : str
        What is wrong with it.
    make : callable
        Writes it.
    says : str
        What standard error says, ``…`` standing for anything.
    """

    what: str
    make: Callable[[Path], object]
    says: str


def _bytes(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def _spoilt(spoil: Callable[[onnx.ModelProto], object]) -> Callable[[Path], object]:
    return lambda path: write_tiny_model(path, spoil=spoil)


def _large(path: Path) -> None:
    write_tiny_model(path)
    os.truncate(path, 2**31)  # a hole: it takes no room on the disk


def _external(model: onnx.ModelProto) -> None:
    tensor = TensorProto(name="outside", data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    model.graph.initializer.append(tensor)


def _custom(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Shell", ["log_mel"], ["s"], domain="com.evil"))


def _no_metadata(model: onnx.ModelProto) -> None:
    del model.metadata_props[:]


def _swapped_labels(model: onnx.ModelProto) -> None:
    metadata = tiny_metadata()
    golden = metadata.golden
    swapped = tiny_metadata(golden=type(golden)(0, golden.probabilities[::-1], golden.tolerance))
    set_metadata(model, swapped.to_json())


def _more_labels(model: onnx.ModelProto) -> None:
    set_metadata(model, tiny_metadata(("happy", "sad", "angry")).to_json())


def _other_weights(model: onnx.ModelProto) -> None:
    weight = numpy_helper.to_array(model.graph.initializer[0])
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(-weight, "matrix"))


def _absurd_shape(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[0] = 2**62


def _no_classifier(model: onnx.ModelProto) -> None:
    del model.graph.output[:3]


def _absurd_spectrogram(model: onnx.ModelProto) -> None:
    text = tiny_metadata().to_json().replace('"n_mels": 16', '"n_mels": 1000000000')
    assert "1000000000" in text
    set_metadata(model, text)


def _escaping_label(model: onnx.ModelProto) -> None:
    text = tiny_metadata().to_json().replace('"sad"', '"\\u001b[31msad"')
    assert "u001b" in text
    set_metadata(model, text)


MODELS = (
    ModelFault("an empty file", _bytes(b""), "m.onnx is not an ONNX file: it is empty"),
    ModelFault("a text", _bytes(b"no model at all\n"), "m.onnx is not an ONNX file, or is damaged"),
    ModelFault(
        "a pickle",
        _bytes(b"\x80\x05cos\nsystem\n."),
        "…it looks like a pickle, which emotool never opens",
    ),
    ModelFault("a Keras archive", _bytes(b"PK\x03\x04" + bytes(90)), "…it is a zip archive"),
    ModelFault("HDF5 weights", _bytes(b"\x89HDF\r\n\x1a\n" + bytes(90)), "…it is an HDF5 file"),
    ModelFault("a file of 2 GiB", _large, "m.onnx is refused: it has 2.0 GiB"),
    ModelFault("a folder", lambda path: path.mkdir(), "there is no model file …m.onnx"),
    ModelFault("a FIFO", os.mkfifo, "m.onnx is not a model: it is not a regular file"),
    ModelFault(
        "weights in a file outside its folder",
        _spoilt(_external),
        "m.onnx is refused: it keeps weights in another file (external data)",
    ),
    ModelFault(
        "operators of a library",
        _spoilt(_custom),
        "m.onnx is refused: it uses operators from outside the ONNX standard (com.evil.Shell)",
    ),
    ModelFault("no metadata", _spoilt(_no_metadata), "m.onnx: …carries no emotool metadata"),
    ModelFault("more labels than outputs", _spoilt(_more_labels), "m.onnx: probabilities's shape"),
    ModelFault(
        "labels swapped",
        _spoilt(_swapped_labels),
        "m.onnx: its output for the reference input: expected …",
    ),
    ModelFault(
        "other weights",
        _spoilt(_other_weights),
        "m.onnx: its output for the reference input: expected …",
    ),
    ModelFault("a shape of 2^62", _spoilt(_absurd_shape), "m.onnx: ONNX Runtime cannot load it"),
    ModelFault("no classifier", _spoilt(_no_classifier), "m.onnx: outputs: expected"),
    ModelFault("a spectrogram of a billion bands", _spoilt(_absurd_spectrogram), "m.onnx: …n_mels"),
    ModelFault("labels that drive a terminal", _spoilt(_escaping_label), "m.onnx: …labels"),
)
"""Each is refused before any clip is read, with exit code 1 and one line."""

_REFUSED = "tests/emotool/model/test_classifier.py::test_graph_that_is_not_what_it_says_is_refused"
_ONNX = "tests/emotool/model/test_onnx_scan.py"
_VERSIONS = "tests/emotool/model/test_metadata_versions.py"
_ADOPT = "tests/training/adopting/test_adopt.py"

MODELS_FAULTS = (
    Fault(
        "external data wherever a tensor can be",
        "refused before ONNX Runtime sees the file",
        "it keeps weights in another file",
        1,
        (f"{_ONNX}::test_external_data_are_refused",),
    ),
    Fault(
        "local functions, training steps, bottomless nesting, millions of parts",
        "refused",
        code=1,
        tests=(
            f"{_ONNX}::test_what_no_classifier_needs_is_refused",
            f"{_ONNX}::test_bottomless_nesting_is_refused",
            f"{_ONNX}::test_file_of_nothing_but_tiny_parts_is_refused",
        ),
    ),
    Fault(
        "cut at any byte, any bytes overwritten, any bytes at all",
        "read or refused",
        code=1,
        tests=(
            f"{_ONNX}::test_file_truncated_anywhere_is_read_or_refused",
            f"{_ONNX}::test_overwritten_bytes_are_read_or_refused",
            f"{_ONNX}::test_arbitrary_bytes_are_read_or_refused",
        ),
    ),
    Fault(
        "metadata out of bounds, of a newer schema, or any JSON",
        "refused, naming the field",
        code=1,
        tests=(
            "tests/emotool/model/test_metadata.py::test_lies_and_absurdities_are_refused",
            "tests/emotool/model/test_metadata.py::test_newer_schema_says_to_upgrade",
            "tests/emotool/model/test_metadata.py::test_any_json_is_read_or_refused",
            f"{_VERSIONS}::test_any_value_of_any_field_is_read_or_refused",
            f"{_VERSIONS}::test_absurd_dimensions_are_refused",
            "tests/emotool/features/test_spec.py"
            "::test_whatever_a_file_says_gives_a_bounded_specification_or_an_error",
        ),
    ),
    Fault(
        "other names, types, shapes, batches, numbers than it should have",
        "refused, saying what was expected",
        code=1,
        tests=(
            _REFUSED,
            "tests/emotool/model/test_waveform_models.py"
            "::test_a_model_that_lies_about_its_input_is_refused",
        ),
    ),
    Fault(
        "a mask that excludes no padding",
        "refused when it is adopted and at each load",
        "attention_mask does not exclude padding",
        1,
        (f"{_ADOPT}::test_a_mask_that_excludes_nothing_is_refused",),
    ),
    Fault(
        "`emotool adopt`: weights behind `..`, links, absolute paths, FIFOs, beyond a file's end",
        "refused; nothing outside the folder is read",
        "which is not a file of the model's folder",
        1,
        (
            f"{_ADOPT}::test_external_data_from_elsewhere_are_refused",
            f"{_ADOPT}::test_absurd_places_of_external_data_are_refused",
        ),
    ),
    Fault(
        "`emotool adopt`: a folder's JSON files of any content",
        "read as data or refused",
        code=1,
        tests=(
            "tests/training/adopting/test_published.py::test_any_configuration_is_read_or_refused",
        ),
    ),
    Fault(
        "a large model that is swapped while it is loaded",
        "refused",
        "it was changed while it was loaded",
        1,
        (
            "tests/emotool/model/test_classifier.py"
            "::test_large_file_that_changes_meanwhile_is_refused",
        ),
    ),
    Fault(
        "labels like formulas or markup",
        "harmless in tables, escaped in summaries",
        tests=("tests/emotool/writers/test_csv_writer.py::test_hostile_labels_are_harmless",),
    ),
    Fault(
        "it fails on some clips only",
        "`failed` rows for them, labels for the others",
        "model: …",
        3,
        (
            "tests/emotool/run/test_pipeline.py::test_windows_the_model_fails_on_cost_their_own_clips",
        ),
    ),
    Fault(
        "damaged or foreign weights in training",
        "refused; weights are read as arrays, nothing in them is run",
        code=1,
        tests=(
            "tests/training/runs/test_stage.py::test_a_damaged_checkpoint_is_refused",
            "tests/training/runs/test_stage.py::test_a_checkpoint_of_another_model_is_refused",
            "tests/faults/test_models.py::test_nothing_is_loaded_that_could_run_code",
        ),
    ),
)
