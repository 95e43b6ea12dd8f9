"""Sessions are set up for the device, and a batch may go through them in two ways."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from emotool.errors import DeviceError, ModelError
from emotool.model.feed import LOG_MEL as INPUT
from emotool.model.int8_sums import int8_sums_overflow
from emotool.model.session import (
    compute,
    compute_bound,
    open_session,
    run_options,
    threads_for,
)
from tests.emotool.tiny_models import SMALL_SPEC, tiny_metadata, tiny_model


@pytest.fixture
def session() -> onnxruntime.InferenceSession:
    """Open a tiny model."""
    return open_session(tiny_model().SerializeToString(), "cpu", 1)


def windows(count: int) -> np.ndarray:
    """Make spectrograms [count, n_mels, frames] in dB."""
    shape = (count, SMALL_SPEC.n_mels, SMALL_SPEC.frames)
    return np.random.default_rng(0).uniform(-80, 0, shape).astype(np.float32)


def test_bound_and_plain_runs_give_the_same(session: onnxruntime.InferenceSession) -> None:
    """What a GPU is given by binding comes out as what the CPU is given, for each output."""
    for count in (1, 7, 3):
        feed = {INPUT: windows(count)}
        plain = compute(session, feed, tiny_metadata().outputs, run_options())
        bound = compute_bound(session, feed, tiny_metadata().outputs, run_options())
        for ours, theirs in zip(bound, plain, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("run", [compute, compute_bound])
def test_a_failing_run_is_a_model_error(session: onnxruntime.InferenceSession, run: object) -> None:
    """What ONNX Runtime says is passed on in one line."""
    assert callable(run)
    with pytest.raises(ModelError, match="failed while running"):
        run(session, {INPUT: np.zeros((1, 2, 3), np.float32)}, ("probabilities",), run_options())


def test_too_little_memory_is_said_with_a_hint() -> None:
    """Instead of the line of ONNX Runtime's code where it ran out."""
    graph = helper.make_graph(
        [helper.make_node("ConstantOfShape", ["size"], ["huge"])],
        "huge",
        [],
        [helper.make_tensor_value_info("huge", TensorProto.FLOAT, [1 << 45])],
        [helper.make_tensor("size", TensorProto.INT64, [1], [1 << 45])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    with pytest.raises(ModelError, match="while running: there is not enough memory") as caught:
        compute(session, {}, ("huge",), run_options())
    assert "ulimit -v" in caught.value.hint


def test_threads_follow_size_and_cores() -> None:
    """A small model leaves the cores to the workers, a large one gets all of them."""
    assert [threads_for(1_000, cores) for cores in (1, 2, 4, 64)] == [1, 1, 1, 16]
    assert [threads_for(50_000_000, cores) for cores in (1, 2, 64)] == [1, 2, 64]


def test_a_session_leaves_the_cores_to_the_workers() -> None:
    """It has as many threads as it was given, asleep between batches."""
    made = open_session(tiny_model().SerializeToString(), "cpu", 3).get_session_options()
    assert made.intra_op_num_threads == 3
    assert made.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert made.enable_mem_pattern is False


def quantised_sum(channels: int) -> bytes:
    """Make a 1×1 convolution in int8 that sums channels up, all weights being the largest."""
    constants = {
        "step": np.float32(1),
        "zero": np.uint8(0),
        "weights": np.full((1, channels, 1, 1), 127, np.int8),
        "weight_step": np.array([1], np.float32),
        "weight_zero": np.array([0], np.int8),
        "coarse": np.float32(127 * channels),
    }
    nodes = [
        ("QuantizeLinear", ["x", "step", "zero"], "x8"),
        ("DequantizeLinear", ["x8", "step", "zero"], "xf"),
        ("DequantizeLinear", ["weights", "weight_step", "weight_zero"], "wf", 0),
        ("Conv", ["xf", "wf"], "yf"),
        ("QuantizeLinear", ["yf", "coarse", "zero"], "y8"),
        ("DequantizeLinear", ["y8", "coarse", "zero"], "y"),
    ]
    graph = helper.make_graph(
        [
            helper.make_node(kind, into, [out], **({"axis": axis[0]} if axis else {}))
            for kind, into, out, *axis in nodes
        ],
        "sum",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, channels, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 4, 4])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return model.SerializeToString()


@pytest.mark.parametrize("overflow", [False, True])
def test_sums_of_int8_do_not_overflow(monkeypatch: pytest.MonkeyPatch, overflow: bool) -> None:
    """The largest values come out as they are, also on processors that sum up in 16 bits.

    On one with VNNI nothing overflows whatever the options, so the option is tested as well.
    """
    channels = 64
    loudest = np.full((1, channels, 4, 4), 255, np.float32)
    overflow = overflow or int8_sums_overflow()
    monkeypatch.setattr("emotool.model.session.int8_sums_overflow", lambda: overflow)
    session = open_session(quantised_sum(channels), "cpu", 1)
    entries = session.get_session_options()
    if overflow:
        assert entries.get_session_config_entry("session.x64quantprecision") == "1"
    else:
        with pytest.raises(RuntimeError):
            entries.get_session_config_entry("session.x64quantprecision")
    (sums,) = compute(session, {"x": loudest}, ("y",), run_options())
    np.testing.assert_array_equal(sums, np.full((1, 1, 4, 4), 255 * 127 * channels, np.float32))


def test_cuda_gets_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CUDA provider is asked for first, exact and sparing, and the CPU after it."""
    asked: list[list[tuple[str, dict[str, str]]]] = []

    def record(
        content: bytes, options: object, providers: list[tuple[str, dict[str, str]]]
    ) -> None:
        asked.append(providers)

    monkeypatch.setattr(onnxruntime, "InferenceSession", record)
    names = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
    open_session(b"", "auto", 1)
    (providers,) = asked
    assert [name for name, _ in providers] == names
    exact_and_sparing = {
        "use_tf32": "0",
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
    }
    assert [options for _, options in providers] == [exact_and_sparing, {}]


def test_threads_that_load_models_leave_stdout_alone() -> None:
    """Sessions are opened with stdout turned away; each must be put back before the next."""
    here, tiny = sys.stdout, tiny_model().SerializeToString()
    for _ in range(5):
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: open_session(tiny, "cpu", 1), range(8)))
        assert sys.stdout is here


def test_a_missing_device_is_said_before_loading() -> None:
    """No session is made for a GPU that is not there."""
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this machine has a GPU")
    with pytest.raises(DeviceError):
        open_session(tiny_model().SerializeToString(), "cuda", 1)


def test_bytes_that_are_no_model_are_refused() -> None:
    """ONNX Runtime's refusal is an error of ours."""
    with pytest.raises(ModelError, match="cannot load"):
        open_session(b"nothing", "cpu", 1)
