"""Options of ``emotool classify``: what is read, what is written, and parts of recordings.

Each name is the type of an argument with its help; defaults stand in the command itself.
"""

from typing import Annotated

import typer

from emotool.cli.classify_running import finite
from emotool.errors import OutputError
from emotool.writers import base
from emotool.writers.registry import WRITERS, check_target

__all__ = [
    "DEFAULT_OUTPUT",
    "FORMATS",
    "Anonymous",
    "Audacity",
    "Column",
    "Decimal",
    "Delimiter",
    "Embeddings",
    "Excel",
    "FromList",
    "FromNul",
    "Hop",
    "Manifest",
    "Merge",
    "Output",
    "OutputFormat",
    "Paths",
    "Plan",
    "Praat",
    "Raven",
    "Raw",
    "Segments",
    "Shard",
    "outputs_of",
    "suffix_of",
]

DEFAULT_OUTPUT = "labels.csv"
FORMATS = [suffix.removeprefix(".") for suffix in WRITERS]

_INPUT = "Input"
_OUTPUT = "Output"
_PARTS = "Segments of long recordings"

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATHS...",
        help="Files, folders (searched recursively), zip archives, patterns such as "
        "'talks/*.mp3', and URLs such as s3://bucket/prefix/.",
        show_default=False,
    ),
]

Anonymous = Annotated[
    bool,
    typer.Option(
        "--anonymous",
        rich_help_panel=_INPUT,
        help="Sign no request to object storage. For public buckets.",
    ),
]

FromList = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FILE",
        rich_help_panel=_INPUT,
        help="Read more paths from FILE, one per line. '-' reads standard input.",
    ),
]

FromNul = Annotated[
    str | None,
    typer.Option(
        "--from0",
        metavar="FILE",
        rich_help_panel=_INPUT,
        help="Like --from, with paths that end in NUL. For names with line breaks: find … -print0 "
        "| emotool classify --from0 -",
    ),
]

Manifest = Annotated[
    str | None,
    typer.Option(
        "--manifest",
        metavar="FILE",
        rich_help_panel=_INPUT,
        help="Read the clips from a table, one per row, and keep its columns in the results. CSV "
        "or TSV; paths are relative to the table's folder.",
    ),
]

Column = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        rich_help_panel=_INPUT,
        help="Column of the manifest that holds the paths.",
    ),
]

Shard = Annotated[
    str | None,
    typer.Option(
        metavar="I/N",
        rich_help_panel=_INPUT,
        help="Classify only the I-th of N slices of the inputs, such as 3/8. `emotool merge` puts "
        "the tables of all slices together.",
    ),
]

Plan = Annotated[
    str | None,
    typer.Option(
        "--plan",
        metavar="FILE",
        rich_help_panel=_INPUT,
        help="Read the clips of a --shard from a list that `emotool plan` has written. With -o "
        "s3://bucket/folder/ the table is part-00003.parquet there.",
    ),
]

Output = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        rich_help_panel=_OUTPUT,
        help="Write the table to FILE, which may be s3://bucket/labels.csv; its extension selects "
        f"the format ({', '.join(WRITERS)}). Repeat for several formats. '-' is standard output. "
        f"Without it the table goes to standard output if that is piped, otherwise to "
        f"{DEFAULT_OUTPUT}.",
    ),
]

OutputFormat = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        rich_help_panel=_OUTPUT,
        help=f"Write this format ({', '.join(FORMATS)}), whatever the extension. Needed for "
        "formats other than CSV on standard output.",
    ),
]

Raw = Annotated[
    bool,
    typer.Option(
        "--raw",
        rich_help_panel=_OUTPUT,
        help="Do not escape cells that a spreadsheet would run as a formula. By default they get a "
        "leading apostrophe, since file names are untrusted.",
    ),
]

Excel = Annotated[
    bool,
    typer.Option(
        "--excel",
        rich_help_panel=_OUTPUT,
        help="Start CSV and TSV with a byte-order mark, so that Excel reads them as UTF-8.",
    ),
]

Delimiter = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(base.DELIMITERS),
        rich_help_panel=_OUTPUT,
        show_default="comma; semicolon with --decimal ,",
        help="Field separator of CSV, by name or as the character itself. For spreadsheets that "
        "show each row in one cell.",
    ),
]

Decimal = Annotated[
    str,
    typer.Option(
        metavar=".|,",
        rich_help_panel=_OUTPUT,
        help="Decimal mark of CSV and TSV. Use ',' where your spreadsheet reads 0.75 as text or a "
        "date.",
    ),
]

Embeddings = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=_OUTPUT,
        help="Also write the model's embeddings to FILE (.npz or .parquet), one row per row of the "
        "table. For clustering and your own statistics.",
    ),
]

Segments = Annotated[
    bool,
    typer.Option(
        "--segments",
        rich_help_panel=_PARTS,
        help="Write a row per window, with start and end, instead of a row per clip. For "
        "recordings in which the emotion changes. A report keeps a row per clip.",
    ),
]

Merge = Annotated[
    bool,
    typer.Option(
        "--merge",
        rich_help_panel=_PARTS,
        help="Join neighbouring windows with the same label. Needs --segments or an annotation "
        "folder.",
    ),
]

Hop = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        callback=finite,
        metavar="SECONDS",
        rich_help_panel=_PARTS,
        show_default="the window's length",
        help="Time from one window's start to the next. A smaller value gives finer times and "
        "takes proportionally longer.",
    ),
]

Audacity = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        rich_help_panel=_PARTS,
        help="Write an Audacity label track per clip into FOLDER (File, Import, Labels).",
    ),
]

Raven = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        rich_help_panel=_PARTS,
        help="Write a Raven selection table per clip into FOLDER.",
    ),
]

Praat = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        rich_help_panel=_PARTS,
        help="Write a TextGrid per clip into FOLDER, for Praat and ELAN.",
    ),
]


def suffix_of(chosen: str | None) -> str:
    """Return the suffix of a format, "" for none; an unknown one is a wrong option."""
    if chosen is not None and chosen.lower() not in FORMATS:
        raise typer.BadParameter(f"--format takes one of: {', '.join(FORMATS)}")
    return "" if chosen is None else f".{chosen.lower()}"


def outputs_of(targets: list[str], chosen: str | None) -> list[base.Output]:
    """Return the tables that are named; what cannot be meant is a wrong option."""
    suffix = suffix_of(chosen)
    for place, target in enumerate(targets):
        try:
            check_target(target, suffix)
        except OutputError as error:
            raise typer.BadParameter(f"{error.message}; {error.hint}") from error
        if target in targets[:place]:
            raise typer.BadParameter(f"-o {target} is given twice")
    return [base.Output(target, suffix) for target in targets]
