"""``emotool plan``: a bucket in, a list of its clips in shards out."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from emotool.cli import classify_files as files
from emotool.cli.classify_running import Quiet
from emotool.cli.help import Short
from emotool.files.remote import read_anonymously
from emotool.text import printable

if TYPE_CHECKING:
    from emotool.inputs.listing import Object

__all__ = ["SHORT", "plan"]

_LINE_SECONDS = 10.0

SHORT = Short(
    examples=(
        ("List a bucket", "emotool plan s3://calls/2024/ -o plan.parquet"),
        (
            "Classify a part of it",
            "emotool classify --plan plan.parquet --shard 1/12 -o s3://calls/labels/",
        ),
    ),
)


def plan(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL", help="A prefix in object storage, such as s3://bucket/prefix/."
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            rich_help_panel="Output",
            help="Write the plan to FILE (.parquet), which may be a URL, too.",
        ),
    ],
    clips_per_shard: Annotated[
        int,
        typer.Option(
            metavar="N",
            rich_help_panel="Output",
            min=1,
            max=1_000_000,
            help="Clips of a shard. A shard is what one machine classifies in a run.",
        ),
    ] = 100_000,
    anonymous: files.Anonymous = False,
    quiet: Quiet = False,
) -> None:
    """List the clips of a bucket in a plan, cut into shards.

    The plan is a Parquet table with the key, the size, the ETag and the shard of each clip. It is
    written in constant memory, however many clips there are. `emotool classify --plan` reads one
    shard of it, and each clip in the version that was listed.

    Exit codes: 0 the plan is written; 1 the bucket cannot be listed, or has no clip; 2 wrong
    options.
    """
    if not output.lower().endswith(".parquet"):
        raise typer.BadParameter(f"-o {printable(output)}: a plan is a file that ends in .parquet")
    if anonymous:
        read_anonymously()
    from emotool.inputs.listing import list_objects
    from emotool.inputs.plan import write_plan

    pages = list_objects(url)
    planned = write_plan(output, url, pages if quiet else _reported(pages), clips_per_shard)
    if quiet:
        return
    shards = "1 shard" if planned.shards == 1 else f"{planned.shards:,} shards"
    skipped = f", {planned.skipped:,} other keys skipped" if planned.skipped else ""
    hidden = f", {planned.hidden:,} hidden" if planned.hidden else ""
    typer.echo(
        f"{planned.clips:,} clips ({planned.size / 1e9:,.1f} GB) in {shards}{skipped}{hidden}; "
        f"plan written to {printable(output)}",
        err=True,
    )


def _reported(pages: "Iterator[list[Object]]") -> "Iterator[list[Object]]":
    """Yield pages, and say now and then how many keys they had."""
    keys, said = 0, time.monotonic()
    for page in pages:
        yield page
        keys += len(page)
        if time.monotonic() - said >= _LINE_SECONDS:
            said = time.monotonic()
            typer.echo(f"{keys:,} keys listed", err=True)
