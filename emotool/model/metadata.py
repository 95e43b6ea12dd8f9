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
from typing import TYPE_CHECKING, Any

from emotool.errors import ModelError, SpecError
from emotool.features.spec import SpectrogramSpec
from emotool.model.metadata_checks import (
    are_texts,
    as_tuple,
    check_fields,
    check_labels,
    check_metrics,
    is_int,
    is_number,
    is_text,
    parse,
    refuse,
    require,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "METADATA_KEY",
    "NAME",
    "SCHEMA_VERSION",
    "Golden",
    "ModelMetadata",
    "golden_input",
]

METADATA_KEY = "emotool"
SCHEMA_VERSION = 1

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a model may be called: its recipe, the folder of its runs and its file are named so."""

MAX_TOLERANCE = 0.05  # int8 arithmetic differs between processors, but not by more than this


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
        require(is_int(self.seed) and 0 <= self.seed < 2**32, "golden.seed", self.seed)
        require(
            is_number(self.tolerance) and 0 < self.tolerance <= MAX_TOLERANCE,
            "golden.tolerance",
            self.tolerance,
        )
        require(
            isinstance(self.probabilities, tuple)
            and all(is_number(p) and 0 <= p <= 1 for p in self.probabilities)
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
        require(
            is_int(self.schema_version) and self.schema_version == SCHEMA_VERSION,
            "schema_version",
            self.schema_version,
        )
        require(
            isinstance(self.name, str) and NAME.fullmatch(self.name) is not None, "name", self.name
        )
        check_labels(self.labels)
        require(
            is_number(self.temperature) and 1e-3 <= self.temperature <= 1e3,
            "temperature",
            self.temperature,
        )
        if len(self.golden.probabilities) != len(self.labels):
            refuse("golden.probabilities", f"{len(self.labels)} labels need as many of them")
        require(are_texts(self.corpora), "corpora", self.corpora)
        for name in ("architecture", "licence", "git_commit", "notes"):
            require(is_text(getattr(self, name)), name, getattr(self, name))
        require(isinstance(self.split, dict), "split", self.split)
        check_metrics(self.metrics)

    def metric(self, protocol: str, figure: str) -> float | None:
        """Look up a figure, such as ``metric("new_speakers", "uar")``; None if not recorded."""
        value = self.metrics.get(protocol, {}).get(figure)
        return float(value) if is_number(value) else None

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
        document = parse(text)
        version = document.get("schema_version")
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise ModelError(
                f"model metadata has schema version {version}; this emotool reads {SCHEMA_VERSION}",
                hint="upgrade emotool: pip install --upgrade emotool",
            )
        check_fields("", document, {f.name for f in fields(cls)})
        golden = document["golden"]
        if not isinstance(golden, dict):
            refuse("golden", "an object was expected")
        check_fields("golden.", golden, {f.name for f in fields(Golden)})
        try:
            spec = SpectrogramSpec.from_dict(document["spectrogram"])
        except SpecError as error:
            raise ModelError(f"model metadata: spectrogram: {error.message}") from error
        return cls(
            **{
                **document,
                "spectrogram": spec,
                "golden": Golden(**{**golden, "probabilities": as_tuple(golden["probabilities"])}),
                "labels": as_tuple(document["labels"]),
                "corpora": as_tuple(document["corpora"]),
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
