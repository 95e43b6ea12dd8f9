"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["CorrectionsRoot", "DecodingWorkers", "ModelFolder", "ReplaceModel", "SpeakerPattern"]

SpeakerPattern = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX",
        help="Regular expression whose first group is the speaker in a clip's path, for "
        "example '/([^/_]+)_' for happy/anna_01.wav.",
    ),
]

CorrectionsRoot = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Folder of the clips that corrections.csv is about.",
        show_default="current folder",
    ),
]

ModelFolder = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="FOLDER", help="Folder for NAME.onnx and its card, NAME.md."
    ),
]

ReplaceModel = Annotated[bool, typer.Option("--replace", help="Replace a model of that name.")]

DecodingWorkers = Annotated[
    int,
    typer.Option(min=0, metavar="N", help="Processes that decode clips; 0 uses one per core."),
]
