"""A device is chosen from what there is, and proved from what the session got."""

from dataclasses import dataclass

import onnxruntime
import pytest

from emotool.errors import DeviceError
from emotool.model.device import Device, both_packages_installed, prove, select_providers
from tests.emotool.tiny_models import tiny_model

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
OTHER = "AzureExecutionProvider"


@dataclass
class SessionOn:
    """Stands in for a session on providers that this machine has not got."""

    providers: list[str]

    def get_providers(self) -> list[str]:
        """Answer as ONNX Runtime would."""
        return self.providers


@pytest.mark.parametrize(
    ("wanted", "available", "expected"),
    [
        ("auto", [OTHER, CPU], Device("cpu", (CPU,))),
        ("auto", [CUDA, CPU], Device("cuda", (CUDA, CPU))),
        ("cpu", [CUDA, CPU], Device("cpu", (CPU,))),
        ("cuda", [OTHER, CUDA, CPU], Device("cuda", (CUDA, CPU))),
    ],
)
def test_choice_follows_wish_and_supply(
    wanted: str, available: list[str], expected: Device
) -> None:
    """Providers are named explicitly, the CPU last, and no others are asked for."""
    assert select_providers(wanted, available) == expected


def test_missing_cuda_is_an_error_that_says_what_to_install() -> None:
    """Asking for a GPU that is not there never falls back in silence."""
    with pytest.raises(DeviceError, match="no CUDA provider") as caught:
        select_providers("cuda", [CPU])
    assert "pip install onnxruntime-gpu" in caught.value.hint


def test_two_onnxruntimes_are_named_as_the_cause() -> None:
    """Both packages in one environment leave only the CPU: the hint says how to swap."""
    with pytest.raises(DeviceError, match="both installed") as caught:
        select_providers("cuda", [CPU], both_packages=True)
    assert "pip uninstall -y onnxruntime onnxruntime-gpu" in caught.value.hint


def test_unknown_device_lists_the_known() -> None:
    """A device that does not exist is answered with those that do."""
    with pytest.raises(DeviceError) as caught:
        select_providers("tpu", [CPU])
    assert caught.value.hint == "choose one of: auto, cpu, cuda"


def test_real_session_proves_the_cpu() -> None:
    """A session on this machine says that it runs on the CPU."""
    session = onnxruntime.InferenceSession(tiny_model().SerializeToString(), providers=[CPU])
    assert prove(session, "auto") == prove(session, "cpu") == "cpu"
    with pytest.raises(DeviceError, match="runs the model on the CPU"):
        prove(session, "cuda")


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_session_on_the_gpu_proves_it(wanted: str) -> None:
    """The first provider of the session decides."""
    assert prove(SessionOn([CUDA, CPU]), wanted) == "cuda"  # type: ignore[arg-type]


def test_auto_says_what_it_took() -> None:
    """Where CUDA is offered but could not be loaded, ``auto`` answers that it is the CPU."""
    assert select_providers("auto", [CUDA, CPU]).name == "cuda"
    assert prove(SessionOn([CPU]), "auto") == "cpu"  # type: ignore[arg-type]


def test_unknown_provider_is_an_error() -> None:
    """A session on a provider that nobody asked for proves nothing."""
    with pytest.raises(DeviceError, match=OTHER):
        prove(SessionOn([OTHER, CPU]), "auto")  # type: ignore[arg-type]


def test_this_environment_has_one_onnxruntime() -> None:
    """The look at what is installed works, and finds the tests' environment sound."""
    assert not both_packages_installed()
