"""The metadata of an emotool model, stored in its ONNX file.

A model carries one JSON document under the key ``emotool`` of its ``metadata_props``: what it
takes and what it gives, the data it was trained on, how well it did, its licence, and a *golden*
input with the answer it gave when it was exported. Model files are untrusted, so reading is
strict: a field that is missing, unknown, ill-typed or out of bounds is refused by name.
"""

import json
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from emotool.errors import ModelError
from emotool.features.spec import SpectrogramSpec
from emotool.features.waveform_spec import InputSpec, WaveformSpec
from emotool.files.validation import parse_json
from emotool.model.metadata_documents import SCHEMA_VERSION, document_of, fields_of
from emotool.model.metadata_fields import NAME, Dimension, Golden, is_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "METADATA_KEY",
    "NAME",
    "SCHEMA_VERSION",
    "Dimension",
    "Golden",
    "ModelMetadata",
    "golden_input",
]

METADATA_KEY = "emotool"

MAX_JSON_CHARACTERS = 1_000_000
_GOLDEN_SECONDS = 1.0  # of a waveform, where the length is free
_GOLDEN_LEVEL = 0.1  # of full scale


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """Everything that is known of a model apart from its weights.

    Parameters
    ----------
    name : str
        The model's name: letters, digits, ``.``, ``_``, ``-``; at most 64.
    labels : tuple of str
        Two or more distinct labels, in the order of the model's outputs; none if it gives only
        dimensions.
    input : SpectrogramSpec or WaveformSpec
        What the model was trained on and must be given.
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
    dimensions : tuple of Dimension
        The numbers that it gives, in their order; version 2 only.
    extras : tuple of {"embedding", "activation"}
        Which of these outputs it has; in version 1 both.
    schema_version : {1, 2}
        Version of the document.

    Raises
    ------
    ModelError
        If there are not as many golden numbers as labels and dimensions, or version 1 cannot
        describe the model. `from_json` and `to_json` check everything else.
    """

    name: str
    labels: tuple[str, ...]
    input: InputSpec
    temperature: float
    golden: Golden
    architecture: str = ""
    corpora: tuple[str, ...] = ()
    split: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    licence: str = ""
    git_commit: str = ""
    notes: str = ""
    dimensions: tuple[Dimension, ...] = ()
    extras: tuple[str, ...] = ("embedding", "activation")
    schema_version: int = 1

    def __post_init__(self) -> None:
        for kind, wanted, found in (
            ("probabilities: expected one per label", self.labels, self.golden.probabilities),
            ("dimensions: expected one per dimension", self.dimensions, self.golden.dimensions),
        ):
            if len(wanted) != len(found):
                raise ModelError(f"model metadata: golden.{kind} ({len(wanted)}), got {len(found)}")
        whole = self.labels and not self.dimensions and len(self.extras) == 2
        if self.schema_version == 1 and not (whole and isinstance(self.input, SpectrogramSpec)):
            raise ModelError("model metadata: schema_version 1 cannot describe this model")

    @property
    def names(self) -> tuple[str, ...]:
        """What its numbers are called: labels, then dimensions."""
        return (*self.labels, *(dimension.name for dimension in self.dimensions))

    @property
    def labelling(self) -> tuple[str, ...]:
        """The outputs that a row needs."""
        classes = ("probabilities", "logits") if self.labels else ()
        return (*classes, "dimensions") if self.dimensions else classes

    @property
    def outputs(self) -> tuple[str, ...]:
        """All outputs of the graph."""
        return (*self.labelling, *self.extras)

    def metric(self, protocol: str, figure: str) -> float | None:
        """Look up a figure, such as ``metric("new_speakers", "uar")``; None if not recorded."""
        value = self.metrics.get(protocol, {}).get(figure)
        return float(value) if value is not None and is_number(value) else None

    def to_json(self) -> str:
        """Write the document that `from_json` reads: sorted keys, so equal content is equal text.

        Raises
        ------
        ModelError
            If `from_json` would refuse it: a field is ill-typed or out of bounds, or ``split`` or
            ``metrics`` hold what JSON has no word for (NaN, objects).
        """
        try:
            document = document_of({one.name: getattr(self, one.name) for one in fields(self)})
            text = json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False)
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
        return cls(**fields_of(document))


def golden_input(seed: int, spec: InputSpec) -> "NDArray[np.float32]":
    """Make the input of a model's reference output.

    Uniform noise from numpy's legacy generator, whose stream is frozen for good (NEP 19), so that
    every machine and version makes the same: between ``-spec.top_db`` and 0 dB for a spectrogram,
    of a tenth of full scale for a waveform.

    Parameters
    ----------
    seed : int
        0 to 2**32 - 1.
    spec : SpectrogramSpec or WaveformSpec
        Gives the shape and the range.

    Returns
    -------
    ndarray of float32, shape (1, n_mels, frames) in dB, or (1, samples)
        A waveform is of a second, or as near to that as the model takes.
    """
    import numpy as np

    from emotool.features.waveform import waveforms

    random = np.random.RandomState(seed)
    if isinstance(spec, WaveformSpec):
        seconds = min(spec.window_seconds, max(spec.least_seconds, _GOLDEN_SECONDS))
        samples = spec.padded(round(seconds * spec.sample_rate))
        noise = (2 * random.random_sample(samples) - 1) * _GOLDEN_LEVEL
        return waveforms([noise.astype(np.float32)], spec)
    noise = random.random_sample((1, spec.n_mels, spec.frames))
    return ((noise - 1.0) * spec.top_db).astype(np.float32)
