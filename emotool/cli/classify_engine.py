"""Options of ``emotool classify``: what runs the work."""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from emotool.writers.base import STDOUT

if TYPE_CHECKING:
    from emotool.results.tally import RunSummary
    from emotool.run.options import Progress, RunOptions

__all__ = ["Engine", "EngineName", "RayAddress", "Runner", "runner"]

Runner: TypeAlias = "Callable[[RunOptions, Progress], RunSummary]"
"""Does what the options say."""

_SPEED = "Speed"


class EngineName(StrEnum):
    """What runs the work."""

    LOCAL = "local"
    RAY = "ray"


Engine = Annotated[
    EngineName,
    typer.Option(
        metavar="local|ray",
        rich_help_panel=_SPEED,
        help="What runs the work: processes of this machine, or tasks of Ray, each over a shard of "
        "the inputs. Needs ray, and -o FILE in a folder that all nodes share.",
    ),
]

RayAddress = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        rich_help_panel=_SPEED,
        show_default="a cluster on this machine, for this run",
        help="Ray cluster to join, with --engine ray. Anyone who can reach a cluster can run "
        "commands on it.",
    ),
]


def runner(
    engine: EngineName, address: str | None, targets: list[str] | None, *, alone: bool
) -> Runner:
    """Return what runs the work; what an engine cannot do is a wrong option.

    Parameters
    ----------
    engine : EngineName
    address : str or None
        Of a Ray cluster.
    targets : list of str or None
        The tables that are named.
    alone : bool
        Whether the run is a shard or an update, which only the local engine makes.
    """
    if engine is EngineName.LOCAL:
        if address is not None:
            raise typer.BadParameter("--ray-address is for --engine ray")
        return _run_here
    if not targets or STDOUT in targets:
        raise typer.BadParameter("--engine ray writes files: name one with -o")
    if alone:
        raise typer.BadParameter("--shard, --plan and --update are for the local engine")
    return partial(_run_on_ray, address)


# Loaded when the run begins: what they load reads the environment.
def _run_here(options: "RunOptions", progress: "Progress") -> "RunSummary":
    from emotool.run.batch import run

    return run(options, progress)


def _run_on_ray(address: str | None, options: "RunOptions", progress: "Progress") -> "RunSummary":
    from emotool.run.ray_engine import run_on_ray

    return run_on_ray(options, progress, address)
