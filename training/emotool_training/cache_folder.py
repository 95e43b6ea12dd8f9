"""Where what can be computed again is kept."""

import os
import sys
from pathlib import Path

from emotool.errors import TrainingError

__all__ = ["default_folder"]


def default_folder() -> Path:
    """Return the default folder of cached features.

    ``$EMOTOOL_CACHE``, else the platform's place for what can be made again: it outlives a run
    and serves every checkout.
    """
    named = os.environ.get("EMOTOOL_CACHE")
    if named:
        return Path(named)
    try:
        return _system_folder() / "emotool" / "features"
    except RuntimeError as error:  # no HOME, and a user whom the system does not know
        raise TrainingError(
            "there is no home folder to keep features in",
            hint="name a folder with --cache or in the environment variable EMOTOOL_CACHE",
        ) from error


def _system_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
