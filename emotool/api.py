"""The Python interface: what ``from emotool import …`` provides.

>>> from emotool import classify
>>> for result in classify("samples", model="cnn"):  # doctest: +SKIP
...     print(result.path, result.label, result.confidence)
"""

import os
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emotool.errors import MissingExtraError
from emotool.inputs.clips import find_clips
from emotool.model.catalog import DEFAULT_MODEL
from emotool.model.classifier import Classifier, load_classifier
from emotool.results.columns import Columns
from emotool.results.row import ClipResult, Status
from emotool.results.segments import segment_rows
from emotool.run.options import Details, Wanted
from emotool.run.pipeline import classify_clips
from emotool.workers.pool import PoolOptions, Reading

if TYPE_CHECKING:
    import numpy as np
    import pandas
    from numpy.typing import NDArray

__all__ = ["Result", "classify", "load_model", "to_frame"]

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Result:
    """What is known of a clip, or of a window of it: a label, or why there is none.

    Parameters
    ----------
    path : str
        The path as given, joined by ``/`` with what is below it, in a folder or a zip archive.
    status : {"ok", "silent", "too_short", "failed"}
        Whether the clip was labelled, and if not, why.
    label : str or None
        The most probable label, or ``uncertain`` below ``min_confidence``.
    confidence : float or None
        The most probable label's probability, 0 to 1.
    probabilities : dict of str to float
        Each label's probability, 0 to 1, in the model's order; empty unless ``ok``.
    duration_s : float or None
        Length of the clip's decoded sound in seconds; None if it could not be decoded.
    flags : tuple of str
        What else to know about it, such as ``clipped`` or ``long``.
    model : str
        Name of the model.
    error : str or None
        Why there is no label.
    start_s, end_s : float or None
        Where the window lies, in seconds from the start of the file; None for a whole clip.
    embedding : ndarray of float32, shape (numbers,), or None
        What the model's last layer but one says, a clip's the mean over its windows; None
        unless ``ok`` and asked for. Takes no part in comparisons of results.
    dimensions : dict of str to float
        Numbers such as arousal, in the model's order; empty unless ``ok``, and for a model that
        gives only labels.
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
    start_s: float | None = None
    end_s: float | None = None
    embedding: "NDArray[np.float32] | None" = field(default=None, compare=False, repr=False)
    dimensions: dict[str, float] = field(default_factory=dict)

    def top(self, count: int) -> list[tuple[str, float]]:
        """Return the most probable labels and their probabilities, the most probable first.

        Examples
        --------
        >>> chances = {"calm": 0.2, "happy": 0.1, "sad": 0.7}
        >>> Result("a.wav", "ok", "sad", 0.7, chances, 2.0, (), "cnn", None).top(2)
        [('sad', 0.7), ('calm', 0.2)]
        """
        ranked = sorted(self.probabilities.items(), key=lambda pair: -pair[1])  # stable
        return ranked[: max(0, count)]


def load_model(
    name: PathLike = DEFAULT_MODEL, *, device: str = "auto", threads: int | None = None
) -> Classifier:
    """Load a model once, to use it for several calls of `classify`.

    Parameters
    ----------
    name : str or os.PathLike, default "whisper"
        A name that ``emotool models`` lists, or the path of an ``.onnx`` file.
    device : {"auto", "cpu", "cuda"}, default "auto"
        Where it runs; ``cuda`` without a usable GPU is an error.
    threads : int, optional
        Threads the model uses on the CPU; chosen by its size if not given.

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
    hop_s: float | None = None,
    segments: bool = False,
    merge: bool = False,
    min_confidence: float = 0.0,
    embeddings: bool = False,
) -> Generator[Result]:
    """Label every clip that the paths name; one result each, as they become known.

    The arguments are checked and the model is loaded at the call; clips are read, in processes
    of their own, when results are asked for. Leaving the loop early ends those processes.

    Parameters
    ----------
    paths : str, os.PathLike, or an iterable of them
        Files, folders (searched at every depth), zip archives and patterns like ``"talks/*.mp3"``.
    model : str, os.PathLike or Classifier, default "whisper"
        A model's name, the path of an ``.onnx`` file, or what `load_model` has returned.
    device : {"auto", "cpu", "cuda"}, default "auto"
        Where the model runs, unless it is loaded already.
    workers : int, default 0
        Processes that read clips; 0 takes one per processor core.
    batch_size : int, optional
        Windows given to the model at once, 1 or more. Results do not depend on it.
    timeout_s : float, default 300
        Seconds after which the reading of a clip is given up, above 0.
    hop_s : float, optional
        Seconds from one window's start to the next's, above 0; the model's window if not
        given, or if it is longer.
    segments : bool, default False
        Give a result for each window of a clip, with ``start_s`` and ``end_s``, instead of one
        for the clip. A clip without a label has one result as ever.
    merge : bool, default False
        With ``segments``, join neighbouring windows of one label.
    min_confidence : float, default 0
        Results whose confidence is less get the label ``uncertain``.
    embeddings : bool, default False
        Give each labelled result its ``embedding``.

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
    ValueError
        If an option is out of its range, or ``merge`` is given without ``segments``.
    """
    wanted = Wanted(Details(segments, embeddings), merge, min_confidence)
    wanted.check()
    options = PoolOptions(workers=workers, timeout_s=timeout_s, reading=Reading(hop_s=hop_s))
    several = [paths] if isinstance(paths, str | os.PathLike) else paths
    clips = find_clips([os.fspath(path) for path in several]).clips
    classifier = model if isinstance(model, Classifier) else load_model(model, device=device)
    labelled = classify_clips(
        clips,
        classifier,
        options,
        batch_size=batch_size,
        details=wanted.details,
    )
    return _results(labelled, classifier, wanted)


def to_frame(results: Iterable[Result], *, top: int = 0) -> "pandas.DataFrame":
    """Make a pandas DataFrame of results, with the columns of ``emotool classify``'s table.

    Parameters
    ----------
    results : iterable of Result
        A list, or what `classify` returns, which is then used up.
    top : int, default 0
        Add columns with so many of the most probable labels: ``top_1``, ``top_1_p``, …

    Returns
    -------
    pandas.DataFrame
        One row per result: ``path``, ``status``, ``label``, ``confidence``, a column
        ``p_LABEL`` per label, ``duration_s``, ``start_s`` and ``end_s`` if any result is about
        a window, ``flags`` (joined by ``;``), ``model``, ``error``. Values that are not there
        are missing in pandas' sense. Embeddings are left to the results.

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
    numbers = list(dict.fromkeys(name for row in rows for name in row.dimensions))
    segments = any(row.start_s is not None for row in rows)
    table = Columns(labels, segments=segments, top=top, dimensions=numbers)
    clips = [_clip_result(index, row, labels, numbers) for index, row in enumerate(rows)]
    cells = [[_cell(column.value(clip)) for column in table.columns] for clip in clips]
    return pandas.DataFrame(cells, columns=list(table.names))


def _results(
    labelled: Generator[ClipResult], classifier: Classifier, wanted: Wanted
) -> Generator[Result]:
    with closing(labelled):
        for clip in labelled:
            for part in segment_rows(clip, classifier.labels, merge=wanted.merge):
                yield _result(part.uncertain_below(wanted.min_confidence), classifier)


def _result(result: ClipResult, classifier: Classifier) -> Result:
    start, end = result.span or (None, None)
    return Result(
        result.shown,
        result.status,
        result.label or None,
        result.confidence,
        _named(classifier.labels, result.probabilities),
        result.duration_s,
        result.flags,
        result.model,
        result.reason or None,
        start,
        end,
        _array(result.embedding) if result.embedding else None,
        _named(classifier.dimensions, result.dimensions),
    )


def _named(names: tuple[str, ...], numbers: tuple[float, ...]) -> dict[str, float]:
    """Return numbers by name; none if there are none."""
    return dict(zip(names, numbers, strict=True)) if numbers else {}


def _array(embedding: bytes) -> "NDArray[np.float32]":
    import numpy as np

    return np.frombuffer(embedding, "<f4").astype(np.float32)  # [numbers], one's own


def _clip_result(index: int, row: Result, labels: list[str], numbers: list[str]) -> ClipResult:
    """Return the row that a result was made of, with None for labels of other models."""
    chances: Any = tuple(row.probabilities.get(label) for label in labels)
    values: Any = tuple(row.dimensions.get(name) for name in numbers)
    return ClipResult(
        index,
        row.path,
        row.status,
        row.model,
        row.label or "",
        row.confidence,
        chances if row.probabilities else (),
        row.duration_s,
        row.flags,
        error=row.error or "",
        span=None if row.start_s is None or row.end_s is None else (row.start_s, row.end_s),
        dimensions=values if row.dimensions else (),
    )


def _cell(value: Any) -> Any:
    """Return a value as a cell of a frame: lists as text."""
    return ";".join(value) if isinstance(value, list) else value
