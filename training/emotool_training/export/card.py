"""Write model cards: description, accuracy, training data, licence, limits.

Written from the metadata inside the model file and nothing else, so card and file cannot
disagree. The headings follow Mitchell et al. (2019), "Model Cards for Model Reporting",
doi:10.1145/3287560.3287596.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emotool.features.waveform_spec import WaveformSpec
from emotool.model.catalog import BUILT_IN
from emotool.model.evidence import temperature_warning, warning
from emotool.model.metadata import ModelMetadata
from emotool_training.corpora import facts
from emotool_training.export.card_texts import (
    ACTED,
    LIMITS,
    OWN,
    PARTLY_ACTED,
    PROTOCOLS,
    PROTOCOLS_OF_UNKNOWN,
    UNTESTED,
    UNTESTED_OWN,
)

__all__ = ["licence_of", "model_card"]


_TRUSTED = 0.08
"""Largest calibration error without a warning."""

_FREE = ("ODbL",)  # licences without a non-commercial clause


def licence_of(corpora: Iterable[str]) -> str:
    """Return the terms of use of weights trained on given corpora.

    Parameters
    ----------
    corpora : iterable of str
        Short names; unknown ones carry their owner's terms.

    Returns
    -------
    str
        One line, the strictest condition first.

    Examples
    --------
    >>> licence_of(["tess"])
    'non-commercial use only (trained on: tess CC BY-NC-ND 4.0)'
    """
    known = facts()
    names = sorted(set(corpora))
    terms = {name: known[name].licence if name in known else "terms of its owner" for name in names}
    strict = any(name in known and not terms[name].startswith(_FREE) for name in names)
    listed = "; ".join(f"{name} {terms[name]}" for name in names)
    condition = "non-commercial use only" if strict else "the terms of the data"
    return f"{condition} (trained on: {listed})"


def model_card(metadata: ModelMetadata, size_bytes: int, *, licence_file: bool = True) -> str:
    """Write a model's card.

    Parameters
    ----------
    metadata : ModelMetadata
        The model file's metadata.
    size_bytes : int
        The file's size.
    licence_file : bool, default True
        Whether a file ``LICENSE`` lies beside the model, as beside emotool's own.

    Returns
    -------
    str
        Markdown, ending in a line feed.
    """
    sections = [
        _head(metadata, size_bytes, own=not licence_file),
        "## Accuracy\n\n" + _accuracy(metadata),
        "## Training data\n\n" + _data(metadata),
        "## Use and limits\n\n" + _limits(metadata.corpora),
        "## Licence\n\n" + _licence(metadata, licence_file=licence_file),
        "## Technical facts\n\n" + _technical(metadata),
    ]
    return "\n".join(sections)


def _limits(corpora: Sequence[str]) -> str:
    """Write what the model is for, and what is known of its training data."""
    acted = [name for name in corpora if name in facts()]
    own = [name for name in corpora if name not in facts()]
    if acted and not own:
        return LIMITS.format(speech=ACTED, untested=UNTESTED)
    said = [PARTLY_ACTED.format(acted=", ".join(acted))] if acted else []
    said.append(OWN.format(own=", ".join(own) or "not recorded"))
    return LIMITS.format(speech="\n".join(said), untested=UNTESTED_OWN)


def _head(metadata: ModelMetadata, size_bytes: int, *, own: bool) -> str:
    # A built-in model's name always means the built-in model.
    way = f"PATH/{metadata.name}.onnx" if own and metadata.name in BUILT_IN else metadata.name
    labels = _listed(metadata.labels)
    return (
        f"# {metadata.name}\n\n"
        f"Labels clips of speech as {labels}. Architecture `{metadata.architecture}`, "
        f"{size_bytes / 1e6:.1f} MB, runs on CPU and GPU through ONNX Runtime.\n\n"
        f"```\nemotool classify FOLDER --model {way}\n```\n"
    )


def _accuracy(metadata: ModelMetadata) -> str:
    """Write the table of figures and how they were measured."""
    figures = {name: metadata.metrics[name] for name in PROTOCOLS if name in metadata.metrics}
    if not figures:
        return "Not measured.\n"
    corpora = sorted({c for one in figures.values() for c in one.get("per_corpus", {})})
    header = ["tested on", "UAR (95 %)", "accuracy (95 %)", *corpora, "clips", "speakers", "seeds"]
    lines = [_row(header), _row(["---"] * len(header))]
    lines += [_row(_cells(name, one, corpora)) for name, one in figures.items()]
    notes = [one["description"] for one in figures.values() if one.get("description")]
    lines += ["", *_unique(f"{note}." for note in notes)]
    lines += ["", _reading(metadata, figures), *_calibration(figures)]
    few = [warning(one) for one in figures.values()]
    few.append(temperature_warning(metadata.temperature))
    for text in filter(None, _unique(few)):
        lines += ["", f"**{text[0].upper()}{text[1:]}.**"]
    return "\n".join(lines) + "\n"


def _cells(name: str, one: Mapping[str, Any], corpora: Sequence[str]) -> list[str]:
    per_corpus = one.get("per_corpus", {})
    unknown = bool(one.get("unknown_speakers"))
    return [
        PROTOCOLS_OF_UNKNOWN.get(name, PROTOCOLS[name]) if unknown else PROTOCOLS[name],
        _with_interval(one, "uar"),
        _with_interval(one, "accuracy"),
        *(_per_cent(per_corpus.get(corpus, {}).get("uar")) for corpus in corpora),
        str(one.get("clips", "-")),
        "unknown" if unknown else str(one.get("speakers", "-")),
        str(one.get("seeds", 1)),
    ]


def _reading(metadata: ModelMetadata, figures: Mapping[str, Mapping[str, Any]]) -> str:
    """Explain the columns."""
    lone = sorted(
        {
            corpus
            for one in figures.values()
            for corpus, part in one.get("per_corpus", {}).items()
            if part.get("speakers") == 1 and not one.get("unknown_speakers")
        }
    )
    text = (
        "In per cent. UAR is the mean recall of the labels, taken in each corpus (the columns "
        "with their names) and averaged over them; guessing scores "
        f"{_per_cent(1 / len(metadata.labels))}. Accuracy is over all clips. Intervals are by "
        "bootstrap of speakers within corpora"
    )
    if lone:
        text += f"; {_listed(lone)} has a single speaker, whom the bootstrap cannot vary"
    new = figures.get("new_speakers", {})
    if "uar_others_low" in new:
        low, high = (_per_cent(new[f"uar_others_{end}"]) for end in ("low", "high"))
        text += (
            ". They are of the mean over all these speakers: the UAR of ten others, drawn from "
            f"these corpora, lies between {low} and {high} in 95 % of draws"
        )
    return text + "."


def _calibration(figures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Write the measured calibration errors."""
    abroad = figures.get("another_corpus", {})
    lines = []
    if "ece_before" in abroad:
        lines = ["", _abroad(abroad)]
    new = figures.get("new_speakers", {})
    if "ece_before" not in new:
        return lines
    text = (
        f"Calibration on new speakers: expected calibration error "
        f"{new['ece_before']:.3f} before and {new['ece_after']:.3f} after a temperature fitted "
        "on each fold's validation speakers"
    )
    if "ece_stored" in new and "ece_before" in abroad:
        text += f"; {new['ece_stored']:.3f} at one fitted as the file's, without the corpus judged"
    elif "ece_stored" in new:
        text += (
            f"; {new['ece_stored']:.3f} at one fitted on the validation speakers of all folds "
            "without the test speakers, as the stored one is"
        )
    return [*lines, "", text + "."]


def _abroad(one: Mapping[str, Any]) -> str:
    """Write the calibration error on another corpus."""
    text = (
        f"Calibration on another corpus: expected calibration error {one['ece_before']:.3f} before "
        f"and {one['ece_after']:.3f} after a temperature fitted on what was predicted of the other "
        "corpora, left out or with new speakers; the file's temperature is fitted on those of all."
    )
    if one["ece_after"] > _TRUSTED:
        text += " Confidences on recordings unlike the training data may be too high."
    return text


def _data(metadata: ModelMetadata) -> str:
    """List the corpora, their terms and the speakers trained on."""
    known = facts()
    people = metadata.split.get("speakers", {})
    trained, validated = (
        list(filter(None, people.get(side, []))) for side in ("train", "validation")
    )
    lines = [_row(["corpus", "speakers in training", "language", "licence", "source"])]
    lines.append(_row(["---"] * 5))
    for name in metadata.corpora:
        count = sum(_corpus_of(speaker, metadata.corpora) == name for speaker in trained)
        about = known.get(name)
        cells = (about.title, about.language, about.licence, about.source) if about else ()
        title, language, licence, source = cells or (name, "-", "terms of its owner", "-")
        lines.append(_row([title, str(count or "-"), language, licence, source]))
    lines += ["", f"Split: {metadata.split.get('description', 'not recorded')}."]
    if others := set(validated) - set(trained):
        lines.append(f"Validation speakers: {len(others)}.")
    return "\n".join(lines) + "\n"


def _corpus_of(speaker: str, corpora: Sequence[str]) -> str:
    """Return a speaker's corpus: the longest name that fits, ``mine-2`` for ``mine-2-anna``."""
    return max((name for name in corpora if speaker.startswith(f"{name}-")), key=len, default="")


def _licence(metadata: ModelMetadata, *, licence_file: bool) -> str:
    known = set(metadata.corpora) <= facts().keys()
    names = " See `LICENSE` beside the model for how to cite the corpora."
    encoder = (
        " Its encoder is the first blocks of OpenAI's Whisper base, under the MIT licence."
        if metadata.architecture.startswith("whisper")
        else ""
    )
    return (
        f"{metadata.licence or 'Not recorded'}.{names if known and licence_file else ''} emotool's "
        f"code is under Apache-2.0; the weights are not.{encoder}\n"
    )


def _technical(metadata: ModelMetadata) -> str:
    spec = metadata.input
    trimmed = "not trimmed" if spec.trim_db is None else f"trimmed at {spec.trim_db:g} dB"
    given = "`waveform`: float32 [batch, samples]"
    if not isinstance(spec, WaveformSpec):
        given = f"`log_mel`: float32 [batch, {spec.n_mels}, {spec.frames}], dB"
    lines = [
        f"- Input {given}; clips at {spec.sample_rate} Hz, {trimmed}, in windows of "
        f"{spec.window_seconds:g} s; the label is the mean probability over a clip's windows.",
        f"- Labels, in order: {', '.join(f'`{label}`' for label in metadata.labels)}.",
        f"- Temperature {metadata.temperature:.3f}, applied inside the graph.",
        f"- Split digest `{str(metadata.split.get('hash', '-'))[:16]}`, exported at commit "
        f"`{metadata.git_commit[:12] or '-'}`.",
    ]
    lines += [f"- {note}" for note in metadata.notes.splitlines() if note.strip()]
    return "\n".join(lines) + "\n"


def _with_interval(one: Mapping[str, Any], name: str) -> str:
    low, high = one.get(f"{name}_low"), one.get(f"{name}_high")
    bounds = "" if low is None or high is None else f" ({_per_cent(low)}-{_per_cent(high)})"
    return f"{_per_cent(one.get(name))}{bounds}"


def _per_cent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
