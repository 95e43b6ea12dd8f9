"""What an emotool model says about itself, inside its own ONNX file.

An exported model carries one JSON document under the key ``emotool`` of its
``metadata_props``: labels, spectrogram, temperature, the data it was trained on, how well it
did, its licence, and a *golden* input with the answer it gave when it was exported. Model
files come from strangers, so reading is strict: a field that is missing, unknown, ill-typed
or out of bounds is refused by name.
"""

import json
import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, NoReturn

from emotool.errors import ModelError, SpecError
from emotool.spec import SpectrogramSpec
from emotool.text import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "METADATA_KEY",
    "SCHEMA_VERSION",
    "Golden",
    "ModelMetadata",
    "golden_input",
]

METADATA_KEY = "emotool"
SCHEMA_VERSION = 1

MAX_LABELS = 256
MAX_LABEL_CHARACTERS = 64
MAX_JSON_CHARACTERS = 1_000_000
MAX_TEXT_CHARACTERS = 20_000
MAX_TOLERANCE = 0.05  # int8 arithmetic differs between processors, but not by more than this
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RATES = ("uar", "uar_low", "uar_high", "accuracy")


@dataclass(frozen=True, slots=True)
class Golden:
    """A seeded input's answer, recorded at export, by which a model is recognised as working.

    Parameters
    ----------
    seed : int
        Seed of `golden_input`, 0 to 2**32 - 1.
    probabilities : tuple of float
        What the model answered, one per label, summing to 1.
    tolerance : float
        Largest difference in a probability that still counts as the same answer, above 0 and
        at most 0.05.
    """

    seed: int
    probabilities: tuple[float, ...]
    tolerance: float = 1e-3

    def __post_init__(self) -> None:
        _require(_is_int(self.seed) and 0 <= self.seed < 2**32, "golden.seed", self.seed)
        _require(
            _is_number(self.tolerance) and 0 < self.tolerance <= MAX_TOLERANCE,
            "golden.tolerance",
            self.tolerance,
        )
        _require(
            isinstance(self.probabilities, tuple)
            and all(_is_number(p) and 0 <= p <= 1 for p in self.probabilities)
            and abs(sum(self.probabilities) - 1) < 1e-3,
            "golden.probabilities",
            self.probabilities,
        )


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """Everything that is known of a model apart from its weights.

    Parameters
    ----------
    name : str
        The model's name: letters, digits, ``.``, ``_``, ``-``; at most 64.
    labels : tuple of str
        Two or more distinct labels, in the order of the model's outputs.
    spectrogram : SpectrogramSpec
        The features the model was trained on and must be given.
    temperature : float
        What the logits are divided by inside the graph; above 0.
    golden : Golden
        A seeded input's answer.
    architecture : str
        Name of the architecture that was trained.
    corpora : tuple of str
        Names of the corpora it was trained on.
    split : dict
        How training and test data were kept apart: ``kind``, ``hash`` and what else there is.
    metrics : dict
        Figures by protocol, such as ``{"new_speakers": {"uar": 0.9, "uar_low": 0.88,
        "uar_high": 0.92, "accuracy": 0.9, "per_corpus": {...}}}``; rates in [0, 1].
    licence : str
        Under what terms the weights may be used.
    git_commit : str
        Commit of the code that exported it.
    notes : str
        Anything else.
    schema_version : int
        Version of this document; 1.

    Raises
    ------
    ModelError
        If a field is ill-typed or out of bounds.
    """

    name: str
    labels: tuple[str, ...]
    spectrogram: SpectrogramSpec
    temperature: float
    golden: Golden
    architecture: str = ""
    corpora: tuple[str, ...] = ()
    split: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    git_commit: str = ""
    notes: str = ""
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        _require(
            _is_int(self.schema_version) and self.schema_version == SCHEMA_VERSION,
            "schema_version",
            self.schema_version,
        )
        _require(
            isinstance(self.name, str) and _NAME.fullmatch(self.name) is not None, "name", self.name
        )
        _check_labels(self.labels)
        _require(
            _is_number(self.temperature) and 1e-3 <= self.temperature <= 1e3,
            "temperature",
            self.temperature,
        )
        if len(self.golden.probabilities) != len(self.labels):
            _refuse("golden.probabilities", f"{len(self.labels)} labels need as many of them")
        _require(_are_texts(self.corpora), "corpora", self.corpora)
        for name in ("architecture", "licence", "git_commit", "notes"):
            _require(_is_text(getattr(self, name)), name, getattr(self, name))
        _require(isinstance(self.split, dict), "split", self.split)
        _check_metrics(self.metrics)

    def metric(self, protocol: str, figure: str) -> float | None:
        """Look up a figure, such as ``metric("new_speakers", "uar")``; None if not recorded."""
        value = self.metrics.get(protocol, {}).get(figure)
        return float(value) if _is_number(value) else None

    def to_json(self) -> str:
        """Write the document that `from_json` reads: sorted keys, so equal content is equal text.

        Raises
        ------
        ModelError
            If ``split`` or ``metrics`` hold what JSON cannot say (NaN, objects).
        """
        document: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        document["spectrogram"] = self.spectrogram.to_dict()
        document["golden"] = {f.name: getattr(self.golden, f.name) for f in fields(Golden)}
        try:
            return json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ModelError(f"metadata cannot be written as JSON: {error}") from error

    @classmethod
    def from_json(cls, text: str) -> "ModelMetadata":
        """Read and check a document written by `to_json`.

        Parameters
        ----------
        text : str
            JSON, at most a million characters.

        Raises
        ------
        ModelError
            If it is not such a document; the message names the field.
        """
        document = _parse(text)
        version = document.get("schema_version")
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise ModelError(
                f"model metadata has schema version {version}; this emotool reads {SCHEMA_VERSION}",
                hint="upgrade emotool: pip install --upgrade emotool",
            )
        _check_fields("", document, {f.name for f in fields(cls)})
        golden = document["golden"]
        if not isinstance(golden, dict):
            _refuse("golden", "an object was expected")
        _check_fields("golden.", golden, {f.name for f in fields(Golden)})
        try:
            spec = SpectrogramSpec.from_dict(document["spectrogram"])
        except SpecError as error:
            raise ModelError(f"model metadata: spectrogram: {error.message}") from error
        return cls(
            **{
                **document,
                "spectrogram": spec,
                "golden": Golden(**{**golden, "probabilities": _as_tuple(golden["probabilities"])}),
                "labels": _as_tuple(document["labels"]),
                "corpora": _as_tuple(document["corpora"]),
            }
        )


def golden_input(seed: int, spec: SpectrogramSpec) -> "NDArray[np.float32]":
    """Make the spectrogram that a model's golden answer belongs to.

    Uniform noise between ``-spec.top_db`` and 0 dB from numpy's legacy generator, whose
    stream is frozen for good (NEP 19), so that every machine and version makes the same one.

    Parameters
    ----------
    seed : int
        0 to 2**32 - 1.
    spec : SpectrogramSpec
        Gives the shape and the range.

    Returns
    -------
    ndarray of float32, shape (1, n_mels, frames)
        In dB.
    """
    import numpy as np

    noise = np.random.RandomState(seed).random_sample((1, spec.n_mels, spec.frames))
    return ((noise - 1.0) * spec.top_db).astype(np.float32)


def _parse(text: str) -> dict[str, Any]:
    if len(text) > MAX_JSON_CHARACTERS:
        raise ModelError(f"model metadata is absurdly long: {len(text)} characters")
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"model metadata is not valid JSON: {printable(str(error))}") from error
    if not isinstance(document, dict):
        raise ModelError("model metadata is not a JSON object")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key is given twice")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _check_fields(prefix: str, document: dict[str, Any], expected: set[str]) -> None:
    for name in sorted(expected - document.keys()):
        _refuse(prefix + name, "missing")
    for name in sorted(document.keys() - expected):
        _refuse(prefix + name, "unknown")


def _check_labels(labels: Any) -> None:
    _require(
        isinstance(labels, tuple) and 2 <= len(labels) <= MAX_LABELS,
        "labels",
        labels,
    )
    for label in labels:
        # Anything that a terminal, a table or a page would take for more than text is left to
        # be escaped there; what cannot be shown at all is no label.
        ok = isinstance(label, str) and label.isprintable() and label.strip() == label != ""
        _require(ok and len(label) <= MAX_LABEL_CHARACTERS, "labels", label)
    if len(set(labels)) != len(labels):
        _refuse("labels", "two are the same")


def _check_metrics(metrics: Any) -> None:
    _require(isinstance(metrics, dict), "metrics", metrics)
    for protocol, figures in metrics.items():
        _require(isinstance(figures, dict), f"metrics.{protocol}", figures)
        for name in _RATES:
            value = figures.get(name, 0.0)
            _require(_is_number(value) and 0 <= value <= 1, f"metrics.{protocol}.{name}", value)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else None


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -1e300 < value < 1e300  # neither NaN nor infinite, nor an integer beyond all floats


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT_CHARACTERS


def _are_texts(value: Any) -> bool:
    return isinstance(value, tuple) and all(_is_text(item) for item in value)


def _require(fine: bool, name: str, value: Any) -> None:
    if not fine:
        _refuse(name, f"out of bounds or ill-typed: {value!r:.80}")


def _refuse(name: str, why: str) -> NoReturn:
    raise ModelError(f"model metadata: {printable(name)}: {printable(why)}")
