"""``emotool explain``: a figure of the evidence for a clip's label."""

import io
from pathlib import Path
from typing import Annotated

import typer

from emotool.cli.completion import model_names
from emotool.cli.help import Short
from emotool.model.catalog import DEFAULT_MODEL

__all__ = ["SHORT", "explain"]

_DEFAULT = "explanation.png"

SHORT = Short(
    examples=(("Figure of one clip for print", "emotool explain clip.wav -o clip.pdf"),),
)


def explain(
    clip: Annotated[str, typer.Argument(help="Clip to explain.", metavar="CLIP")],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the figure to FILE; its extension selects the format (.png, .svg or .pdf). "
            "Without it, the figure of another clip is kept: explanation_2.png is next.",
            show_default=_DEFAULT,
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            autocompletion=model_names,
            help="Model to explain: a name that `emotool models` lists, or the path of an .onnx "
            "file.",
        ),
    ] = DEFAULT_MODEL,
    device: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda", help="Device to run the model on.")
    ] = "auto",
) -> None:
    """Plot the evidence for a clip's label: waveform, spectrogram, evidence, probabilities.

    The evidence is the model's activation map: which parts of the spectrogram raise the
    predicted label. All panels share the time axis. Of clips longer than a minute, the first
    minute is plotted. Needs matplotlib.
    """
    from emotool.explain.figure import Caption, draw, figure_format, require_matplotlib

    file_format = figure_format(output or _DEFAULT)
    require_matplotlib()
    from emotool.errors import AudioError, InputError
    from emotool.explain.explanation import explain as explain_clip
    from emotool.files.atomic import atomic_write
    from emotool.model.classifier import load_classifier
    from emotool.text import printable

    classifier = load_classifier(model, device=device)
    for needed in ("probabilities", "activation"):
        classifier.require(needed, "emotool explain")
    try:
        explanation = explain_clip(clip, classifier)
    except AudioError as error:  # has its stage, not its file
        raise InputError(f"{printable(clip)}: {error.message}", hint=error.hint) from error
    if not len(explanation.probabilities):
        why = explanation.features.status.replace("_", " ")
        part = "its first minute" if explanation.cut else "it"
        raise InputError(f"{printable(clip)} has no label to explain: {part} is {why}")
    picture = io.BytesIO()
    draw(explanation, Caption(clip, classifier.name, classifier.labels), picture, file_format)
    place = output or _free(picture.getvalue())
    with atomic_write(place) as handle:
        handle.write(picture.getvalue())
    typer.echo(f"figure written to {printable(str(place))}", err=True)


def _free(picture: bytes) -> Path:
    """Return the first default name that is free or holds this very picture; say which it is."""
    from emotool.files.destination import numbered

    default = Path(_DEFAULT)
    place = next(file for file in numbered(default) if not file.exists() or _holds(file, picture))
    if place != default:
        typer.echo(f"{default} is another figure and stays", err=True)
    return place


def _holds(file: Path, picture: bytes) -> bool:
    try:
        return file.is_file() and file.read_bytes() == picture
    except OSError:
        return False
