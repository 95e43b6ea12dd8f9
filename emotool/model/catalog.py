"""Where models are: a name or a path in, a file out.

A folder of ``NAME.onnx`` files, each with its card ``NAME.md`` beside it, is a registry. The
folders are searched in this order, and the first that has the name wins:

1. ``$EMOTOOL_MODELS`` (several folders may be given, separated as in ``$PATH``),
2. ``exported/`` in the current folder,
3. ``exported/`` of the checkout that this code runs from,
4. ``exported/`` inside the installed package.
"""

import filecmp
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emotool.errors import ModelNotFoundError
from emotool.text import printable

__all__ = [
    "DEFAULT_MODEL",
    "ModelEntry",
    "find_model",
    "goes_before",
    "list_models",
    "model_folders",
]

DEFAULT_MODEL = "cnn"

_SHIPPED = 2  # of the folders, the last: the checkout's and the package's


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that can be chosen by name.

    Parameters
    ----------
    name : str
        The file's name without ``.onnx``.
    path : Path
        The ONNX file.
    """

    name: str
    path: Path

    @property
    def card(self) -> Path | None:
        """The model card beside the file, or None if there is none."""
        card = self.path.with_suffix(".md")
        return card if card.is_file() else None

    @property
    def size_bytes(self) -> int:
        """The file's size; 0 if it has just gone."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0


def model_folders() -> tuple[Path, ...]:
    """List the folders in which names are looked up, in order, whether they exist or not."""
    package = Path(__file__).resolve().parents[1]
    named = os.environ.get("EMOTOOL_MODELS", "")
    return (
        *(Path(folder) for folder in named.split(os.pathsep) if folder),
        Path("exported"),
        package.parent / "exported",
        package / "exported",
    )


def list_models() -> list[ModelEntry]:
    """List the models that can be chosen by name, sorted by name.

    Returns
    -------
    list of ModelEntry
        Of models with the same name in several folders only the one that `find_model` takes.
    """
    found: dict[str, ModelEntry] = {}
    for folder in model_folders():
        for path in _onnx_files(folder):
            found.setdefault(path.stem, ModelEntry(path.stem, path))
    return [found[name] for name in sorted(found)]


def find_model(name_or_path: str | os.PathLike[str] = DEFAULT_MODEL) -> Path:
    """Find a model's file.

    Parameters
    ----------
    name_or_path : str or os.PathLike
        A name as `list_models` shows it, or a path to any ``.onnx`` file. What contains a
        path separator or ends in ``.onnx`` is a path; for the rest, a name comes first.

    Returns
    -------
    Path
        An existing file.

    Raises
    ------
    ModelNotFoundError
        If there is none; it lists the names there are.
    """
    wanted = os.fspath(name_or_path)
    path = Path(wanted)
    looks_like_path = path.suffix.lower() == ".onnx" or path.name != wanted
    models = {entry.name: entry.path for entry in list_models()}
    if not looks_like_path and wanted in models:
        return models[wanted]
    if wanted and _is_there(path):
        return path
    if looks_like_path:
        raise ModelNotFoundError(
            f"there is no model file {printable(wanted)}", hint=_choices(wanted, models)
        )
    raise ModelNotFoundError(
        f"there is no model {printable(wanted)!r}", hint=_choices(wanted, models)
    )


def goes_before(name: str) -> Path | None:
    """Find a model that is taken instead of the one of its name that comes with emotool.

    Parameters
    ----------
    name : str
        A name of `list_models`; nothing goes before what is named by a path.

    Returns
    -------
    Path or None
        None where the two hold the same, or emotool brings none of this name.
    """
    places = [folder / f"{name}.onnx" for folder in model_folders()]
    taken = next(filter(os.path.isfile, places), None)
    shipped = next(filter(os.path.isfile, places[-_SHIPPED:]), None)
    if Path(name).name != name or taken is None or shipped is None:
        return None
    try:
        return None if filecmp.cmp(shipped, taken, shallow=False) else taken
    except OSError:  # gone meanwhile, or not to be read: whoever loads it will say so
        return None


def _is_there(path: Path) -> bool:
    try:
        return path.exists() and not path.is_dir()
    except (OSError, ValueError):  # a name too long, or with a NUL in it
        return False


def _onnx_files(folder: Path) -> Iterator[Path]:
    try:
        paths = sorted(folder.glob("*.onnx"))
    except OSError:
        return
    yield from (path for path in paths if path.is_file() and not path.name.startswith("."))


def _choices(wanted: str, models: dict[str, Path]) -> str:
    if not models:
        folders = ", ".join(printable(str(folder)) for folder in model_folders())
        return f"no models were found in {folders}"
    from difflib import get_close_matches

    close = get_close_matches(Path(wanted).stem, models, n=1)
    names = ", ".join(printable(name) for name in models)
    return f"{f'did you mean {printable(close[0])}? ' if close else ''}models: {names}"
