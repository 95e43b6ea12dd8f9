"""A task of Ray: one shard, classified by an ordinary run on the node where the task is.

Ray imports this module on every node; it loads nothing of Ray.
"""

import time
from dataclasses import dataclass
from typing import Final

from emotool.errors import EmotoolError, LockedError
from emotool.run.options import RunOptions
from emotool.run.ray_cluster import set_variables

__all__ = ["Outcome", "classify_part"]

_PATIENCE_SECONDS: Final = 120.0
"""How long a part may be locked: as long as a lost node can keep it on a network drive."""

_PAUSE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task.

    Parameters
    ----------
    shard : int
        Its shard.
    error, hint : str, default ""
        Why there is no part; empty if there is one.
    """

    shard: int
    error: str = ""
    hint: str = ""


def classify_part(options: RunOptions, environment: dict[str, str | None]) -> Outcome:
    """Classify one shard.

    Errors that a user can act on are returned, since those of a task are tried again by Ray only
    if the node is at fault.

    Parameters
    ----------
    options : RunOptions
        With a portion; paths are absolute.
    environment : dict of str to str or None
        Variables to set; None removes one.
    """
    from emotool.run.batch import run

    set_variables(environment)
    portion = options.portion
    number = 0 if portion is None else portion.shard.number
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            run(options)
            return Outcome(number)
        except LockedError as error:  # by a task that Ray takes for lost, or of a killed driver
            if time.monotonic() > until:
                return Outcome(number, error.message, error.hint)
            time.sleep(_PAUSE_SECONDS)
        except EmotoolError as error:
            return Outcome(number, error.message, error.hint)
