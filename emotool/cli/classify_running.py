"""Options of ``emotool classify``: the model, speed, errors and messages.

Each name is the type of an argument with its help; defaults stand in the command itself.
"""

import math
from enum import StrEnum
from typing import Annotated

import typer

from emotool.cli.completion import model_names

__all__ = [
    "Adapt",
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


def probability(value: float) -> float:
    """Refuse what is no probability; a percentage gets the number that was meant."""
    if 0 <= value <= 1:
        return value
    meant = f": {value / 100:g} for {value:g} %" if 1 < value <= 100 else ""
    raise typer.BadParameter(f"takes a number between 0 and 1{meant}")


_MODEL = "Model"
_TROUBLE = "Errors and resuming"
_SPEED = "Speed"
_MESSAGES = "Messages and settings"

Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        autocompletion=model_names,
        rich_help_panel=_MODEL,
        help="Model to run: a name that `emotool models` lists, or the path of an .onnx file.",
    ),
]

Adapt = Annotated[
    bool,
    typer.Option(
        "--adapt",
        rich_help_panel=_MODEL,
        help="Adapt the model to these recordings, without labels: their statistics are put "
        "half-way into its normalisation before they are labelled. For 20 clips or more, and "
        "models with a linear layer (whisper, whisper6).",
    ),
]

MinConfidence = Annotated[
    float,
    typer.Option(
        callback=probability,
        metavar="P",
        rich_help_panel=_MODEL,
        show_default="0: label every clip",
        help="Label clips 'uncertain' whose confidence is below P (0 to 1).",
    ),
]

Top = Annotated[
    int,
    typer.Option(
        min=0,
        max=1000,
        metavar="N",
        rich_help_panel=_MODEL,
        show_default="0: none",
        help="Add columns with the N most probable labels.",
    ),
]

Device = Annotated[
    DeviceName,
    typer.Option(
        metavar="auto|cpu|cuda",
        rich_help_panel=_MODEL,
        help="Device to run the model on. 'auto' uses a GPU if there is one; 'cuda' fails if there "
        "is none.",
    ),
]

Workers = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=0,
        rich_help_panel=_SPEED,
        help="Processes that decode clips; 0 uses one per processor core.",
    ),
]

BatchSize = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=4096,
        rich_help_panel=_SPEED,
        show_default="chosen for the model",
        help="Windows per call of the model. Labels do not depend on it.",
    ),
]

Threads = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=1024,
        rich_help_panel=_SPEED,
        show_default="chosen for the model",
        help="CPU threads of the model.",
    ),
]

Timeout = Annotated[
    float,
    typer.Option(
        min=0.1,
        callback=finite,
        metavar="SECONDS",
        rich_help_panel=_TROUBLE,
        help="Time limit per file. A file that takes longer becomes a failed row.",
    ),
]

FailFast = Annotated[
    bool,
    typer.Option(
        "--fail-fast",
        rich_help_panel=_TROUBLE,
        help="Stop at the first file that fails, with exit code 1 and no output.",
    ),
]

MaxErrors = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        rich_help_panel=_TROUBLE,
        show_default="no limit",
        help="Stop after more than N failed files.",
    ),
]

Restart = Annotated[
    bool,
    typer.Option(
        "--restart",
        rich_help_panel=_TROUBLE,
        help="Start over instead of resuming an interrupted run or updating a table.",
    ),
]

ByContent = Annotated[
    bool,
    typer.Option(
        "--by-content",
        rich_help_panel=_TROUBLE,
        help="Identify files by content instead of path, size and time when resuming. Slower; "
        "recognises files that were moved or copied.",
    ),
]

Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        rich_help_panel=_MESSAGES,
        help="Show no progress bar and no summary. Errors are still shown.",
    ),
]

Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        rich_help_panel=_MESSAGES,
        help="Show the settings in use and their sources, and each clip without a label.",
    ),
]

LogFile = Annotated[
    str | None,
    typer.Option(
        "--log-file",
        metavar="FILE",
        rich_help_panel=_MESSAGES,
        help="Append progress and failures to FILE, with times. Also written with --quiet.",
    ),
]

SaveConfig = Annotated[
    str | None,  # used by SettingsCommand
    typer.Option(
        "--save-config",
        metavar="FILE",
        rich_help_panel=_MESSAGES,
        help="Write the current settings to FILE, then run. Later runs read emotool.toml in the "
        "current folder and in your settings folder.",
    ),
]
