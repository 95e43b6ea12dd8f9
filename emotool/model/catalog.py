"""Where models are: a name or a path in, a file out.

A folder of ``NAME.onnx`` files, each with its card ``NAME.md`` beside it, is a registry. The
names in `BUILT_IN` are those of the models that come with emotool, and always mean these: a
result does not depend on which folder a command was given in. Every other name is looked up in
these folders, and the first that has it wins:

1. ``$EMOTOOL_MODELS`` (several folders may be given, separated as in ``$PATH``): what was set on
   purpose comes before
2. ``exported/`` in the current folder, where ``emotool export`` writes, and
3. ``exported/`` that comes with emotool: inside the installed package, or beside it in a checkout.

A model that no name finds (its name is a built-in one's, or an earlier folder has it) is used by
its path.
"""

import filecmp
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emotool.errors import ModelNotFoundError
from emotool.text import printable

__all__ = [
    "BUILT_IN",
    "DEFAULT_MODEL",
    "ModelEntry",
    "distinct_name",
    "find_model",
    "list_models",
    "model_folders",
]

DEFAULT_MODEL = "whisper"

BUILT_IN = {
    "autoencoder": "for comparison",
    "cnn": "fastest",
    "cnn6": "fastest, six emotions",
    "resnet": "for comparison",
    "resnet_ft": "ImageNet network, fine-tuned",
    "resnet_ft6": "ImageNet network, six emotions",
    "whisper": "most accurate",
    "whisper6": "most accurate, six emotions",
}
"""The models that come with emotool, and what each is for.

No other model is found by one of these names.
"""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that can be chosen.

    Parameters
    ----------
    name : str
        What `find_model` finds it by: the file's name without ``.onnx``, or its path where that
        name means another model.
    path : Path
        The ONNX file.
    built_in : bool, default False
        Whether it comes with emotool.
    """

    name: str
    path: Path
    built_in: bool = False

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
    """List the folders in which names are looked up, in order, whether they exist or not.

    Returns
    -------
    tuple of Path
        The last is that of the models that come with emotool.
    """
    package = Path(__file__).resolve().parents[1]
    named = os.environ.get("EMOTOOL_MODELS", "")
    inside = package / "exported"  # of a wheel; a checkout has them beside the package
    return (
        *(Path(folder) for folder in named.split(os.pathsep) if folder),
        Path("exported"),
        inside if inside.is_dir() else package.parent / "exported",
    )


def list_models() -> list[ModelEntry]:
    """List the models that can be chosen: built-in ones, then own ones, each sorted by name.

    Returns
    -------
    list of ModelEntry
        Every file once, under the name that `find_model` finds it by.
    """
    folders = model_folders()
    built_in = [
        ModelEntry(path.stem, path, built_in=True)
        for path in _onnx_files(folders[-1])
        if path.stem in BUILT_IN
    ]
    names = {entry.name for entry in built_in} | set(BUILT_IN)
    files = {_resolved(entry.path) for entry in built_in}
    own = []
    for folder in folders:
        for path in _onnx_files(folder):
            if (file := _resolved(path)) in files:
                continue
            files.add(file)
            own.append(ModelEntry(str(path) if path.stem in names else path.stem, path))
            names.add(path.stem)
    return [*built_in, *sorted(own, key=lambda entry: entry.name)]


def find_model(name_or_path: str | os.PathLike[str] = DEFAULT_MODEL) -> Path:
    """Find a model's file.

    Parameters
    ----------
    name_or_path : str or os.PathLike
        A name as `list_models` shows it, or a path to any ``.onnx`` file. What contains a
        path separator or ends in ``.onnx`` is a path; for the rest, a name comes first, and one
        of `BUILT_IN` is nothing else.

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
    if wanted and wanted not in BUILT_IN and _is_there(path):
        return path
    if looks_like_path:
        raise ModelNotFoundError(
            f"there is no model file {printable(wanted)}", hint=_choices(wanted, models)
        )
    raise ModelNotFoundError(
        f"there is no model {printable(wanted)!r}", hint=_choices(wanted, models)
    )


def distinct_name(name: str, path: Path, sha256: str) -> str:
    """Name a model so that it cannot be taken for a built-in one.

    Parameters
    ----------
    name : str
        What the model calls itself.
    path : Path
        Its file.
    sha256 : str
        The file's fingerprint, hexadecimal.

    Returns
    -------
    str
        ``name``, with the first digits of the fingerprint behind an ``@`` if it is in `BUILT_IN`
        and the file is not the built-in model, nor a copy of it.

    Examples
    --------
    >>> distinct_name("mine", Path("mine.onnx"), "1a2b3c4d5e6f")
    'mine'
    >>> distinct_name("cnn", Path("exported/no-such.onnx"), "1a2b3c4d5e6f")
    'cnn@1a2b3c4d'
    """
    if name not in BUILT_IN:
        return name
    built_in = model_folders()[-1] / f"{name}.onnx"
    try:
        same = filecmp.cmp(built_in, path, shallow=False)
    except OSError:  # one of them is not there
        same = False
    return name if same else f"{name}@{sha256[:8]}"


def _is_there(path: Path) -> bool:
    try:
        return path.exists() and not path.is_dir()
    except PermissionError:  # whoever reads it will say so
        return True
    except (OSError, ValueError):  # a name too long, or with a NUL in it
        return False


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links in a circle
        return path


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
