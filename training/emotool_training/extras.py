"""The packages that training needs and classifying does not."""

import importlib.util

from emotool.errors import MissingExtraError

__all__ = ["require_train_extra"]

PACKAGES = ("tensorflow", "keras", "librosa", "matplotlib")


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
    if any(importlib.util.find_spec(package) is None for package in PACKAGES):
        raise MissingExtraError("train", purpose)
