"""Whether a model may be adopted under a name, and whether what that needs is installed."""

import importlib.util
import os
from pathlib import Path

from emotool.errors import MissingExtraError, ModelError
from emotool.model.catalog import BUILT_IN
from emotool.model.metadata_fields import NAME
from emotool.text import printable

__all__ = ["check_free", "check_name", "require_onnx"]


def check_name(name: str) -> None:
    """Refuse a name that a model of one's own cannot have.

    Raises
    ------
    ModelError
        If it is a built-in model's, or none at all.
    """
    if name in BUILT_IN:
        raise ModelError(
            f"{name} is the name of a built-in model", hint="give --name one of your own"
        )
    if not NAME.fullmatch(name):
        raise ModelError(
            f"{printable(name)!r} is not a valid model name",
            hint="at most 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit",
        )


def check_free(path: Path) -> None:
    """Refuse to replace a file.

    Raises
    ------
    ModelError
        If there is one.
    """
    if os.path.lexists(path):
        raise ModelError(
            f"{printable(str(path))} exists already",
            hint="choose another --name, or write it elsewhere with -o, or add --replace",
        )


def require_onnx() -> None:
    """Check that the package onnx is installed, without importing it.

    Raises
    ------
    MissingExtraError
        If it is not.
    """
    if importlib.util.find_spec("onnx") is None:
        raise MissingExtraError("adopt", "emotool adopt")
