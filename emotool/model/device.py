"""Choose ONNX Runtime's providers for a device, and check which one a session uses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast, get_args

from emotool.errors import DeviceError

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["Device", "DeviceName", "both_packages_installed", "prove", "select_providers"]


DeviceName = Literal["auto", "cpu", "cuda"]


_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


_SWAP = "pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu"


@dataclass(frozen=True, slots=True)
class Device:
    """A device and the ONNX Runtime providers that stand for it, in order of preference.

    Parameters
    ----------
    name : {"cpu", "cuda"}
        What it is called on the command line.
    providers : tuple of str
        What to ask ONNX Runtime for; the CPU is last, for operators the first cannot run.
    """

    name: str
    providers: tuple[str, ...]


def select_providers(
    wanted: str, available: Sequence[str], *, both_packages: bool = False
) -> Device:
    """Choose a device; a pure function of what is asked for and what there is.

    Parameters
    ----------
    wanted : {"auto", "cpu", "cuda"}
        ``auto`` takes the GPU if there is one.
    available : sequence of str
        As ``onnxruntime.get_available_providers()`` gives them.
    both_packages : bool, default False
        Whether ``onnxruntime`` and ``onnxruntime-gpu`` are both installed, which leaves only
        the CPU working and is then named as the cause.

    Returns
    -------
    Device

    Raises
    ------
    DeviceError
        If CUDA is asked for and not available, or the name is unknown.

    Examples
    --------
    >>> select_providers("auto", ["CPUExecutionProvider"]).name
    'cpu'
    >>> select_providers("auto", ["CUDAExecutionProvider", "CPUExecutionProvider"]).providers
    ('CUDAExecutionProvider', 'CPUExecutionProvider')
    """
    if wanted not in get_args(DeviceName):
        known = ", ".join(get_args(DeviceName))
        raise DeviceError(f"unknown device {wanted!r}", hint=f"choose one of: {known}")
    has_cuda = _PROVIDERS["cuda"] in available
    if wanted == "cuda" and not has_cuda:
        raise _no_cuda(both_packages)
    if wanted == "cuda" or (wanted == "auto" and has_cuda):
        return Device("cuda", (_PROVIDERS["cuda"], _PROVIDERS["cpu"]))
    return Device("cpu", (_PROVIDERS["cpu"],))


def prove(session: "onnxruntime.InferenceSession", wanted: str) -> str:
    """Say on which device a session really runs.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        The session as it was created.
    wanted : {"auto", "cpu", "cuda"}
        What was asked for; ``auto`` is content with whatever it got.

    Returns
    -------
    {"cpu", "cuda"}

    Raises
    ------
    DeviceError
        If it is not the device asked for.
    """
    providers = cast("list[str]", session.get_providers())
    name = next((n for n, p in _PROVIDERS.items() if providers[:1] == [p]), "")
    if not name:
        raise DeviceError(f"the model runs on an unknown provider: {', '.join(providers)}")
    if wanted == "cuda" and name != "cuda":
        raise DeviceError(
            "--device cuda was requested, but ONNX Runtime runs the model on the CPU",
            hint="the CUDA or cuDNN libraries that onnxruntime-gpu needs could not be loaded; "
            "--device auto uses the CPU instead",
        )
    return name


def both_packages_installed() -> bool:
    """Say whether ``onnxruntime`` and ``onnxruntime-gpu`` are installed into one environment."""
    from importlib.metadata import PackageNotFoundError, distribution

    for package in ("onnxruntime", "onnxruntime-gpu"):
        try:
            distribution(package)
        except PackageNotFoundError:
            return False
    return True


def _no_cuda(both_packages: bool) -> DeviceError:
    if both_packages:
        return DeviceError(
            "onnxruntime and onnxruntime-gpu are both installed: they overwrite each other's "
            "files, and only the CPU works",
            hint=f"install only one of them: {_SWAP}",
        )
    return DeviceError(
        "--device cuda was requested, but this ONNX Runtime has no CUDA provider",
        hint=f"on a machine with an NVIDIA GPU: {_SWAP}",
    )
