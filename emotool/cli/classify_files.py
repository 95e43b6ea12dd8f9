"""Options of ``emotool classify``: what is read, what is written, and parts of recordings.

Each name is the type of an argument with its help; defaults stand in the command itself.
"""

from typing import Annotated

import typer

from emotool.cli.classify_running import finite
from emotool.writers.base import DELIMITERS
from emotool.writers.registry import WRITERS

__all__ = [
    "DEFAULT_OUTPUT",
    "FORMATS",
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
    "Praat",
    "Raven",
    "Raw",
    "Segments",
]

DEFAULT_OUTPUT = "labels.csv"
FORMATS = [suffix.removeprefix(".") for suffix in WRITERS]

_INPUT = "What is read"
_OUTPUT = "What is written"
_PARTS = "Parts of long recordings"

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATHS...",
        help="Files, folders (searched at every depth), zip archives and patterns like "
        "'talks/*.mp3'.",
        show_default=False,
    ),
]

FromList = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FILE",
        rich_help_panel=_INPUT,
        help="Read more paths from FILE, one a line ('-': standard input): use it when there "
        "are too many for a command line, or another program chooses them.",
    ),
]

FromNul = Annotated[
    str | None,
    typer.Option(
        "--from0",
        metavar="FILE",
        rich_help_panel=_INPUT,
        help="The same for paths that end in NUL, so that names may hold line breaks: find … "
        "-print0 | emotool classify --from0 -",
    ),
]

Manifest = Annotated[
    str | None,
    typer.Option(
        "--manifest",
        metavar="FILE",
        rich_help_panel=_INPUT,
        help="Instead of paths, a CSV file with one clip a row, relative to its folder: use it "
        "when you have a table of your clips, whose columns the results shall keep.",
    ),
]

Column = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        rich_help_panel=_INPUT,
        help="The manifest's column that names the files: use it when that is not 'path'.",
    ),
]

Output = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        rich_help_panel=_OUTPUT,
        help="Where the table goes; its suffix chooses the format "
        f"({', '.join(WRITERS)}). Use it again for each further format that you need of the same "
        "run. '-' is standard output. Without it: standard output if that is piped, else "
        f"{DEFAULT_OUTPUT} in the current folder.",
    ),
]

OutputFormat = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        rich_help_panel=_OUTPUT,
        help=f"Write this format ({', '.join(FORMATS)}), whatever the suffixes say: use it to "
        "pipe another one than CSV ('-o -'), or for names without a suffix.",
    ),
]

Raw = Annotated[
    bool,
    typer.Option(
        "--raw",
        rich_help_panel=_OUTPUT,
        help="Leave cells as they are that a spreadsheet would run as a formula: use it "
        "when programs alone read the table. Without it they get a leading apostrophe, since "
        "file names can come from strangers.",
    ),
]

Excel = Annotated[
    bool,
    typer.Option(
        "--excel",
        rich_help_panel=_OUTPUT,
        help="Mark CSV and TSV as UTF-8 the way Excel wants it (byte-order mark): use it when "
        "names with accents arrive garbled.",
    ),
]

Delimiter = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(DELIMITERS),
        rich_help_panel=_OUTPUT,
        show_default="comma; semicolon with --decimal ,",
        help="What parts the cells of a CSV: use it when a spreadsheet shows each row in one "
        "cell. The sign itself (';') will do too.",
    ),
]

Decimal = Annotated[
    str,
    typer.Option(
        metavar=".|,",
        rich_help_panel=_OUTPUT,
        help="Decimal mark of CSV and TSV: use ',' where a spreadsheet of your language takes "
        "0.75 for text or a date.",
    ),
]

Embeddings = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=_OUTPUT,
        help="Write the numbers too from which the model tells its labels, a row for each row "
        "of the table, as .npz (NumPy) or .parquet: use it to group clips, or for statistics "
        "of your own.",
    ),
]

Segments = Annotated[
    bool,
    typer.Option(
        "--segments",
        rich_help_panel=_PARTS,
        help="Write a row for each window, with its start and end, instead of one for each "
        "clip: use it for recordings in which the mood changes. A report keeps a row for each "
        "clip.",
    ),
]

Merge = Annotated[
    bool,
    typer.Option(
        "--merge",
        rich_help_panel=_PARTS,
        help="Join neighbouring windows of one label: use it with --segments or annotations "
        "for few long stretches rather than many short ones.",
    ),
]

Hop = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        callback=finite,
        metavar="SECONDS",
        rich_help_panel=_PARTS,
        show_default="the model's window: no overlap",
        help="Seconds from one window's start to the next's: use less than the window to see "
        "more finely when a label changes. It costs time in proportion.",
    ),
]

Audacity = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        rich_help_panel=_PARTS,
        help="Write a label track for each clip into FOLDER: use it to see and hear the labels "
        "beside the sound in Audacity (File, Import, Labels).",
    ),
]

Raven = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        rich_help_panel=_PARTS,
        help="Write a selection table for each clip into FOLDER: use it to look at the "
        "labels in Raven's spectrograms.",
    ),
]

Praat = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        rich_help_panel=_PARTS,
        help="Write a TextGrid for each clip into FOLDER: use it to measure or to correct "
        "in Praat or ELAN.",
    ),
]
