"""An ONNX Runtime session: how it is set up for a device, and how a batch goes through it."""

import contextlib
import math
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from emotool.errors import EmotoolError, ModelError
from emotool.text import printable

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray

from emotool.model.device import Device, both_packages_installed, select_providers
from emotool.model.int8_sums import int8_sums_overflow

__all__ = [
    "BATCH_SIZES",
    "Sessions",
    "compute",
    "compute_bound",
    "open_session",
    "run_options",
    "threads_for",
]


BATCH_SIZES: Final = {"cpu": 4, "cuda": 128}
"""Windows given to a model at once: more leave a CPU's caches, a GPU idles between fewer.

On two cores with VNNI, 4 windows take whisper and whisper6 a tenth less time than 8; cnn and
resnet_ft take the same."""


_SMALL_BYTES: Final = 4_000_000


_SMALL_SHARE: Final = 0.25
"""A model of less than this takes about so much of the time of all that is done for a clip."""


_REDIRECTING: Final = threading.Lock()


_NO_MEMORY: Final = ("bad_alloc", "Failed to allocate memory")  # how ONNX Runtime puts it
_FATAL_ONLY: Final = 4  # ONNX Runtime's log severity: what it has to say comes as an exception


_PROVIDER_OPTIONS: Final[dict[str, dict[str, str]]] = {
    "CUDAExecutionProvider": {
        # Batches differ in size, and the default tries every algorithm for each new one.
        "cudnn_conv_algo_search": "HEURISTIC",
        # The default doubles what it holds with each request and so takes most of a GPU's memory.
        "arena_extend_strategy": "kSameAsRequested",
        # The default rounds to 10 bits in convolutions: a clip's label must not depend on where
        # it was computed.
        "use_tf32": "0",
    }
}


class Sessions(NamedTuple):
    """What runs a model.

    Parameters
    ----------
    whole : onnxruntime.InferenceSession
        Computes every output.
    labelling : onnxruntime.InferenceSession
        Computes only what a label needs; may be the same.
    at_once : int
        How many batches are best run side by side.
    """

    whole: "onnxruntime.InferenceSession"
    labelling: "onnxruntime.InferenceSession"
    at_once: int


def threads_for(size_bytes: int, cores: int) -> int:
    """Return how many threads a model gets on the CPU, beside the workers.

    A small one is done with a batch long before the workers have read the next; more threads
    than it needs only take cores from them. A large one is what all wait for and gets all.

    Parameters
    ----------
    size_bytes : int
        Of the model's file.
    cores : int
        That may be used.

    Examples
    --------
    >>> threads_for(1_300_000, 2), threads_for(1_300_000, 16), threads_for(20_000_000, 16)
    (1, 4, 16)
    """
    return cores if size_bytes >= _SMALL_BYTES else math.ceil(_SMALL_SHARE * cores)


def open_session(
    content: bytes | Path, wanted: str, threads: int
) -> "onnxruntime.InferenceSession":
    """Make a session of a model's bytes.

    Parameters
    ----------
    content : bytes or Path
        An ONNX file that has been looked through, or where it is.
    wanted : {"auto", "cpu", "cuda"}
        The device.
    threads : int
        Threads for one operator on the CPU.

    Raises
    ------
    DeviceError
        If there is no such device.
    ModelError
        If ONNX Runtime refuses the model.
    """
    # ONNX Runtime would load it too, but print a traceback if Ctrl-C came meanwhile.
    import numpy  # noqa: F401
    import onnxruntime

    chosen = _device(wanted, onnxruntime.get_available_providers())
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _FATAL_ONLY
    # Batches differ in size: plans for each size's memory cost more than they save.
    options.enable_mem_pattern = False
    options.intra_op_num_threads = threads
    # Threads that wait for the next batch sleep: the cores belong to the decoding workers.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Slower kernels only where the others overflow: no label may depend on the processor.
    if int8_sums_overflow():
        options.add_session_config_entry("session.x64quantprecision", "1")
    providers = [(name, _PROVIDER_OPTIONS.get(name, {})) for name in chosen.providers]
    try:
        # ONNX Runtime announces a fallback with print(); stdout is for data. It belongs to all
        # threads, so two of them must not redirect it and put it back across each other.
        with _REDIRECTING, contextlib.redirect_stdout(sys.stderr):
            given = content if isinstance(content, bytes) else os.fspath(content)
            return onnxruntime.InferenceSession(given, options, providers=providers)
    except Exception as error:  # its C++ exceptions share no base but Exception
        raise _failure("ONNX Runtime cannot load it", error) from error


def _device(wanted: str, available: Sequence[str]) -> Device:
    try:
        return select_providers(wanted, available)
    except EmotoolError:  # the slower look at what is installed is only for the explanation
        return select_providers(wanted, available, both_packages=both_packages_installed())


def run_options() -> "onnxruntime.RunOptions":
    """Return the settings of each run."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.log_severity_level = _FATAL_ONLY
    return options


def compute(
    session: "onnxruntime.InferenceSession",
    feed: "dict[str, NDArray[np.float32]]",
    outputs: Sequence[str],
    options: "onnxruntime.RunOptions",
) -> "list[NDArray[np.float32]]":
    """Run a batch.

    Raises
    ------
    ModelError
        If the model fails.
    """
    with _explained():
        return list(session.run(list(outputs), feed, run_options=options))


def compute_bound(
    session: "onnxruntime.InferenceSession",
    feed: "dict[str, NDArray[np.float32]]",
    outputs: Sequence[str],
    options: "onnxruntime.RunOptions",
) -> "list[NDArray[np.float32]]":
    """Run a batch with inputs and outputs bound to places, as a GPU wants it.

    The input goes to the session's device in one copy and the outputs come back in one at the
    end, so that nothing waits for a copy in between.

    Raises
    ------
    ModelError
        If the model fails.
    """
    import onnxruntime

    place = "cuda" if session.get_providers()[0].startswith("CUDA") else "cpu"
    with _explained():
        binding = session.io_binding()
        for name, array in feed.items():
            binding.bind_ortvalue_input(
                name, onnxruntime.OrtValue.ortvalue_from_numpy(array, place, 0)
            )
        for name in outputs:
            binding.bind_output(name, "cpu")
        session.run_with_iobinding(binding, options)
        return list(binding.copy_outputs_to_cpu())


@contextlib.contextmanager
def _explained() -> Any:
    try:
        yield
    except Exception as error:  # its C++ exceptions share no base but Exception
        raise _failure("the model failed while running", error) from error


def _failure(what: str, error: Exception) -> ModelError:
    """Return the error for what ONNX Runtime could not do, with a hint if memory was short."""
    said = str(error).strip()
    if any(each in said for each in _NO_MEMORY):
        return ModelError(
            f"{what}: there is not enough memory",
            hint="raise the limit on memory (ulimit -v, or the container's), or use a smaller "
            "--model or fewer --workers",
        )
    return ModelError(f"{what}: {printable(said.splitlines()[0][:300]) if said else repr(error)}")
