"""The door for Python: what ``from emotool import …`` gives.

>>> from emotool import classify
>>> for result in classify("samples", model="cnn"):  # doctest: +SKIP
...     print(result.path, result.label, result.confidence)
"""

import os
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emotool.catalog import DEFAULT_MODEL
from emotool.discovery import Clip, find_clips
from emotool.errors import MissingExtraError
from emotool.model import Classifier, load_classifier
from emotool.pipeline import classify_clips
from emotool.pool import PoolOptions
from emotool.results.row import ClipResult, Status, columns, path_text

if TYPE_CHECKING:
    import pandas

__all__ = ["Result", "classify", "load_model", "to_frame"]

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Result:
    """What is known of one clip: a label with its probabilities, or why there is none.

    Parameters
    ----------
    path : str
        The path as given, joined by ``/`` with what is below it; it can be opened.
    status : {"ok", "silent", "too_short", "failed"}
        Whether the clip was labelled, and if not, why.
    label : str or None
        The most probable label.
    confidence : float or None
        That label's probability, 0 to 1.
    probabilities : dict of str to float
        Each label's probability, 0 to 1, in the model's order; empty unless ``ok``.
    duration_s : float or None
        Length of the decoded sound in seconds; None if it could not be decoded.
    flags : tuple of str
        What else to know about it, such as ``clipped`` or ``long``.
    model : str
        Name of the model.
    error : str or None
        Why there is no label.
    """

    path: str
    status: Status
    label: str | None
    confidence: float | None
    probabilities: dict[str, float]
    duration_s: float | None
    flags: tuple[str, ...]
    model: str
    error: str | None


def load_model(
    name: PathLike = DEFAULT_MODEL, *, device: str = "auto", threads: int | None = None
) -> Classifier:
    """Load a model once, to use it for several calls of `classify`.

    Parameters
    ----------
    name : str or os.PathLike, default "cnn"
        A name that ``emotool models`` lists, or the path of an ``.onnx`` file.
    device : {"auto", "cpu", "cuda"}, default "auto"
        Where it runs; ``cuda`` that is not to be had is an error.
    threads : int, optional
        Threads the model uses on the CPU; one per core if not given.

    Returns
    -------
    Classifier
        Its ``labels`` are in the order of the probabilities.

    Raises
    ------
    ModelNotFoundError, ModelError, DeviceError
        If there is no such model, it cannot be trusted, or it does not run there.
    """
    return load_classifier(name, device, threads)


def classify(
    paths: PathLike | Iterable[PathLike],
    model: PathLike | Classifier = DEFAULT_MODEL,
    *,
    device: str = "auto",
    workers: int = 0,
    batch_size: int | None = None,
    timeout_s: float = 300.0,
) -> Generator[Result]:
    """Label every clip that the paths name; one result each, as they become known.

    The arguments are checked and the model is loaded at the call; clips are read, in processes
    of their own, when results are asked for. Leaving the loop early ends those processes.

    Parameters
    ----------
    paths : str, os.PathLike, or an iterable of them
        Files, folders (searched at every depth) and patterns like ``"talks/*.mp3"``.
    model : str, os.PathLike or Classifier, default "cnn"
        A model's name, the path of an ``.onnx`` file, or what `load_model` has returned.
    device : {"auto", "cpu", "cuda"}, default "auto"
        Where the model runs, unless it is loaded already.
    workers : int, default 0
        Processes that read clips; 0 takes one per processor core.
    batch_size : int, optional
        Windows given to the model at once. Results do not depend on it.
    timeout_s : float, default 300
        Seconds after which the reading of a clip is given up.

    Returns
    -------
    generator of Result
        Sorted by path. A clip that cannot be used has a result too: see its ``status``.

    Raises
    ------
    InputError
        If the paths hold nothing to classify.
    ModelError, DeviceError
        As `load_model`.
    """
    several = [paths] if isinstance(paths, str | os.PathLike) else paths
    clips = find_clips([os.fspath(path) for path in several]).clips
    classifier = model if isinstance(model, Classifier) else load_model(model, device=device)
    options = PoolOptions(workers=workers, timeout_s=timeout_s)
    return _results(clips, classifier, options, batch_size)


def to_frame(results: Iterable[Result]) -> "pandas.DataFrame":
    """Make a pandas DataFrame of results, with the columns of ``emotool classify``'s table.

    Parameters
    ----------
    results : iterable of Result
        A list, or what `classify` returns, which is then used up.

    Returns
    -------
    pandas.DataFrame
        One row per clip: ``path``, ``status``, ``label``, ``confidence``, a column ``p_LABEL``
        per label, ``duration_s``, ``flags`` (joined by ``;``), ``model``, ``error``. Values
        that are not there are missing in pandas' sense.

    Raises
    ------
    MissingExtraError
        If pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise MissingExtraError("pandas", "emotool.to_frame") from error
    rows = list(results)
    labels = list(dict.fromkeys(label for row in rows for label in row.probabilities))
    return pandas.DataFrame([_record(row, labels) for row in rows], columns=list(columns(labels)))


def _results(
    clips: list[Clip], classifier: Classifier, options: PoolOptions, batch_size: int | None
) -> Generator[Result]:
    for result in classify_clips(clips, classifier, options, batch_size=batch_size):
        yield _result(result, classifier.labels)


def _result(result: ClipResult, labels: tuple[str, ...]) -> Result:
    error = f"{result.stage}: {result.error}" if result.stage else result.error
    return Result(
        result.shown,
        result.status,
        result.label or None,
        result.confidence,
        dict(zip(labels, result.probabilities, strict=True)) if result.probabilities else {},
        result.duration_s,
        result.flags,
        result.model,
        error or None,
    )


def _record(row: Result, labels: list[str]) -> dict[str, Any]:
    return {
        "path": path_text(row.path),
        "status": row.status,
        "label": row.label,
        "confidence": row.confidence,
        **{f"p_{label}": row.probabilities.get(label) for label in labels},
        "duration_s": row.duration_s,
        "flags": ";".join(row.flags),
        "model": row.model,
        "error": row.error,
    }
