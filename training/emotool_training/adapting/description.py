"""What an adapted model's file says of itself."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emotool.model.metadata import Golden, ModelMetadata
from emotool_training.export.card import licence_of
from emotool_training.export.figures import for_metadata

__all__ = ["KIND", "OWN_STATISTICS", "PROTOCOL", "Facts", "metadata_of"]

KIND = "adapted"
"""Kind of split of an adapted model."""

PROTOCOL = "adapted"
"""Name of the figures by cross-validation over the clips that a model was adapted to."""

OWN_STATISTICS = "another_corpus_own_statistics"


@dataclass(frozen=True)
class Facts:
    """How a model was adapted.

    Parameters
    ----------
    base_sha256 : str
        The base's file.
    name : str
        The new model's name.
    labels : tuple of str
    temperature : float
    clips : int
        Labelled ones; 0 if there are none.
    speakers : tuple of str
        Of the labelled clips.
    corpora : tuple of str
        Of the labelled clips.
    recordings : int
        Clips whose statistics were used; 0 if none were.
    strength : float
        Of the penalty.
    figures : mapping
        Out-of-fold figures of the new head; may be empty.
    only_temperature : bool
        Nothing but the temperature is new.
    evidence : bool
        Whether the map of evidence follows the new head.
    kept : str
        Why the labelled clips change nothing; "" if they do.
    """

    base_sha256: str
    name: str
    labels: tuple[str, ...]
    temperature: float
    clips: int = 0
    speakers: tuple[str, ...] = ()
    corpora: tuple[str, ...] = ()
    recordings: int = 0
    strength: float = 0.0
    figures: Mapping[str, Any] = field(default_factory=dict)
    only_temperature: bool = False
    evidence: bool = True
    kept: str = ""

    @property
    def has_head(self) -> bool:
        """Whether a head was fitted."""
        return bool(self.clips) and not self.only_temperature and not self.kept


def metadata_of(base: ModelMetadata, facts: Facts, golden: Golden) -> ModelMetadata:
    """Describe an adapted model: the base's facts, with what is new."""
    return dataclasses.replace(
        base,
        name=facts.name,
        labels=facts.labels,
        temperature=facts.temperature,
        golden=golden,
        corpora=_joined(base.corpora, facts.corpora) if facts.has_head else base.corpora,
        split=_split(base, facts),
        metrics=_metrics(base, facts),
        licence=_licence(base, facts),
        notes="\n".join(filter(None, (*_notes(base, facts), base.notes))),
    )


def _joined(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _split(base: ModelMetadata, facts: Facts) -> dict[str, Any]:
    """Add the speakers that a head was fitted to."""
    split = {**base.split, "kind": KIND, "base": base.name, "base_sha256": facts.base_sha256}
    if not facts.has_head:
        return split
    before = base.split.get("speakers")
    heard = dict(before) if isinstance(before, dict) else {}
    trained = heard.get("train")
    names = tuple(trained) if isinstance(trained, list | tuple) else ()
    heard["train"] = list(_joined(names, facts.speakers))
    said = str(base.split.get("description") or "not recorded")
    return {
        **split,
        "speakers": heard,
        "description": f"{said}. Then a head was fitted to {facts.clips:,} clips of one's own",
    }


def _metrics(base: ModelMetadata, facts: Facts) -> dict[str, dict[str, Any]]:
    """Return the figures that hold for the new model."""
    if facts.has_head:
        return for_metadata({PROTOCOL: facts.figures}) if facts.figures else {}
    if facts.recordings:  # of the base; what was done to it here is one of its protocols
        return {k: v for k, v in base.metrics.items() if k == OWN_STATISTICS}
    return base.metrics


def _licence(base: ModelMetadata, facts: Facts) -> str:
    if not facts.has_head:
        return base.licence
    return f"{base.licence or 'not recorded'}; adapted: {licence_of(facts.corpora)}"


def _notes(base: ModelMetadata, facts: Facts) -> list[str]:
    """Say what was done, a line each."""
    lines = [f"Adapted from {base.name} (file {facts.base_sha256[:16]})."]
    if facts.recordings:
        lines.append(
            f"Normalised half by the statistics of {facts.recordings:,} recordings, half by those "
            "of the training data."
        )
    if facts.has_head:
        lines.append(
            f"Head fitted to {facts.clips:,} labelled clips; strength {facts.strength:g} of the "
            "penalty on the distance from the base's head."
        )
    if facts.kept:
        lines.append(f"Not changed by {facts.clips:,} labelled clips: {facts.kept}.")
    if facts.only_temperature:
        lines.append(f"Temperature fitted to {facts.clips:,} labelled clips.")
    if not facts.evidence:
        lines.append("The map of evidence is that of the base's label.")
    return lines
