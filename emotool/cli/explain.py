"""``emotool explain``: a picture of what a model heard in a clip."""

from typing import Annotated

import typer

from emotool.cli.completion import model_names
from emotool.model.catalog import DEFAULT_MODEL

__all__ = ["explain"]


def explain(
    clip: Annotated[str, typer.Argument(help="The clip to look into.", metavar="CLIP")],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where the picture goes; its suffix chooses the format: .png (300 dpi), .svg or "
            ".pdf for print.",
        ),
    ] = "explanation.png",
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            autocompletion=model_names,
            help="Whose view is drawn: a name that `emotool models` lists, or an .onnx file.",
        ),
    ] = DEFAULT_MODEL,
    device: Annotated[str, typer.Option(help="Where the model runs: auto, cpu or cuda.")] = "auto",
) -> None:
    """Draw what a model heard in a clip: waveform, spectrogram, evidence, probabilities.

    The evidence is the model's own account of where in the spectrogram it found what speaks for
    its label. All panels share the time axis. Of a clip longer than a minute the first minute is
    drawn. The picture needs matplotlib (extra `plot`).
    """
    from emotool.explain.figure import Caption, draw, figure_format, require_matplotlib

    file_format = figure_format(output)
    require_matplotlib()
    from emotool.errors import AudioError, InputError
    from emotool.explain.explanation import explain as explain_clip
    from emotool.files.atomic import atomic_write
    from emotool.model.classifier import load_classifier
    from emotool.text import printable

    classifier = load_classifier(model, device=device)
    try:
        heard = explain_clip(clip, classifier)
    except AudioError as error:  # knows its stage, not its file
        raise InputError(f"{printable(clip)}: {error.message}", hint=error.hint) from error
    if not len(heard.probabilities):
        why = heard.features.status.replace("_", " ")
        part = "its first minute" if heard.cut else "it"
        raise InputError(f"{printable(clip)} has no label to explain: {part} is {why}")
    with atomic_write(output) as handle:
        draw(heard, Caption(clip, classifier.name, classifier.labels), handle, file_format)
