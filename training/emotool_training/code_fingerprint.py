"""Fingerprint source code, so that what it computed can be kept until the code changes."""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from emotool.errors import TrainingError
from emotool.files.atomic import sha256_file

__all__ = ["code_fingerprint"]


@cache
def code_fingerprint(*names: str) -> str:
    """Return a digest of the source files of modules.

    Parameters
    ----------
    *names : str
        Dotted names of modules; of a package, all its modules are meant.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits. It does not depend on where the files lie.

    Raises
    ------
    TrainingError
        If there is no such module: its code would silently not be followed.

    Examples
    --------
    >>> len(code_fingerprint("emotool.features.spec", "emotool_training.architectures.blocks"))
    64
    """
    files = [file for name in names for file in _sources(name)]
    return hashlib.sha256("".join(map(sha256_file, files)).encode()).hexdigest()


def _sources(name: str) -> list[Path]:
    try:
        found = find_spec(name)
    except ModuleNotFoundError:
        found = None
    if found is None or found.origin is None:
        raise TrainingError(f"no module {name} whose code could be fingerprinted")
    origin = Path(found.origin)
    return sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
