"""The metadata of an emotool model, stored in its ONNX file.

An exported model carries one JSON document under the key ``emotool`` of its
``metadata_props``: labels, spectrogram, temperature, the data it was trained on, how well it
did, its licence, and a *golden* input with the answer it gave when it was exported. Model
files are untrusted, so reading is strict: a field that is missing, unknown, ill-typed
or out of bounds is refused by name.
"""

import json
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from emotool.errors import ModelError
from emotool.features.spec import SpectrogramSpec
from emotool.files.validation import parse_json, validate

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

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
"""What a model may be called: its recipe, the folder of its runs and its file are named so."""

MAX_JSON_CHARACTERS = 1_000_000
MAX_TOLERANCE = 0.05  # int8 arithmetic differs between processors, but not by more than this

_RATES = ("uar", "uar_low", "uar_high", "accuracy")


def _label(label: str) -> str:
    # Anything that a terminal, a table or a page would take for more than text is escaped there;
    # what cannot be shown at all is no label.
    if not label.isprintable() or label.strip() != label or not label:
        raise ValueError(f"expected printable text, got {label!r:.80}")
    return label


def _distinct(labels: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(labels)) != len(labels):
        raise ValueError("two are the same")
    return labels


def _sum_to_one(probabilities: tuple[float, ...]) -> tuple[float, ...]:
    if abs(sum(probabilities) - 1) >= 1e-3:
        raise ValueError(f"expected a sum of 1, got {sum(probabilities):g}")
    return probabilities


def _with_rates(metrics: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for protocol, figures in metrics.items():
        for name in _RATES:
            value = figures.get(name, 0.0)
            if not _is_number(value) or not 0 <= value <= 1:
                raise ValueError(f"{protocol}.{name}: expected 0 to 1, got {value!r:.80}")
    return metrics


def _is_number(value: object) -> bool:
    # Neither NaN nor infinite, nor an integer beyond all floats; True is no number.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


Label = Annotated[str, Field(max_length=64), AfterValidator(_label)]
Labels = Annotated[
    tuple[Label, ...], Field(min_length=2, max_length=256), AfterValidator(_distinct)
]
Probabilities = Annotated[
    tuple[Annotated[float, Field(ge=0, le=1)], ...], AfterValidator(_sum_to_one)
]
Text = Annotated[str, Field(max_length=20_000)]


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

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    probabilities: Probabilities
    tolerance: Annotated[float, Field(gt=0, le=MAX_TOLERANCE)] = 1e-3


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
        If there are not as many golden probabilities as labels. `from_json` and `to_json` check
        everything else.
    """

    name: Annotated[str, Field(pattern=NAME.pattern)]
    labels: Labels
    spectrogram: SpectrogramSpec
    temperature: Annotated[float, Field(ge=1e-3, le=1e3)]
    golden: Golden
    architecture: Text = ""
    corpora: tuple[Text, ...] = ()
    split: dict[str, Any] = field(default_factory=dict)
    metrics: Annotated[dict[str, dict[str, Any]], AfterValidator(_with_rates)] = field(
        default_factory=dict
    )
    licence: Text = ""
    git_commit: Text = ""
    notes: Text = ""
    schema_version: Annotated[int, Field(ge=1, le=SCHEMA_VERSION)] = SCHEMA_VERSION

    def __post_init__(self) -> None:
        if len(self.golden.probabilities) != len(self.labels):
            raise ModelError(
                f"model metadata: golden.probabilities: expected one per label "
                f"({len(self.labels)}), got {len(self.golden.probabilities)}"
            )

    def metric(self, protocol: str, figure: str) -> float | None:
        """Look up a figure, such as ``metric("new_speakers", "uar")``; None if not recorded."""
        value = self.metrics.get(protocol, {}).get(figure)
        return float(value) if value is not None and _is_number(value) else None

    def to_json(self) -> str:
        """Write the document that `from_json` reads: sorted keys, so equal content is equal text.

        Raises
        ------
        ModelError
            If `from_json` would refuse it: a field is ill-typed or out of bounds, or ``split`` or
            ``metrics`` hold what JSON has no word for (NaN, objects).
        """
        try:
            text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ModelError(f"metadata cannot be written as JSON: {error}") from error
        self.from_json(text)
        return text

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
        if len(text) > MAX_JSON_CHARACTERS:
            raise ModelError(f"model metadata is too long: {len(text)} characters")
        document = parse_json(text, "model metadata", ModelError)
        version = document.get("schema_version") if isinstance(document, dict) else None
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise ModelError(
                f"model metadata has schema version {version}; this emotool reads {SCHEMA_VERSION}",
                hint="upgrade emotool: pip install --upgrade emotool",
            )
        return validate(cls, document, "model metadata", ModelError, complete=True)


def golden_input(seed: int, spec: SpectrogramSpec) -> "NDArray[np.float32]":
    """Make the spectrogram of a model's reference output.

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
