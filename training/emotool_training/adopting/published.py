"""What the folder of a published model says of it, read as data.

`optimum` exports ``model.onnx`` beside ``config.json`` and ``preprocessor_config.json``. Both are
untrusted: their size is bounded, only the fields named here are read, each is checked, and no code
of the folder is run.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final

from emotool.errors import ModelError, SpecError
from emotool.files.validation import parse_json
from emotool.text import printable

__all__ = ["Extractor", "Published", "naming", "read_published"]

CONFIG: Final = "config.json"
PREPROCESSOR: Final = "preprocessor_config.json"
MOST_BYTES: Final = 1_000_000
KNOWN: Final = ("Wav2Vec2FeatureExtractor", "WhisperFeatureExtractor")
MOST_CLASSES: Final = 256
_HINT: Final = (
    "optimum-cli export onnx --task audio-classification --opset 18 writes a model to adopt"
)


@dataclass(frozen=True, slots=True)
class Extractor:
    """How sound is prepared for a model.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    normalise : bool
        Whether each window is brought to a mean of 0 and a variance of 1.
    mel_bands : int
        Of Whisper's log-mel spectrograms; 0 for a model of waveforms.
    seconds : int
        That every window is padded to, for Whisper; else 0.
    n_fft, hop_length : int
        Of Whisper's spectrograms, in samples.
    """

    sample_rate: int = 16_000
    normalise: bool = True
    mel_bands: int = 0
    seconds: int = 0
    n_fft: int = 400
    hop_length: int = 160


@dataclass(frozen=True, slots=True)
class Published:
    """A model as its folder describes it.

    Parameters
    ----------
    graph : Path
        The ONNX file.
    names : tuple of str
        Of its outputs in order, from ``id2label``; empty if they are not known.
    regression : bool
        Whether these are numbers and not classes.
    extractor : Extractor or None
        None if the folder has none.
    origin : str
        What the model is called where it was published; maybe empty.
    architecture : str
        Name of its class; maybe empty.
    """

    graph: Path
    names: tuple[str, ...] = ()
    regression: bool = False
    extractor: Extractor | None = None
    origin: str = ""
    architecture: str = ""


@contextmanager
def naming(graph: Path) -> Iterator[None]:
    """Name a graph in errors about it, and say where such graphs come from if they do not."""
    try:
        yield
    except (ModelError, SpecError) as error:
        shown = printable(str(graph))
        if shown not in error.message:
            error.message = f"{shown}: {error.message}"
        error.hint = error.hint or _HINT
        raise


def read_published(source: Path) -> Published:
    """Read a folder as `optimum` exports it, or take a single ONNX file.

    Parameters
    ----------
    source : Path
        A folder with ``model.onnx``, or a file.

    Raises
    ------
    ModelError
        If there is no graph, or a file of the folder is too large, damaged, or says what emotool
        does not know.
    """
    if not source.is_dir():
        return Published(source)
    config = _read(source / CONFIG)
    extractor = _read(source / PREPROCESSOR)
    problem = config.get("problem_type")
    if problem not in (None, "single_label_classification", "regression"):
        raise ModelError(
            f"{printable(str(source / CONFIG))}: problem_type {problem!r:.60} is not supported",
            hint="supported are single_label_classification and regression",
        )
    return Published(
        _graph(source),
        _names(config, source / CONFIG),
        problem == "regression",
        _extractor(extractor, source / PREPROCESSOR) if extractor else None,
        _text(config.get("_name_or_path")),
        _text(next(iter(_list(config.get("architectures"))), "")),
    )


def _graph(folder: Path) -> Path:
    graphs = sorted(path for path in folder.glob("*.onnx") if path.is_file())
    plain = folder / "model.onnx"
    if plain in graphs:
        return plain
    if len(graphs) == 1:
        return graphs[0]
    there = ", ".join(printable(path.name) for path in graphs) or "none"
    raise ModelError(
        f"{printable(str(folder))} has no model.onnx; ONNX files in it: {there}",
        hint="optimum-cli export onnx --model NAME --task audio-classification FOLDER writes it, "
        "or name the file itself",
    )


def _read(path: Path) -> dict[str, Any]:
    """Read a JSON object; nothing if there is no such file."""
    shown = printable(str(path))
    try:
        # A FIFO is not waited for.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags), "rb") as handle:
            status = os.fstat(handle.fileno())
            if not S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
                raise ModelError(f"{shown} is no regular file of at most {MOST_BYTES:,} bytes")
            text = handle.read(MOST_BYTES).decode("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"cannot read {shown}: {error}") from error
    document = parse_json(text, shown, ModelError)
    if not isinstance(document, dict):
        raise ModelError(f"{shown}: expected an object")
    return document


def _names(config: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    """Return the names of outputs in order, from ``id2label``."""
    found = config.get("id2label")
    if found is None:
        return ()
    if not isinstance(found, dict) or not 0 < len(found) <= MOST_CLASSES:
        raise _wrong(path, "id2label", f"an object of at most {MOST_CLASSES} names")
    try:
        return tuple(_name(found[str(place)], path) for place in range(len(found)))
    except KeyError as error:
        raise _wrong(path, "id2label", f"the keys 0 to {len(found) - 1}") from error


def _name(name: object, path: Path) -> str:
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise _wrong(path, "id2label", "printable names")
    return name.strip()[:64]


def _extractor(found: Mapping[str, Any], path: Path) -> Extractor:
    """Return how a known feature extractor prepares sound."""
    kind = found.get("feature_extractor_type")
    if kind not in KNOWN:
        raise ModelError(
            f"{printable(str(path))}: feature_extractor_type {kind!r:.60} is not known",
            hint=f"known are {' and '.join(KNOWN)}",
        )
    rate = _whole(found, path, "sampling_rate", 16_000, 4_000, 192_000)
    if _number(found.get("padding_value", 0.0)) != 0 or _number(found.get("dither", 0.0)) != 0:
        raise _wrong(path, "padding_value and dither", "0")
    normalise = found.get("do_normalize", kind == KNOWN[0])
    if not isinstance(normalise, bool):
        raise _wrong(path, "do_normalize", "true or false")
    if kind == KNOWN[0]:
        if found.get("feature_size", 1) != 1:
            raise _wrong(path, "feature_size", "1")
        return Extractor(rate, normalise)
    if normalise:
        raise _wrong(path, "do_normalize", "false")
    n_fft = _whole(found, path, "n_fft", 400, 64, 16_384)
    return Extractor(
        rate,
        False,
        _whole(found, path, "feature_size", 80, 1, 512),
        _whole(found, path, "chunk_length", 30, 1, 60),
        n_fft,
        _whole(found, path, "hop_length", 160, 16, n_fft),
    )


def _whole(
    found: Mapping[str, Any], path: Path, name: str, default: int, low: int, high: int
) -> int:
    value = found.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _wrong(path, name, f"a whole number from {low} to {high}")
    return value


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _wrong(path: Path, name: str, expected: str) -> ModelError:
    return ModelError(f"{printable(str(path))}: {name}: expected {expected}")


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    """Return a short printable text, or nothing; a path of the publisher's machine is none."""
    if not isinstance(value, str) or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", value):
        return ""
    return value[:200]
