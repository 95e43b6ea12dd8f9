"""A model is loaded only if it is what it says, and then answers as it should."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from emotool.errors import DeviceError, ModelError, ModelNotFoundError
from emotool.features.spec import SpectrogramSpec
from emotool.model.classifier import Classifier, Sessions, load_classifier, read_metadata
from emotool.model.metadata import Golden, golden_input
from emotool.model.session import open_session
from tests.emotool.tiny_models import (
    LABELS,
    SMALL_SPEC,
    answer,
    set_metadata,
    tiny_metadata,
    tiny_model,
    write_tiny_model,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write a valid model."""
    return write_tiny_model(tmp_path / "tiny.onnx")


@pytest.fixture
def classifier(path: Path) -> Classifier:
    """Load a valid model."""
    return load_classifier(path)


def noise(batch: int, seed: int = 1, spec: SpectrogramSpec = SMALL_SPEC) -> np.ndarray:
    """Make spectrograms [batch, n_mels, frames] in dB."""
    random = np.random.RandomState(seed)
    return random.uniform(-80, 0, (batch, spec.n_mels, spec.frames)).astype(np.float32)


def test_model_says_what_it_is(path: Path, classifier: Classifier) -> None:
    """Everything a run reports of its model comes from the file."""
    assert (classifier.name, classifier.labels) == ("tiny", LABELS)
    assert classifier.spec == SMALL_SPEC
    assert classifier.device == "cpu"
    assert classifier.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert classifier.metadata == read_metadata(path)


def test_probabilities_are_those_of_the_graph(classifier: Classifier) -> None:
    """The session computes what numpy computes."""
    log_mels = noise(5)
    probabilities = classifier.predict(log_mels)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, answer(log_mels, 2), atol=1e-6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(batch=st.integers(1, 40), data=st.data())
def test_clip_is_answered_the_same_in_any_batch(
    classifier: Classifier, batch: int, data: st.DataObject
) -> None:
    """A clip's answer does not depend on its neighbours."""
    log_mels = noise(batch)
    i = data.draw(st.integers(0, batch - 1))
    alone = classifier.predict(log_mels[i : i + 1])
    np.testing.assert_array_equal(classifier.predict(log_mels)[i : i + 1], alone)


def test_chosen_outputs_come_by_name(classifier: Classifier) -> None:
    """Only what is asked for is computed, and arrives under its name."""
    outputs = classifier.run(noise(3), ("activation", "embedding"))
    assert list(outputs) == ["activation", "embedding"]
    assert outputs["embedding"].shape == (3, 16)
    assert outputs["activation"].shape == (3, SMALL_SPEC.n_mels, SMALL_SPEC.frames)


def test_any_memory_layout_is_taken(classifier: Classifier) -> None:
    """Views, other byte orders and float64 are copied to what the session needs."""
    log_mels = noise(4)
    expected = classifier.predict(log_mels[::2])
    np.testing.assert_array_equal(classifier.predict(np.asfortranarray(log_mels[::2])), expected)
    np.testing.assert_array_equal(
        classifier.predict(log_mels[::2].astype(np.float64)),  # type: ignore[arg-type]
        expected,
    )


@pytest.mark.parametrize("shape", [(16, 32), (1, 16, 31), (1, 32, 16), (1, 1, 16, 32)])
def test_wrong_shape_is_a_mistake_of_the_caller(
    classifier: Classifier, shape: tuple[int, ...]
) -> None:
    """A shape that is not the model's is refused before ONNX Runtime sees it."""
    with pytest.raises(ValueError, match="expected"):
        classifier.predict(np.zeros(shape, np.float32))
    with pytest.raises(ValueError, match="unknown outputs"):
        classifier.run(noise(1), ("secrets",))


def test_threads_do_not_change_answers(path: Path, classifier: Classifier) -> None:
    """One thread answers as many do."""
    np.testing.assert_array_equal(
        load_classifier(path, threads=1).predict(noise(8)), classifier.predict(noise(8))
    )


def test_batches_run_side_by_side_by_the_threads_there_are(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's choice goes before ours, which is a quarter of the cores for a small model."""
    monkeypatch.setattr("emotool.model.classifier.usable_cores", lambda: 12)
    wanted = {None: 3, 1: 1, 2: 2, 9: 9}
    found = {threads: load_classifier(path, threads=threads).batches_at_once for threads in wanted}
    assert found == wanted
    made: Any = load_classifier(path, threads=9)
    for session in made._sessions[:2]:
        assert session.get_session_options().intra_op_num_threads == 1


@pytest.mark.parametrize("threads", [4, 6])
@pytest.mark.parametrize("name", ["cnn", "resnet"])
def test_answers_are_the_same_in_any_batch_with_many_threads(
    root: Path, name: str, threads: int
) -> None:
    """Threads that share an operator would divide it by the batch's size."""
    model = load_classifier(root / "exported" / f"{name}.onnx", threads=threads)
    windows = np.concatenate([golden_input(seed, model.metadata.input) for seed in range(8)])
    four = model.predict(windows[:4])
    for batch in (slice(0, 2), slice(0, 3), slice(1, 4), slice(2, 4)):
        np.testing.assert_array_equal(model.predict(windows[batch]), four[batch])
    np.testing.assert_array_equal(model.predict(windows)[:4], four)


def test_on_a_gpu_one_batch_runs_at_a_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its batches are large, and side by side they would need its memory several times."""
    monkeypatch.setattr("emotool.model.classifier.prove", lambda session, wanted: "cuda")
    assert load_classifier(path, threads=4).batches_at_once == 1


class Watched:
    """A session that notes what it is asked for."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self._session, name)


def watched(device: str) -> tuple[Classifier, Watched, Watched]:
    """Make a classifier of a whole session and one for labels, both watched."""
    content = tiny_model().SerializeToString()
    whole, small = (Watched(open_session(content, "cpu", 1)) for _ in range(2))
    made: Any = Classifier
    sessions: Any = (whole, small, 1)
    return made(Sessions(*sessions), tiny_metadata(), sha256="", device=device), whole, small


def test_labels_are_computed_by_the_session_that_computes_nothing_else() -> None:
    """The whole one is for those who ask for more."""
    classifier, whole, small = watched("cpu")
    classifier.predict(noise(2))
    classifier.run(noise(2), ("probabilities", "logits"))
    assert (len(whole.asked), small.asked) == (0, ["run", "run"])
    classifier.run(noise(2), ("probabilities", "embedding"))
    assert (whole.asked, len(small.asked)) == (["run"], 2)


def test_inputs_are_bound_where_the_device_is_not_the_cpu() -> None:
    """And are handed over as they are where it is."""
    classifier, _, small = watched("cuda")
    wanted = answer(noise(2), 2)
    np.testing.assert_allclose(classifier.predict(noise(2)), wanted, atol=1e-6)
    assert "run_with_iobinding" in small.asked
    assert "run" not in small.asked


def test_labels_of_another_graph_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The smaller graph must pass the model's own test, too."""
    other = tiny_model()
    bias = next(one for one in other.graph.initializer if one.name == "bias")
    bias.CopyFrom(numpy_helper.from_array(np.float32([5, -5]), "bias"))
    monkeypatch.setattr(
        "emotool.model.classifier.only_outputs", lambda *_: other.SerializeToString()
    )
    with pytest.raises(ModelError):
        load_classifier(path)


def test_name_is_found_like_a_path(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A model may be given by its name in a folder of models."""
    monkeypatch.setenv("EMOTOOL_MODELS", str(tmp_path))
    assert load_classifier("tiny").sha256 == load_classifier(path).sha256
    with pytest.raises(ModelNotFoundError, match="there is no model"):
        load_classifier("none")


def test_cuda_that_is_not_there_is_an_error(path: Path) -> None:
    """``cuda`` never lands on the CPU in silence."""
    with pytest.raises(DeviceError, match="cuda"):
        load_classifier(path, device="cuda")


def replace_weights(model: onnx.ModelProto) -> None:
    """Give the graph other weights than the golden answer was made with."""
    weight = numpy_helper.to_array(model.graph.initializer[0])
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(-weight, "matrix"))


def rename_input(model: onnx.ModelProto) -> None:
    """Call the input by another name."""
    model.graph.input[0].name = "samples"
    model.graph.node[0].input[0] = model.graph.node[3].input[0] = "samples"


def add_input(model: onnx.ModelProto) -> None:
    """Ask for a second input."""
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))


def fix_batch(model: onnx.ModelProto) -> None:
    """Take one clip at a time only."""
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def shorten_input(model: onnx.ModelProto) -> None:
    """Take other spectrograms than the metadata describe."""
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = SMALL_SPEC.frames - 1
    del model.graph.output[3]


def double_input(model: onnx.ModelProto) -> None:
    """Take float64."""
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    model.graph.node.insert(
        0, helper.make_node("Cast", ["log_mel"], ["cast"], to=TensorProto.FLOAT)
    )
    model.graph.node[1].input[0] = model.graph.node[4].input[0] = "cast"


def drop_output(model: onnx.ModelProto) -> None:
    """Leave out the embedding."""
    del model.graph.output[2]


def name_a_missing_node(model: onnx.ModelProto) -> None:
    """Use an operator that the standard has not got."""
    model.graph.node[0].op_type = "ReduceFeelings"


def take_a_weight(model: onnx.ModelProto) -> None:
    """Leave out a weight."""
    del model.graph.initializer[0]


def empty_graph(model: onnx.ModelProto) -> None:
    """Leave out everything."""
    model.graph.Clear()


def absurd_shape(model: onnx.ModelProto) -> None:
    """Say that a tensor has more numbers than there are atoms, without having them."""
    model.graph.initializer[0].dims[0] = 2**62


def absurd_memory(model: onnx.ModelProto) -> None:
    """Ask for four exbibytes in the middle of the graph."""
    shape = numpy_helper.from_array(np.array([2**60], np.int64), "shape")
    model.graph.initializer.append(shape)
    model.graph.node.append(helper.make_node("ConstantOfShape", ["shape"], ["huge"]))
    model.graph.node.append(helper.make_node("ReduceSum", ["huge"], ["sum"], keepdims=0))
    model.graph.node[2].output[0] = "small"
    model.graph.node.append(helper.make_node("Add", ["small", "sum"], ["probabilities"]))


def lie_about_logits(model: onnx.ModelProto) -> None:
    """Give the right probabilities, and logits that they do not come from."""
    model.graph.node[1].output[0] = model.graph.node[2].input[0] = "own"
    model.graph.node.append(helper.make_node("Add", ["own", "own"], ["logits"]))


def skip_softmax(model: onnx.ModelProto) -> None:
    """Give probabilities that are not the logits' softmax."""
    model.graph.node[2].input[0] = "sum"
    model.graph.node.insert(2, helper.make_node("Add", ["logits", "logits"], ["sum"]))


def give_nan(model: onnx.ModelProto) -> None:
    """Let the activation be no number."""
    model.graph.node[3].op_type = "Log"  # of negative numbers


def leave_axes_open(model: onnx.ModelProto) -> None:
    """Declare nothing of the outputs' shapes, and give a flat activation."""
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    model.graph.node[3].CopyFrom(helper.make_node("Flatten", ["log_mel"], ["activation"]))


def _pad(model: onnx.ModelProto, node: int, output: int, pads: list[int]) -> None:
    """Put zeros around what a node gives, and declare nothing of its shape."""
    name = model.graph.node[node].output[0]
    sizes = numpy_helper.from_array(np.array(pads, np.int64), "sizes")
    model.graph.initializer.append(sizes)
    model.graph.node[node].output[0] = "narrow"
    for other in model.graph.node:
        other.input[:] = ["narrow" if given == name else given for given in other.input]
    model.graph.node.append(helper.make_node("Pad", ["narrow", "sizes"], [name]))
    model.graph.output[output].type.tensor_type.ClearField("shape")


def huge_embedding(model: onnx.ModelProto) -> None:
    """Give an embedding of more numbers than a clip has samples."""
    _pad(model, 0, 2, [0, 0, 0, 70_000])


def huge_activation(model: onnx.ModelProto) -> None:
    """Give an activation with more bands than the spectrogram has."""
    _pad(model, 3, 3, [0, 0, 0, 0, 5, 0])


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (huge_embedding, "embedding: expected at most 65536"),
        (huge_activation, "activation: expected at most 16 x"),
        (replace_weights, "its output for the reference input: expected"),
        (rename_input, "inputs: expected log_mel, got samples"),
        (add_input, "inputs: expected log_mel, got log_mel, more"),
        (fix_batch, "log_mel's shape"),
        (shorten_input, "log_mel's shape"),
        (double_input, r"log_mel's type: expected tensor\(float\)"),
        (drop_output, "outputs: expected"),
        (name_a_missing_node, "ONNX Runtime cannot load it"),
        (take_a_weight, "ONNX Runtime cannot load it"),
        (empty_graph, "ONNX Runtime cannot load it|inputs: expected"),
        (absurd_shape, "ONNX Runtime cannot load it"),
        (absurd_memory, "ONNX Runtime cannot load it|failed while running"),
        (skip_softmax, "reference input"),
        (lie_about_logits, "probabilities: expected the softmax of its logits"),
        (give_nan, "output activation: expected finite numbers"),
        (leave_axes_open, "activation"),
    ],
)
def test_graph_that_is_not_what_it_says_is_refused(
    tmp_path: Path,
    spoil: Callable[[onnx.ModelProto], None],
    reason: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A damaged or lying model is refused in one line that says what is wrong with it."""
    path = write_tiny_model(tmp_path / "m.onnx", spoil=spoil)
    with pytest.raises(ModelError, match=reason) as caught:
        load_classifier(path)
    assert caught.value.message.startswith(str(path))
    assert "\n" not in caught.value.message
    assert capfd.readouterr() == ("", "")


def test_golden_answer_that_depends_on_the_place_is_refused(tmp_path: Path) -> None:
    """A model whose answer changes with a clip's place in the batch is caught."""

    def spoil(model: onnx.ModelProto) -> None:
        # The cumulative sum over the batch makes the second clip's logits the sum of both.
        axis = numpy_helper.from_array(np.array(0, np.int64), "axis")
        model.graph.initializer.append(axis)
        model.graph.node[1].output[0] = "own"
        model.graph.node.insert(2, helper.make_node("CumSum", ["own", "axis"], ["logits"]))

    path = write_tiny_model(tmp_path / "m.onnx", spoil=spoil)
    with pytest.raises(ModelError, match="golden"):
        load_classifier(path)


def test_large_file_is_loaded_from_its_path_with_the_same_answers(
    path: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are never held, its hash is the same, and it is looked through all the same."""
    monkeypatch.setattr("emotool.model.onnx_scan.LARGE_BYTES", 100)
    large = load_classifier(path)
    assert large.sha256 == classifier.sha256
    np.testing.assert_array_equal(large.predict(noise(3)), classifier.predict(noise(3)))
    write_tiny_model(path, spoil=lambda model: set_metadata(model, "{}"))
    with pytest.raises(ModelError, match="name: missing"):
        load_classifier(path)


def test_large_file_that_changes_meanwhile_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is loaded must be what was looked through."""
    monkeypatch.setattr("emotool.model.onnx_scan.LARGE_BYTES", 100)

    def swap(*arguments: Any) -> Any:
        write_tiny_model(path, tiny_metadata(notes="another"))
        return open_session(*arguments)

    monkeypatch.setattr("emotool.model.classifier.open_session", swap)
    with pytest.raises(ModelError, match="changed while it was loaded"):
        load_classifier(path)


def test_metadata_for_other_labels_are_refused(tmp_path: Path) -> None:
    """Labels that the graph has no outputs for are no labels of it."""
    metadata = tiny_metadata(("happy", "sad", "angry"))
    path = tmp_path / "m.onnx"
    path.write_bytes(tiny_model(metadata, labels=2).SerializeToString())
    with pytest.raises(ModelError, match=r"probabilities's shape: expected \[batch, 3\]"):
        load_classifier(path)


def test_metadata_with_another_golden_answer_are_refused(tmp_path: Path) -> None:
    """Swapped labels, which no shape gives away, are caught by the golden answer."""
    golden = tiny_metadata().golden
    metadata = tiny_metadata(golden=Golden(0, golden.probabilities[::-1], 1e-2))
    with pytest.raises(ModelError, match="reference input"):
        load_classifier(write_tiny_model(tmp_path / "m.onnx", metadata))


def test_model_without_our_metadata_is_named_as_such(tmp_path: Path) -> None:
    """An ONNX file from elsewhere is told what it lacks."""

    def strip(model: onnx.ModelProto) -> None:
        del model.metadata_props[:]

    path = write_tiny_model(tmp_path / "m.onnx", spoil=strip)
    with pytest.raises(ModelError, match="carries no emotool metadata") as caught:
        load_classifier(path)
    assert "emotool export" in caught.value.hint


def test_bad_metadata_are_refused_with_the_file(tmp_path: Path) -> None:
    """What is wrong with the metadata is said together with the file's name."""
    document = json.loads(tiny_metadata().to_json())
    del document["licence"]
    path = write_tiny_model(
        tmp_path / "m.onnx", spoil=lambda model: set_metadata(model, json.dumps(document))
    )
    for load in (load_classifier, read_metadata):
        with pytest.raises(ModelError, match=r"m\.onnx: model metadata: licence: missing"):
            load(path)


def test_failing_batch_is_a_model_error(classifier: Classifier) -> None:
    """A failure inside ONNX Runtime becomes an error of ours, not a C++ exception."""
    classifier.metadata = replace(
        tiny_metadata(), input=replace(SMALL_SPEC, n_mels=SMALL_SPEC.n_mels + 1)
    )
    wrong = golden_input(0, classifier.spec)
    with pytest.raises(ModelError, match="failed while running"):
        classifier.predict(wrong)


def test_all_promised_outputs_are_there(classifier: Classifier) -> None:
    """The four outputs of the contract can be asked for at once."""
    names = classifier.metadata.outputs
    assert tuple(classifier.run(noise(2), names)) == names
    assert names == ("probabilities", "logits", "embedding", "activation")
