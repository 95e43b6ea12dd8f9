"""What a model file may hold is decided from its bytes, before anything runs."""

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from emotool.errors import ModelError, ModelNotFoundError
from emotool.model.metadata import METADATA_KEY
from emotool.model.onnx_scan import MAX_BYTES, MAX_DEPTH, MAX_FIELDS, read_onnx
from tests.emotool.tiny_models import tiny_metadata, tiny_model, write_tiny_model

TINY = tiny_model().SerializeToString()


def external_tensor() -> onnx.TensorProto:
    """Make a tensor whose data are to be read from another file."""
    tensor = TensorProto(name="outside", data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    return tensor


def as_initializer(model: onnx.ModelProto) -> None:
    """Keep a weight outside."""
    model.graph.initializer.append(external_tensor())


def with_location_only(model: onnx.ModelProto) -> None:
    """Say that a weight is outside without saying where."""
    tensor = external_tensor()
    del tensor.external_data[:]
    model.graph.initializer.append(tensor)


def with_data_only(model: onnx.ModelProto) -> None:
    """Name a file without saying that the weight is in it."""
    tensor = external_tensor()
    tensor.ClearField("data_location")
    model.graph.initializer.append(tensor)


def as_constant(model: onnx.ModelProto) -> None:
    """Keep a constant's value outside."""
    model.graph.node.append(helper.make_node("Constant", [], ["c"], value=external_tensor()))


def as_sparse(model: onnx.ModelProto) -> None:
    """Keep a sparse weight's values outside."""
    model.graph.sparse_initializer.add().values.CopyFrom(external_tensor())


def as_sparse_constant(model: onnx.ModelProto) -> None:
    """Keep a sparse constant's indices outside."""
    node = helper.make_node("Constant", [], ["c"])
    attribute = node.attribute.add(name="sparse_value", type=onnx.AttributeProto.SPARSE_TENSOR)
    attribute.sparse_tensor.indices.CopyFrom(external_tensor())
    model.graph.node.append(node)


def inside_branch(model: onnx.ModelProto) -> None:
    """Keep a weight of a branch's graph outside."""
    branch = helper.make_graph([], "branch", [], [], [external_tensor()])
    node = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    model.graph.node.append(node)


def in_list(model: onnx.ModelProto) -> None:
    """Keep a tensor of a list attribute outside."""
    node = helper.make_node("Constant", [], ["c"])
    attribute = node.attribute.add(name="values", type=onnx.AttributeProto.TENSORS)
    attribute.tensors.append(external_tensor())
    model.graph.node.append(node)


def with_operator(model: onnx.ModelProto) -> None:
    """Use an operator that a library would have to bring."""
    model.graph.node.append(helper.make_node("Shell", ["log_mel"], ["s"], domain="com.evil"))


def with_branch_operator(model: onnx.ModelProto) -> None:
    """Use such an operator inside a loop's body."""
    inner = helper.make_node("Shell", ["x"], ["y"], domain="com.evil")
    body = helper.make_graph([inner], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", ["n", "c"], ["y"], body=body))


def with_microsoft_operator(model: onnx.ModelProto) -> None:
    """Use ONNX Runtime's EPContext, which loads a binary from beside the model."""
    node = helper.make_node("EPContext", ["log_mel"], ["s"], domain="com.microsoft")
    model.graph.node.append(node)


def with_function(model: onnx.ModelProto) -> None:
    """Define an operator inside the model."""
    model.functions.append(helper.make_function("own", "F", ["x"], ["y"], [], []))


def with_training(model: onnx.ModelProto) -> None:
    """Add training steps."""
    model.training_info.add().algorithm.CopyFrom(model.graph)


EXTERNAL = [
    as_initializer,
    with_location_only,
    with_data_only,
    as_constant,
    as_sparse,
    as_sparse_constant,
    inside_branch,
    in_list,
]
CUSTOM = [with_operator, with_branch_operator, with_microsoft_operator]


@pytest.mark.parametrize("spoil", EXTERNAL)
def test_external_data_are_refused(
    tmp_path: Path, spoil: Callable[[onnx.ModelProto], None]
) -> None:
    """No model makes emotool open another file, wherever in the graph it tries."""
    path = write_tiny_model(tmp_path / "m.onnx", spoil=spoil)
    with pytest.raises(ModelError, match="is refused: it keeps weights in another file"):
        read_onnx(path)


@pytest.mark.parametrize("spoil", CUSTOM)
def test_operators_from_elsewhere_are_refused(
    tmp_path: Path, spoil: Callable[[onnx.ModelProto], None]
) -> None:
    """Only operators of the ONNX standard are run."""
    path = write_tiny_model(tmp_path / "m.onnx", spoil=spoil)
    with pytest.raises(ModelError, match=r"outside the ONNX standard \(com\."):
        read_onnx(path)


@pytest.mark.parametrize(
    ("spoil", "reason"), [(with_function, "local functions"), (with_training, "training steps")]
)
def test_what_no_classifier_needs_is_refused(
    tmp_path: Path, spoil: Callable[[onnx.ModelProto], None], reason: str
) -> None:
    """Parts of the format that we never write are not read either."""
    path = write_tiny_model(tmp_path / "m.onnx", spoil=spoil)
    with pytest.raises(ModelError, match=reason):
        read_onnx(path)


def test_standard_domain_may_be_spelt_out(tmp_path: Path) -> None:
    """``ai.onnx`` and the empty domain are the same."""

    def spell_out(model: onnx.ModelProto) -> None:
        model.graph.node[0].domain = "ai.onnx"

    assert read_onnx(write_tiny_model(tmp_path / "m.onnx", spoil=spell_out)).content


def test_properties_are_those_that_onnx_reads(tmp_path: Path) -> None:
    """The walk over the bytes agrees with the library that it does without."""

    def add(model: onnx.ModelProto) -> None:
        helper.set_model_props(
            model, {METADATA_KEY: tiny_metadata(notes="naïve").to_json(), "other": "", "": "x"}
        )

    path = write_tiny_model(tmp_path / "m.onnx", spoil=add)
    file = read_onnx(path)
    assert file.content == path.read_bytes()
    assert file.properties == {p.key: p.value for p in onnx.load(path).metadata_props}


def test_bottomless_nesting_is_refused(tmp_path: Path) -> None:
    """Graphs within graphs cannot exhaust the stack."""
    graph = helper.make_graph([], "inner", [], [])
    for _ in range(MAX_DEPTH + 1):
        node = helper.make_node("If", ["x"], ["y"], then_branch=graph)
        graph = helper.make_graph([node], "outer", [], [])
    path = tmp_path / "m.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    with pytest.raises(ModelError, match="nested"):
        read_onnx(path)


@pytest.mark.slow
def test_file_of_nothing_but_tiny_parts_is_refused(tmp_path: Path) -> None:
    """A file made to be walked for hours is given up after a second or so."""
    path = tmp_path / "m.onnx"
    path.write_bytes(b"\x08\x01" * (MAX_FIELDS + 1))  # the IR version, again and again
    with pytest.raises(ModelError, match="too many fields"):
        read_onnx(path)


def test_file_truncated_anywhere_is_read_or_refused(tmp_path: Path) -> None:
    """A download that broke off is a damaged file, not a crash."""
    path = tmp_path / "m.onnx"
    refused = 0
    for length in range(1, len(TINY)):
        path.write_bytes(TINY[:length])
        try:
            read_onnx(path)
        except ModelError:
            refused += 1
    assert refused > len(TINY) - 20  # a cut between two fields leaves a shorter valid file


@given(position=st.integers(0, len(TINY) - 1), junk=st.binary(min_size=1, max_size=12))
def test_overwritten_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, position: int, junk: bytes
) -> None:
    """No damage brings the walk down."""
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    path.write_bytes(TINY[:position] + junk + TINY[position + len(junk) :])
    try:
        read_onnx(path)
    except ModelError as error:
        assert "\n" not in error.message


@given(st.binary(min_size=1, max_size=200))
def test_arbitrary_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """Neither does anything else."""
    path = tmp_path_factory.getbasetemp() / "bytes.onnx"
    path.write_bytes(content)
    try:
        read_onnx(path)
    except ModelError as error:
        assert "\n" not in error.message


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "HDF5"),
        (pickle.dumps({"weights": [1.0]}), "pickle"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
        (b"hello", "not an ONNX file"),
        (b"", "empty"),
    ],
)
def test_other_files_are_called_what_they_are(tmp_path: Path, content: bytes, what: str) -> None:
    """A common mistake gets an answer that says what it was."""
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=what):
        read_onnx(path)


def test_keras_archive_is_called_what_it_is(tmp_path: Path) -> None:
    """So does a ``.keras`` file, which is a zip archive; it is never unpacked."""
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ModelError, match="zip archive"):
        read_onnx(path)


def test_two_gigabytes_are_refused_unread(tmp_path: Path) -> None:
    """A file beyond what ONNX can hold is refused by its size, without reading it."""
    path = tmp_path / "m.onnx"
    with path.open("wb") as handle:
        handle.truncate(MAX_BYTES + 1)
    with pytest.raises(ModelError, match=r"2\.0 GiB"):
        read_onnx(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_what_is_no_regular_file_is_never_opened(tmp_path: Path) -> None:
    """A FIFO in a model's place does not make the command wait for ever."""
    os.mkfifo(tmp_path / "m.onnx")
    for path in (tmp_path / "m.onnx", tmp_path):
        with pytest.raises(ModelError, match="not a regular file"):
            read_onnx(path)


def test_missing_file_is_not_found(tmp_path: Path) -> None:
    """A path that leads nowhere is told apart from a file that is no model."""
    with pytest.raises(ModelNotFoundError):
        read_onnx(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match=r"null (byte|character)"):
        read_onnx(tmp_path / "a\0b.onnx")
