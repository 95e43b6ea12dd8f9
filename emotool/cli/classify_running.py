"""Options of ``emotool classify``: the model, speed, trouble, and what is told.

Each name is the type of an argument with its help; defaults stand in the command itself.
"""

import math
from enum import StrEnum
from typing import Annotated

import typer

from emotool.cli.completion import model_names

__all__ = [
    "BatchSize",
    "ByContent",
    "Device",
    "DeviceName",
    "FailFast",
    "LogFile",
    "MaxErrors",
    "MinConfidence",
    "Model",
    "Quiet",
    "Restart",
    "SaveConfig",
    "Threads",
    "Timeout",
    "Top",
    "Verbose",
    "Workers",
    "finite",
]


class DeviceName(StrEnum):
    """Where a model can be asked to run."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


def finite(value: float | None) -> float | None:
    """Refuse infinity, which a range with no upper end lets through."""
    if value is not None and math.isinf(value):
        raise typer.BadParameter(f"takes a finite number, not {value}")
    return value


_MODEL = "Model"
_TROUBLE = "When something goes wrong"
_SPEED = "Speed"
_TELLING = "What is told, and settings"

Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        autocompletion=model_names,
        rich_help_panel=_MODEL,
        help="A name that `emotool models` lists, or the path of an .onnx file: use it for "
        "other labels, or where another model is more often right.",
    ),
]

MinConfidence = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=1.0,
        metavar="P",
        rich_help_panel=_MODEL,
        show_default="0: every clip is labelled",
        help="Label a clip 'uncertain' whose most probable label is less likely than this: use "
        "it when a wrong label costs more than none, and listen to those clips.",
    ),
]

Top = Annotated[
    int,
    typer.Option(
        min=0,
        max=1000,
        metavar="N",
        rich_help_panel=_MODEL,
        show_default="0: no such columns",
        help="Add columns with the N most probable labels: use it for models with many "
        "labels, to see what else a clip may be.",
    ),
]

Device = Annotated[
    DeviceName,
    typer.Option(
        rich_help_panel=_MODEL,
        help="Where the model runs. 'auto' takes a GPU if there is one; 'cuda' fails rather "
        "than falling back to the CPU.",
    ),
]

Workers = Annotated[
    int,
    typer.Option(
        min=0,
        rich_help_panel=_SPEED,
        help="Processes that read clips; 0 takes one per processor core.",
    ),
]

BatchSize = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=4096,
        rich_help_panel=_SPEED,
        show_default="chosen for the model",
        help="Spectrograms given to the model at once. Labels do not depend on it.",
    ),
]

Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1024,
        rich_help_panel=_SPEED,
        show_default="chosen for the model",
        help="Threads the model uses on the CPU.",
    ),
]

Timeout = Annotated[
    float,
    typer.Option(
        min=0.1,
        callback=finite,
        metavar="SECONDS",
        rich_help_panel=_TROUBLE,
        help="Give up a file whose reading takes longer than this: it becomes a failed row.",
    ),
]

FailFast = Annotated[
    bool,
    typer.Option(
        "--fail-fast",
        rich_help_panel=_TROUBLE,
        help="Stop at the first file that fails (exit code 1, nothing written).",
    ),
]

MaxErrors = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        rich_help_panel=_TROUBLE,
        show_default="no limit",
        help="Stop when more than N files have failed.",
    ),
]

Restart = Annotated[
    bool,
    typer.Option(
        "--restart",
        rich_help_panel=_TROUBLE,
        help="Begin anew instead of going on where an interrupted run stopped.",
    ),
]

ByContent = Annotated[
    bool,
    typer.Option(
        "--by-content",
        rich_help_panel=_TROUBLE,
        help="When going on, know files by their bytes (slower) instead of by path, size and "
        "time: also those that were moved or copied meanwhile.",
    ),
]

Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        rich_help_panel=_TELLING,
        help="No progress bar and no summary: use it in scripts. Errors are still told.",
    ),
]

Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        rich_help_panel=_TELLING,
        help="Tell which settings are used and where they come from, and of each clip without "
        "a label as it happens: use it when a run does not do what you expect.",
    ),
]

LogFile = Annotated[
    str | None,
    typer.Option(
        "--log-file",
        metavar="FILE",
        rich_help_panel=_TELLING,
        help="Add lines with times to FILE: progress, clips without a label, how it ended: "
        "use it for runs that nobody watches. --quiet does not silence it.",
    ),
]

SaveConfig = Annotated[
    str | None,  # used by SettingsCommand, which knows where each setting comes from
    typer.Option(
        "--save-config",
        metavar="FILE",
        rich_help_panel=_TELLING,
        help="Write the settings in effect to FILE, then run: use it when you give the same "
        "options every time. As emotool.toml in the current folder, or in your own settings "
        "folder, later runs use it.",
    ),
]
