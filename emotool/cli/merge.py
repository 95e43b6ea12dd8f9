"""``emotool merge``: the parts of a run in, one table out."""

from typing import Annotated

import typer

from emotool.cli import classify_files as files
from emotool.cli.classify_running import Quiet
from emotool.cli.help import Short
from emotool.cli.progress import ProgressBar
from emotool.text import printable

__all__ = ["SHORT", "merge"]

SHORT = Short(
    examples=(
        ("Four shards, one table", "emotool merge part-*.csv -o labels.csv"),
        ("All parts in a folder, as Parquet", "emotool merge parts/ -o labels.parquet"),
    ),
)


def merge(
    parts: Annotated[
        list[str],
        typer.Argument(
            metavar="PARTS...",
            help="Tables that `emotool classify --shard` has written, and folders of them, also "
            "s3://bucket/folder/.",
        ),
    ],
    output: Annotated[
        list[str],
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            rich_help_panel="Output",
            help="Write the table to FILE; its extension selects the format. Repeat for several "
            "formats. '-' is standard output.",
        ),
    ],
    output_format: files.OutputFormat = None,
    quiet: Quiet = False,
) -> None:
    """Merge the tables of all shards into one, as a run without shards would have written it.

    Each part needs its record (PART.json) beside it. Nothing is written unless the parts are all
    the shards of one run: of the same inputs, model, version and options, each complete and
    unchanged. Missing shards are listed.

    Exit codes: 0 every input has a result; 3 some inputs failed; 1 all failed, or the parts cannot
    be merged; 2 wrong options.
    """
    from emotool.run.merging import merge as merge_parts
    from emotool.run.part_copies import local_parts
    from emotool.run.parts import find_parts

    outputs = files.outputs_of(output, output_format)
    with local_parts(parts, [each.target for each in outputs]) as names, ProgressBar() as bar:
        found = find_parts(names)
        bar.begin(sum(part.record.clips for part in found), resumed=0)
        summary = merge_parts(found, outputs, (lambda _: None) if quiet else bar.advance)
    if not quiet:
        from emotool.cli.summary import print_summary

        print_summary(summary)
    elif summary.verdict:
        typer.echo(f"error: {printable(summary.verdict)}", err=True)
    raise typer.Exit(summary.exit_code)
