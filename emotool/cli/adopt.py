"""``emotool adopt``: a published ONNX model into one that `emotool classify` runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emotool.cli.help import Short
from emotool.cli.shared_options import ReplaceModel

if TYPE_CHECKING:
    from emotool_training.adopting.adopt import Adopted

__all__ = ["SHORT", "adopt"]

SHORT = Short(
    examples=(
        ("A folder that optimum has exported", "emotool adopt wav2vec2-emotion/ --name wav2vec2"),
        (
            "One file with numbers",
            "emotool adopt model.onnx --name adv --dimensions arousal,dominance,valence",
        ),
    ),
)


def adopt(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER|FILE",
            help="Folder that `optimum-cli export onnx --task audio-classification` has written, "
            "or an .onnx file.",
        ),
    ],
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Name of the model for --model.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write to.")
    ] = Path("exported"),
    replace: ReplaceModel = False,
    licence: Annotated[
        str, typer.Option(metavar="TEXT", help="Licence of the weights, as their author states it.")
    ] = "",
    author: Annotated[
        str, typer.Option(metavar="TEXT", help="Author of the model, for its card.")
    ] = "",
    labels: Annotated[
        str,
        typer.Option(
            metavar="A,B,…", help="Labels in the model's order, instead of those in config.json."
        ),
    ] = "",
    dimensions: Annotated[
        str,
        typer.Option(
            metavar="A,B,…",
            help="The model gives numbers and no labels; their names in its order. Names in "
            "config.json are used if its problem_type is regression.",
        ),
    ] = "",
    limits: Annotated[
        str, typer.Option("--range", metavar="LOW:HIGH", help="Range of these numbers.")
    ] = "0:1",
    temperature: Annotated[
        float, typer.Option(min=1e-3, max=1e3, help="Divide the logits of labels by this.")
    ] = 1.0,
    logits: Annotated[
        str,
        typer.Option(metavar="NAME", help="Output with one number per label or dimension."),
    ] = "logits",
    embedding: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Output or inner tensor of the graph to use as embedding, [batch, numbers].",
        ),
    ] = "",
    activation: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Output or inner tensor to use as evidence, [batch, height, width].",
        ),
    ] = "",
    sample_rate: Annotated[
        int | None,
        typer.Option(
            min=4_000,
            max=192_000,
            metavar="HZ",
            help="Sample rate of the model.",
            show_default="that of preprocessor_config.json, or 16000",
        ),
    ] = None,
    window: Annotated[
        float,
        typer.Option(
            min=0.1,
            max=60.0,
            metavar="SECONDS",
            help="Longest window the model receives; Whisper's is that of its folder.",
            show_default="10, or 30 for Whisper",
        ),
    ] = 10.0,
    normalise: Annotated[
        bool | None,
        typer.Option(
            "--normalise/--no-normalise",
            help="Shift and scale each window to a mean of 0 and a variance of 1.",
            show_default="as preprocessor_config.json states, or no",
        ),
    ] = None,
    trim: Annotated[
        bool, typer.Option("--trim/--no-trim", help="Cut silence off both ends of clips.")
    ] = True,
    clip: Annotated[
        str,
        typer.Option(metavar="FILE", help="Recording to check the model with.", show_default=False),
    ] = "",
) -> None:
    """Convert a published ONNX model of speech to a model for `classify`.

    The folder's config.json and preprocessor_config.json are read as data: names of labels or
    dimensions, sample rate, scaling, and Whisper's spectrograms, which become part of the graph.
    No code of the folder is run. Only operators of the ONNX standard are accepted; weights are
    copied into the file, which has to stay below 2 GiB.

    The model is loaded and run on a recording before it is put in place, with a model card beside
    it. The path of the file is printed on stdout. Needs the package onnx.
    """
    from emotool_training.export.place import check_free, check_name
    from emotool_training.extras import require_extra

    check_name(name)
    require_extra("adopt", "emotool adopt")
    if not replace:
        check_free(output / f"{name}.onnx")
    from emotool_training.adopting.adopt import Wishes
    from emotool_training.adopting.adopt import adopt as run_adopt

    done = run_adopt(
        source,
        output,
        Wishes(
            name,
            licence=licence,
            author=author,
            labels=_names(labels),
            dimensions=_names(dimensions),
            limits=_range(limits),
            temperature=temperature,
            logits=logits,
            embedding=embedding,
            activation=activation,
            sample_rate=sample_rate,
            window_seconds=window,
            normalise=normalise,
            trim=trim,
            clip=clip,
        ),
    )
    _report(done)
    typer.echo(done.path)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",")) if text else ()


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = map(float, text.split(":"))
    except ValueError:
        low, high = 1.0, 0.0
    if not low < high:
        raise typer.BadParameter(f"{text!r} is no LOW:HIGH, such as 0:1", param_hint="--range")
    return low, high


def _report(done: "Adopted") -> None:
    """Say what was checked, and what the model lacks."""
    from emotool.text import printable

    given = ", ".join(
        f"{printable(name)} {number:.3f}" for name, number in (done.proof.answers or {}).items()
    )
    metadata = done.metadata
    lines = [
        f"{metadata.name}: {done.size_bytes / 1e6:,.1f} MB; {printable(done.proof.clip)}: {given}",
        f"alone and among others, answers differ by at most {done.proof.difference:.1g}",
        "no figure is known until emotool evaluate has measured one",
    ]
    missing = [name for name in ("embedding", "activation") if name not in metadata.extras]
    if missing:
        lines.append(f"it has no output {' and no output '.join(missing)}")
    if not metadata.licence:
        lines.append("its licence is not stated: --licence TEXT")
    for line in lines:
        typer.echo(line, err=True)
