"""The two forms in which a model's metadata are written as JSON.

Version 1 describes a model that takes log-mel spectrograms and gives labels, with an embedding and
a map of evidence. Version 2 says what the model takes (``input``) and gives (``output``).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import Field

from emotool.errors import ModelError
from emotool.features.spec import SpectrogramSpec
from emotool.features.waveform_spec import WaveformSpec
from emotool.files.validation import validate
from emotool.model.metadata_fields import (
    Dimensions,
    Golden,
    Labels,
    Metrics,
    Name,
    Probabilities,
    Seed,
    Temperature,
    Text,
    Tolerance,
)

__all__ = ["SCHEMA_VERSION", "document_of", "fields_of"]

SCHEMA_VERSION = 2

_SOURCE = "model metadata"


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """What both versions have."""

    name: Name
    architecture: Text
    corpora: tuple[Text, ...]
    split: dict[str, Any]
    metrics: Metrics
    licence: Text
    git_commit: Text
    notes: Text


@dataclass(frozen=True, kw_only=True)
class _Golden1:
    """A reference output without dimensions."""

    seed: Seed
    probabilities: Probabilities
    tolerance: Tolerance


@dataclass(frozen=True, kw_only=True)
class _Version1(_Facts):
    """The document of a model of log-mel spectrograms and labels."""

    labels: Labels
    spectrogram: SpectrogramSpec
    temperature: Temperature
    golden: _Golden1
    schema_version: Annotated[int, Field(ge=1, le=1)]


@dataclass(frozen=True, kw_only=True)
class _Input:
    """What a model takes: one of the two, the other null."""

    log_mel: SpectrogramSpec | None
    waveform: WaveformSpec | None


@dataclass(frozen=True, kw_only=True)
class _Classes:
    """Labels, with the temperature that logits are divided by inside the graph."""

    labels: Labels
    temperature: Temperature


@dataclass(frozen=True, kw_only=True)
class _Output:
    """What a model gives: labels, dimensions or both, and whether there is more."""

    classes: _Classes | None
    dimensions: Dimensions
    embedding: bool
    activation: bool


@dataclass(frozen=True, kw_only=True)
class _Version2(_Facts):
    """The document of any model."""

    input: _Input
    output: _Output
    golden: Golden
    schema_version: Annotated[int, Field(ge=2, le=2)]


_FACTS = tuple(_Facts.__annotations__)


def fields_of(document: object) -> dict[str, Any]:
    """Check a document of either version.

    Parameters
    ----------
    document : object
        What JSON gave.

    Returns
    -------
    dict of str to object
        The fields of `emotool.model.metadata.ModelMetadata`.

    Raises
    ------
    ModelError
        If a field is missing, unknown, ill-typed or out of bounds; the message names it.
    """
    if isinstance(document, dict) and document.get("schema_version") == SCHEMA_VERSION:
        return _of_version_2(validate(_Version2, document, _SOURCE, ModelError, complete=True))
    one = validate(_Version1, document, _SOURCE, ModelError, complete=True)
    return {
        **_facts(one),
        "labels": one.labels,
        "input": one.spectrogram,
        "temperature": one.temperature,
        "golden": Golden(one.golden.seed, one.golden.probabilities, one.golden.tolerance),
    }


def _of_version_2(two: _Version2) -> dict[str, Any]:
    spec = two.input.waveform or two.input.log_mel
    if spec is None or (two.input.waveform and two.input.log_mel):
        raise ModelError(f"{_SOURCE}: input: expected one of log_mel and waveform, the other null")
    classes = two.output.classes
    if classes is None and not two.output.dimensions:
        raise ModelError(f"{_SOURCE}: output: expected classes, dimensions or both")
    extras = ("embedding", "activation")
    return {
        **_facts(two),
        "labels": () if classes is None else classes.labels,
        "temperature": 1.0 if classes is None else classes.temperature,
        "input": spec,
        "golden": two.golden,
        "dimensions": two.output.dimensions,
        "extras": tuple(name for name in extras if getattr(two.output, name)),
        "schema_version": SCHEMA_VERSION,
    }


def _facts(document: _Facts) -> dict[str, Any]:
    return {name: getattr(document, name) for name in _FACTS}


def document_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of a model's metadata, of the version that its fields name.

    Parameters
    ----------
    fields : mapping of str to object
        Those of `emotool.model.metadata.ModelMetadata`.
    """
    facts = {name: fields[name] for name in _FACTS} | {"schema_version": fields["schema_version"]}
    spec, golden = fields["input"], asdict(fields["golden"])
    classes = {name: fields[name] for name in ("labels", "temperature")}
    if fields["schema_version"] == 1:
        del golden["dimensions"]
        return {**facts, **classes, "spectrogram": spec.to_dict(), "golden": golden}
    is_wave = isinstance(spec, WaveformSpec)
    return {
        **facts,
        "input": {
            "log_mel": None if is_wave else spec.to_dict(),
            "waveform": spec.to_dict() if is_wave else None,
        },
        "output": {
            "classes": classes if fields["labels"] else None,
            "dimensions": [asdict(dimension) for dimension in fields["dimensions"]],
            "embedding": "embedding" in fields["extras"],
            "activation": "activation" in fields["extras"],
        },
        "golden": golden,
    }
