"""The packages that training and adapting need and classifying does not."""

import importlib.util

from emotool.errors import MissingExtraError

__all__ = ["require_extra"]

PACKAGES = {
    "adapt": ("onnx", "sklearn", "scipy"),
    "adopt": ("onnx",),
    "evaluate": ("matplotlib", "scipy"),
    "train": ("tensorflow", "keras", "librosa", "matplotlib"),
}


def require_extra(extra: str, purpose: str) -> None:
    """Check that an extra is installed, without importing it.

    Parameters
    ----------
    extra : {"adapt", "adopt", "evaluate", "train"}
        Its name.
    purpose : str
        What needs it, for the error: ``"emotool train"``.

    Raises
    ------
    MissingExtraError
        If a package is not there; its hint names what to install.
    """
    if any(importlib.util.find_spec(package) is None for package in PACKAGES[extra]):
        raise MissingExtraError(extra, purpose)
