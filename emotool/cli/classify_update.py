"""Options of ``emotool classify`` that update a table, and what they do not go with."""

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from emotool.files.remote import is_remote
from emotool.writers.base import STDOUT

if TYPE_CHECKING:
    from emotool.run.options import RunOptions

__all__ = ["Update", "Vanished", "VanishedRows", "updating"]


class VanishedRows(StrEnum):
    """What an update can do with rows whose files are no longer there."""

    MARK = "mark"
    DROP = "drop"


Update = Annotated[
    bool,
    typer.Option(
        "--update",
        rich_help_panel="Errors and resuming",
        help="Label only clips that are new or changed since --update wrote the table, and keep "
        "its other rows. The table's FILE.state holds what that needs. Refused if the model or the "
        "settings are others.",
    ),
]

Vanished = Annotated[
    VanishedRows | None,
    typer.Option(
        metavar="mark|drop",
        rich_help_panel="Errors and resuming",
        show_default="mark",
        help="With --update: give rows whose files are no longer there the flag 'vanished', or "
        "drop them.",
    ),
]


def updating(options: "RunOptions", *, update: bool, vanished: VanishedRows | None) -> "RunOptions":
    """Return the options of an update; what cannot be updated is a wrong option."""
    if not update:
        raise typer.BadParameter("--vanished is for --update")
    first = options.outputs[0]
    if first.target == STDOUT:
        raise typer.BadParameter("--update: name the table with -o")
    if is_remote(first.target):
        raise typer.BadParameter("--update: the table is a file, not in object storage")
    for name, given in (
        ("--manifest", options.manifest is not None),
        ("--segments", options.segments),
        ("--shard", bool(options.shard or options.portion)),
        ("outputs other than tables", any(one.content != "table" for one in options.outputs)),
    ):
        if given:
            raise typer.BadParameter(f"--update is for tables of clips: leave out {name}")
    outputs = [replace(first, default=False), *options.outputs[1:]]
    return replace(options, outputs=outputs, update=(vanished or VanishedRows.MARK).value)
