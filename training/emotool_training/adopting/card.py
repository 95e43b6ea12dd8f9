"""The card of an adopted model: whose it is, its licence as given, and what is not known of it."""

from emotool.features.waveform_spec import WaveformSpec
from emotool.model.metadata import ModelMetadata
from emotool.text import printable
from emotool_training.adopting.proof import Proof

__all__ = ["adopted_card"]


def adopted_card(
    metadata: ModelMetadata, size_bytes: int, author: str, origin: str, proof: Proof
) -> str:
    """Write the card.

    Parameters
    ----------
    metadata : ModelMetadata
        The model file's.
    size_bytes : int
        The file's size.
    author, origin : str
        Whose model it is, and what it is called where it was published; maybe empty.
    proof : Proof
        How its answers were proved.

    Returns
    -------
    str
        Markdown, ending in a line feed.
    """
    given = ", ".join(metadata.labels)
    does = f"Labels clips of speech as {given}."
    if metadata.dimensions:
        named = (f"{one.name} ({one.low:g} to {one.high:g})" for one in metadata.dimensions)
        does = f"Gives clips of speech numbers for {', '.join(named)}."
    architecture = f" Architecture `{metadata.architecture}`," if metadata.architecture else ""
    sections = [
        f"# {metadata.name}\n\n{does}{architecture} {size_bytes / 1e6:.1f} MB.\n\n"
        f"```\nemotool classify FOLDER --model {metadata.name}\n```\n",
        f"## Origin\n\nA published model, not emotool's: {_whose(author, origin)}. "
        "`emotool adopt` has converted it and changed no weight.\n",
        "## Accuracy\n\nNot measured: no figure is known until "
        f"`emotool evaluate {metadata.name} --data FOLDER` has measured one on labelled clips of "
        "people that it was not trained on.\n",
        f"## Licence\n\n{metadata.licence or 'Not stated. Ask its author before you use it.'}\n",
        "## Technical facts\n\n" + _facts(metadata, proof),
    ]
    return "\n".join(printable_lines(section) for section in sections)


def printable_lines(text: str) -> str:
    """Escape what a terminal would obey, line by line."""
    return "\n".join(printable(line) for line in text.split("\n"))


def _whose(author: str, origin: str) -> str:
    if author and origin:
        return f"`{origin}` by {author}"
    return f"`{origin}`" if origin else author or "its author was not stated"


def _facts(metadata: ModelMetadata, proof: Proof) -> str:
    spec = metadata.input
    lines = []
    if isinstance(spec, WaveformSpec):
        length = f"{spec.least_seconds:g} to {spec.window_seconds:g} s"
        if spec.fixed:
            length = f"{spec.window_seconds:g} s, shorter ones padded with zeros"
        scaled = "as it is"
        if spec.normalisation == "window":
            scaled = "each window shifted and scaled to a mean of 0 and a variance of 1"
        lines.append(f"Input `waveform`: {spec.sample_rate} Hz, windows of {length}, {scaled}.")
        batches = "in batches with a mask" if spec.attention_mask else "in batches"
        lines.append(f"Windows are run {'one at a time' if spec.one_at_a_time else batches}.")
    missing = [name for name in ("embedding", "activation") if name not in metadata.extras]
    if missing:
        lines.append(f"It has no output {' and no output '.join(missing)}.")
    lines.append(
        f"Proved on {proof.clip}: {proof.windows} windows; a window's answer differs by at most "
        f"{proof.difference:.1g} alone and among others."
    )
    return "\n".join(f"- {line}" for line in lines) + "\n"
