"""The packages that training and adapting need and classifying does not."""

import importlib.util

from emotool.errors import MissingExtraError

__all__ = [
    "require_adapt_extra",
    "require_adopt_extra",
    "require_evaluate_extra",
    "require_train_extra",
]

PACKAGES = {
    "adapt": ("onnx", "sklearn", "scipy"),
    "adopt": ("onnx",),
    "evaluate": ("matplotlib", "scipy"),
    "train": ("tensorflow", "keras", "librosa", "matplotlib"),
}


def require_adapt_extra(purpose: str) -> None:
    """Check that the ``adapt`` extra is installed, as `require_train_extra` does its own."""
    _require("adapt", purpose)


def require_adopt_extra(purpose: str) -> None:
    """Check that the ``adopt`` extra is installed, as `require_train_extra` does its own."""
    _require("adopt", purpose)


def require_evaluate_extra(purpose: str) -> None:
    """Check that the ``evaluate`` extra is installed, as `require_train_extra` does its own."""
    _require("evaluate", purpose)


def require_train_extra(purpose: str) -> None:
    """Check that the ``train`` extra is installed, without importing it.

    Parameters
    ----------
    purpose : str
        What needs it, for the error: ``"emotool train"``.

    Raises
    ------
    MissingExtraError
        If a package is not there; its hint names what to install.
    """
    _require("train", purpose)


def _require(extra: str, purpose: str) -> None:
    if any(importlib.util.find_spec(package) is None for package in PACKAGES[extra]):
        raise MissingExtraError(extra, purpose)
