"""A published model is adopted, proved and right; what cannot be is refused with what to do."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from emotool import classify
from emotool.errors import ModelError, SpecError
from emotool.features.waveform_spec import WaveformSpec
from emotool.model.classifier import load_classifier, read_metadata
from emotool_training.adopting import weights
from emotool_training.adopting.adopt import Adopted, Wishes, adopt
from tests.published_models import (
    DIMENSIONS,
    LABELS,
    PLAIN,
    Kind,
    energies,
    graph_of,
    sounds,
    trained,
    write_published,
)
from tests.synthesis import write_clip


def adopted(tmp_path: Path, kind: Kind = PLAIN, **wishes: Any) -> Adopted:
    """Adopt a small published model."""
    folder = write_published(tmp_path / "published", kind)
    return adopt(folder, tmp_path / "exported", Wishes("mine", **wishes))


def test_a_trained_network_is_adopted_and_right(tmp_path: Path) -> None:
    """From training to labels: tones that it was not trained on get their names."""
    done = adopted(tmp_path)
    made, truth = sounds(2, 12)
    clips = [write_clip(tmp_path / "clips" / f"{i:02}.wav", sound) for i, sound in enumerate(made)]
    results = list(classify([tmp_path / "clips"], model=done.path, workers=1))
    assert len(results) == len(clips)
    assert [row.label for row in results] == [LABELS[place] for place in truth]


def test_probabilities_are_those_of_the_published_network(tmp_path: Path) -> None:
    """Scaling, windows and softmax are the publisher's, to rounding."""
    done = adopted(tmp_path, trim=False)
    (sound,), _ = sounds(3, 1)
    clip = write_clip(tmp_path / "a.wav", sound, subtype="FLOAT")
    (row,) = classify([clip], model=done.path, workers=1)
    matrix, bias = trained()
    logits = energies(sound) @ matrix + bias
    shares = np.exp(logits - logits.max())
    found = list(row.probabilities.values())
    np.testing.assert_allclose(found, shares / shares.sum(), atol=1e-5)


@pytest.mark.parametrize("mask", [False, True])
def test_a_clip_has_the_same_numbers_alone_and_in_company(tmp_path: Path, mask: bool) -> None:
    """With a mask, clips of similar length share batches; without, each runs alone."""
    done = adopted(tmp_path, Kind(mask=mask))
    made, _ = sounds(4, 9)
    for i, sound in enumerate(made):
        write_clip(tmp_path / "clips" / f"{i}.wav", sound)
    together = list(classify([tmp_path / "clips"], model=done.path, workers=1))
    one = list(classify([tmp_path / "clips" / "5.wav"], model=done.path, workers=1))
    small = list(classify([tmp_path / "clips"], model=done.path, workers=2, batch_size=2))
    assert one[0].probabilities == together[5].probabilities
    assert [row.probabilities for row in small] == [row.probabilities for row in together]


def test_a_mask_changes_nothing_but_the_batches(tmp_path: Path) -> None:
    """Padding that the mask excludes leaves the answer as it is."""
    plain = adopted(tmp_path / "a").path
    masked = adopted(tmp_path / "b", Kind(mask=True)).path
    made, _ = sounds(5, 6)
    for i, sound in enumerate(made):
        write_clip(tmp_path / "clips" / f"{i}.wav", sound)
    rows = [list(classify([tmp_path / "clips"], model=path, workers=1)) for path in (plain, masked)]
    for one, other in zip(*rows, strict=True):
        np.testing.assert_allclose(
            list(one.probabilities.values()), list(other.probabilities.values()), atol=1e-5
        )


def test_metadata_say_what_the_folder_says(tmp_path: Path) -> None:
    """Labels, rate, scaling and origin come from the folder; what is wished is added."""
    done = adopted(tmp_path, licence="CC BY-NC 4.0", author="Someone", window_seconds=4.0)
    found = read_metadata(done.path)
    assert (found.name, found.labels, found.licence) == ("mine", LABELS, "CC BY-NC 4.0")
    assert found.input == WaveformSpec(window_seconds=4.0)
    assert (found.extras, found.metrics, found.schema_version) == ((), {}, 2)
    assert found.architecture == "ToneForSequenceClassification"
    assert "someone/tones by Someone" in found.notes
    card = done.card.read_text("utf-8")
    for text in ("`someone/tones` by Someone", "CC BY-NC 4.0", "Not measured", "emotool evaluate"):
        assert text in card


def test_a_regression_gives_dimensions(tmp_path: Path) -> None:
    """Numbers have names and a range, and are no probabilities."""
    done = adopted(tmp_path, Kind(regression=True), limits=(-1.0, 2.0))
    found = read_metadata(done.path)
    assert [one.name for one in found.dimensions] == list(DIMENSIONS)
    assert {(one.low, one.high) for one in found.dimensions} == {(-1.0, 2.0)}
    (sound,), _ = sounds(3, 1)
    (row,) = classify([write_clip(tmp_path / "a.wav", sound)], model=done.path, workers=1)
    assert (row.label, row.confidence, row.probabilities) == (None, None, {})
    assert list(row.dimensions) == list(DIMENSIONS)


def test_an_inner_tensor_becomes_the_embedding(tmp_path: Path) -> None:
    """What is computed anyway may be asked for."""
    done = adopted(tmp_path, embedding="hidden", activation="squares")
    classifier = load_classifier(done.path)
    assert classifier.embedding_size() == 12
    assert classifier.metadata.outputs[-2:] == ("embedding", "activation")
    with pytest.raises(ModelError, match="the graph computes no nothing"):
        adopt(tmp_path / "published", tmp_path / "x", Wishes("other", embedding="nothing"))


def test_what_is_missing_is_said_where_it_is_needed(tmp_path: Path) -> None:
    """Embeddings and explanations name the output that the model lacks, and what adds it."""
    classifier = load_classifier(adopted(tmp_path).path)
    with pytest.raises(ModelError, match="embeddings: the model mine has no output embedding") as e:
        classifier.embedding_size()
    assert "emotool adopt --embedding" in e.value.hint
    with pytest.raises(ModelError, match="emotool explain: the model mine has no output activ"):
        classifier.require("activation", "emotool explain")


def test_a_file_needs_only_options(tmp_path: Path) -> None:
    """Without a folder, names come from the command line."""
    write_published(tmp_path / "p")
    file = (tmp_path / "p" / "model.onnx").rename(tmp_path / "model.onnx")
    with pytest.raises(ModelError, match="nothing says what the model's outputs are called") as e:
        adopt(file, tmp_path, Wishes("mine"))
    assert "--labels" in e.value.hint
    done = adopt(file, tmp_path, Wishes("mine", labels=("a", "b", "c"), normalise=True))
    assert done.metadata.labels == ("a", "b", "c")


def test_a_fixed_length_is_kept(tmp_path: Path) -> None:
    """A graph of one length receives windows of it, padded with zeros."""
    done = adopted(tmp_path, Kind(samples=16_000))
    spec = done.metadata.input
    assert isinstance(spec, WaveformSpec)
    assert (spec.fixed, spec.window_samples) == (True, 16_000)


def test_long_windows_run_one_after_the_other(tmp_path: Path) -> None:
    """All threads work on one: two at once would take twice the memory and no less time."""
    long = adopted(tmp_path / "a", Kind(samples=320_000)).path
    short = adopted(tmp_path / "b", Kind(samples=16_000)).path
    assert load_classifier(long, threads=2).batches_at_once == 1
    assert load_classifier(short, threads=2).batches_at_once == 2


def test_the_clip_is_a_recording_of_the_users(tmp_path: Path) -> None:
    """The answers are proved on it, and the card names it."""
    (sound,), _ = sounds(3, 1)
    clip = write_clip(tmp_path / "mine.wav", sound)
    done = adopted(tmp_path, clip=str(clip))
    assert done.proof.clip == "mine.wav"
    assert "mine.wav" in done.card.read_text("utf-8")
    with pytest.raises(ModelError, match="no answer for"):
        adopt(tmp_path / "published", tmp_path, Wishes("b", clip=str(tmp_path / "none.wav")))


def test_external_data_are_taken_in(tmp_path: Path) -> None:
    """Weights beside the graph become part of the file."""
    folder = write_published(tmp_path / "published")
    inside = adopt(folder, tmp_path, Wishes("inside")).path.read_bytes()
    model = onnx.load(folder / "model.onnx")
    external_data_helper.convert_model_to_external_data(
        model, all_tensors_to_one_file=True, location="weights.bin", size_threshold=0
    )
    onnx.save(model, folder / "model.onnx")
    assert (folder / "weights.bin").is_file()
    outside = adopt(folder, tmp_path, Wishes("outside")).path.read_bytes()
    before, after = (onnx.load_from_string(each).graph for each in (inside, outside))
    assert [numpy_helper.to_array(one).tobytes() for one in before.initializer] == [
        numpy_helper.to_array(one).tobytes() for one in after.initializer
    ]


def _external(location: str, **entries: str) -> Callable[[onnx.ModelProto], None]:
    def spoil(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[1]
        size = len(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, "length": str(size), **entries}.items():
            tensor.external_data.add(key=key, value=value)

    return spoil


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("../secret", "not a file of the model's folder"),
        ("/etc/passwd", "not a file of the model's folder"),
        ("a/../../secret", "not a file of the model's folder"),
        ("..\\secret", "not a file of the model's folder"),
        ("", "not a file of the model's folder"),
        ("link", "which is a link"),
        ("linked/secret", "which is a link"),
        ("fifo", "not a regular file"),
        ("none", "cannot be read"),
        ("short", "should have"),
    ],
)
def test_external_data_from_elsewhere_are_refused(
    tmp_path: Path, location: str, reason: str
) -> None:
    """Only regular files of the folder are read, and only where they have the bytes."""
    folder = write_published(tmp_path / "published", spoil=_external(location))
    (tmp_path / "secret").write_bytes(bytes(10_000))
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "linked").symlink_to(tmp_path)
    os.mkfifo(folder / "fifo")
    (folder / "short").write_bytes(bytes(10))
    with pytest.raises(ModelError, match=reason):
        adopt(folder, tmp_path / "exported", Wishes("mine"))


@pytest.mark.parametrize("entries", [{"offset": "-1"}, {"offset": "x"}, {"length": "1"}])
def test_absurd_places_of_external_data_are_refused(
    tmp_path: Path, entries: dict[str, str]
) -> None:
    """Offsets and lengths that do not fit the tensor are no weights."""
    folder = write_published(tmp_path / "published", spoil=_external("w", **entries))
    (folder / "w").write_bytes(bytes(10_000))
    with pytest.raises(ModelError, match="the weight matrix"):
        adopt(folder, tmp_path / "exported", Wishes("mine"))


def test_a_file_above_the_limit_is_refused_with_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2 GiB are the most that an ONNX file holds."""
    monkeypatch.setattr(weights, "MAX_BYTES", 1_000)
    with pytest.raises(ModelError, match=r"GiB with its weights.*less than 2 GiB"):
        adopted(tmp_path)


def custom(model: onnx.ModelProto) -> None:
    """Use an operator of a runtime's own."""
    model.graph.node.append(
        helper.make_node("FusedGelu", ["logits"], ["x"], domain="com.microsoft")
    )


def two_inputs(model: onnx.ModelProto) -> None:
    """Take something else besides."""
    model.graph.input.append(helper.make_tensor_value_info("speaker", TensorProto.FLOAT, [1]))


def fixed_batch(model: onnx.ModelProto) -> None:
    """Take one clip at a time."""
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def half(model: onnx.ModelProto) -> None:
    """Take float16."""
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16


def spectrograms(model: onnx.ModelProto) -> None:
    """Take spectrograms."""
    model.graph.input[0].type.tensor_type.shape.dim.add().dim_value = 100


def other_output(model: onnx.ModelProto) -> None:
    """Call the output by another name."""
    model.graph.output[0].name = "hidden"


def frames(model: onnx.ModelProto) -> None:
    """Give logits for each frame."""
    model.graph.output[0].type.tensor_type.shape.dim.add().dim_param = "time"


def no_samples(model: onnx.ModelProto) -> None:
    """Take windows without a sample."""
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 0


def later_opset(model: onnx.ModelProto) -> None:
    """Be written in an opset of the future."""
    model.opset_import[0].version = 999


def unknown_operator(model: onnx.ModelProto) -> None:
    """Use an operator that the standard does not have."""
    model.graph.node[-1].op_type = "Unknown"


def no_opset(model: onnx.ModelProto) -> None:
    """Name no set of operators."""
    del model.opset_import[:]


def batch_sum(model: onnx.ModelProto) -> None:
    """Let each clip's answer depend on those before it."""
    model.graph.initializer.append(numpy_helper.from_array(np.array(0, np.int64), "first"))
    model.graph.node[-1].output[0] = "own"
    model.graph.node.append(helper.make_node("CumSum", ["own", "first"], ["logits"]))


@pytest.mark.parametrize(
    ("spoil", "reason", "hint"),
    [
        (custom, r"outside the ONNX standard \(com\.microsoft\.FusedGelu\)", "opset 17"),
        (two_inputs, "the graph takes input_values, speaker", "--task audio-classification"),
        (fixed_batch, "takes a batch of 1 only", "dynamic batch"),
        (half, "is not float32", "--dtype fp32"),
        (spectrograms, "nothing says how they are made", "preprocessor_config.json"),
        (other_output, "the graph has no output logits; it has hidden", "--logits"),
        (frames, r"has the shape \[any, 3, any\]", "audio classification"),
        (batch_sum, "golden|reference", ""),
        (no_samples, "window_seconds must lie between", "optimum-cli"),
        (later_opset, "opset 999 of ONNX; the newest", "--opset 18"),
        (no_opset, "states no opset", "--opset 18"),
        (unknown_operator, "ONNX Runtime cannot load it", "--opset 18"),
    ],
)
def test_what_cannot_be_adopted_says_what_to_do(
    tmp_path: Path, spoil: Callable[[onnx.ModelProto], None], reason: str, hint: str
) -> None:
    """One line for the reason, one for the way out, and nothing is left behind."""
    folder = write_published(tmp_path / "published", spoil=spoil)
    with pytest.raises((ModelError, SpecError), match=reason) as caught:
        adopt(folder, tmp_path / "exported", Wishes("mine"))
    assert hint in caught.value.hint
    assert "model.onnx" in caught.value.message
    assert not list((tmp_path / "exported").glob("*")) if (tmp_path / "exported").is_dir() else True


def test_names_that_are_not_utf8_are_no_traceback(tmp_path: Path) -> None:
    """Damage in a name is reported as damage."""
    folder = write_published(tmp_path / "published")
    file = folder / "model.onnx"
    file.write_bytes(file.read_bytes().replace(b"input_values", b"input_v\xa9lues"))
    with pytest.raises(ModelError, match="damaged"):
        adopt(folder, tmp_path / "exported", Wishes("mine"))


@pytest.mark.parametrize("content", [None, b"", b"no ONNX file"])
def test_a_file_that_is_no_onnx_file_says_what_to_do(tmp_path: Path, content: bytes | None) -> None:
    """A missing file, an empty one and any other are named, with what writes one."""
    file = tmp_path / "model.onnx"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.onnx") as caught:
        adopt(file, tmp_path / "exported", Wishes("mine", labels=("calm", "sad")))
    assert "optimum-cli export onnx" in caught.value.hint


def test_a_mask_that_excludes_nothing_is_refused(tmp_path: Path) -> None:
    """Its padding would change answers."""

    def spoil(model: onnx.ModelProto) -> None:
        model.graph.node[4].input[0] = "ones"
        shape = helper.make_node("Shape", ["attention_mask"], ["shape"])
        one = numpy_helper.from_array(np.array([1], np.int64))
        ones = helper.make_node("ConstantOfShape", ["shape"], ["all_ones"], value=one)
        cut = helper.make_node("Slice", ["all_ones", "start", "end", "axis", "step"], ["ones"])
        for place, node in enumerate((shape, ones, cut)):
            model.graph.node.insert(place, node)

    folder = write_published(tmp_path / "published", Kind(mask=True), spoil=spoil)
    with pytest.raises(ModelError, match="attention_mask does not exclude padding"):
        adopt(folder, tmp_path / "exported", Wishes("mine"))


def test_the_graph_is_not_read_into_memory(tmp_path: Path) -> None:
    """Large weights stay in their file until they are written."""
    from contextlib import ExitStack

    model = graph_of()
    large = np.zeros((1_000, 1_000), np.float32)
    model.graph.initializer.append(numpy_helper.from_array(large, "large"))
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    with ExitStack() as stack:
        opened = weights.open_graph(path, stack)
        assert [weight.name for weight in opened.weights] == ["large"]
        assert len(opened.model.SerializeToString()) < 20_000
        again = tmp_path / "again.onnx"
        with again.open("wb") as handle:
            weights.write_graph(opened, handle)
        opened.weights.clear()
    assert onnx.load(again) == onnx.load(path)
