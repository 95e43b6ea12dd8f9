"""``emotool data``: check labelled clips before training."""

import json
from pathlib import Path
from typing import Annotated

import typer

from emotool.cli.help import HelpCommand, HelpGroup
from emotool.cli.shared_options import SpeakerPattern

__all__ = ["app"]

app = typer.Typer(help="Check labelled clips before training.", cls=HelpGroup)


@app.callback(invoke_without_command=True)
def data(ctx: typer.Context) -> None:
    """Check labelled clips before training."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(2)


@app.command(cls=HelpCommand)
def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATHS...",
            help="Folders of clips and CSV manifests with the columns path and label (or "
            "emotion). CREMA-D, RAVDESS, TESS, EmoDB and nEMO are recognised by file names, "
            "others by folders named happy, sad, ….",
            show_default="$EMOTOOL_CORPUS",
        ),
    ] = None,
    speaker_pattern: SpeakerPattern = None,
    speakers: Annotated[
        bool, typer.Option(help="Show a line per speaker as well as per corpus.")
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print everything as JSON, including every problem.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Clips decoded in parallel.", show_default="one per core"
        ),
    ] = None,
) -> None:
    """Count clips per corpus, emotion and speaker, and list problems.

    Every clip is decoded. Problems are files that cannot be read, silent and too short clips,
    Git-LFS pointers, wrong file names, files of no known corpus, and clips with identical audio.
    The exit code is 1 if there is a problem.
    """
    from emotool.cli.data_tables import show_report
    from emotool_training.audit.check import check as check_clips
    from emotool_training.corpora import load_corpora
    from emotool_training.progress import progress_bar

    index = load_corpora(paths or (), speaker_pattern=speaker_pattern)
    with progress_bar("checking") as advance:
        report = check_clips(index, workers=workers, progress=advance)
    if as_json:
        typer.echo(json.dumps(report.to_dict(), indent=2))
    else:
        show_report(report, speakers=speakers)
    if not report.sound:
        raise typer.Exit(1)
