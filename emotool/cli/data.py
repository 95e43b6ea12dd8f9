"""``emotool data``: look at the clips that models are trained on."""

import json
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(help="Look at the clips that models are trained on.")


@app.callback(invoke_without_command=True)
def data(ctx: typer.Context) -> None:
    """Look at the clips that models are trained on."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(2)


@app.command()
def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders of clips (CREMA-D, RAVDESS, TESS, EmoDB and nEMO are known by their "
            "file names; others by folders named happy, sad ...) and CSV manifests with the "
            "columns path and emotion.",
            show_default="$EMOTOOL_CORPUS",
        ),
    ] = None,
    speaker_pattern: Annotated[
        str | None,
        typer.Option(
            help="Regular expression whose first group finds the speaker in the path of clips "
            "in folders named by emotion, for example '/([^/_]+)_' for happy/anna_01.wav.",
        ),
    ] = None,
    speakers: Annotated[
        bool, typer.Option(help="Show a line per speaker, not per corpus alone.")
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print everything as JSON, every problem included.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Clips decoded at once.", show_default="one per core"),
    ] = None,
) -> None:
    """Say what clips there are, per corpus, emotion and speaker, and what is wrong with them.

    Every clip is decoded. Wrong are files that cannot be read, silent and too short ones,
    Git-LFS pointers, misnamed ones, files that no corpus claims, and clips with the same
    sound. The exit code is 1 when something is wrong.
    """
    from emotool.cli.data_tables import progress_bar, show_report
    from emotool_training.audit.check import check as check_clips
    from emotool_training.corpora import load_corpora

    index = load_corpora(paths or (), speaker_pattern=speaker_pattern)
    with progress_bar("checking") as advance:
        report = check_clips(index, workers=workers, progress=advance)
    if as_json:
        typer.echo(json.dumps(report.to_dict(), indent=2))
    else:
        show_report(report, speakers=speakers)
    if not report.sound:
        raise typer.Exit(1)
