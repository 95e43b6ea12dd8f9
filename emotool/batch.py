"""A whole run: arguments in, one row per clip out, and what there is to say about it."""

from dataclasses import dataclass

__all__ = ["RunSummary"]


@dataclass(frozen=True)
class RunSummary:
    """What a finished run did, for the summary on stderr and the exit code.

    Attributes
    ----------
    clips : int
        Inputs, each of which has one row.
    statuses : dict of str to int
        Rows per status (``ok``, ``silent``, ``too_short``, ``failed``), zeros included.
    labels : dict of str to int
        Rows with status ``ok`` per label, in the model's order, zeros included.
    mean_confidence : float or None
        Over the rows with status ``ok``, 0 to 1; None without any.
    reasons : dict of str to int
        Failed rows per reason (the stage and the error), most frequent first.
    examples : tuple of (str, str)
        The first failed rows (at most 10): the clip as shown and its error.
    seconds : float
        Wall time of the whole run, start-up included.
    audio_seconds : float
        Sound in all clips that could be read, in seconds.
    resumed : int
        Rows taken from the journal of an interrupted run instead of being worked out again.
    passed_over, hidden : int
        Files in the folders given that are no audio, and hidden ones.
    model, device : str
        The model's name and the device it was proved to run on.
    outputs : tuple of str
        Where the rows went, as named by the user; ``-`` is stdout.
    failures_file : str or None
        The table of failed clips beside the output, where there is one.
    """

    clips: int
    statuses: dict[str, int]
    labels: dict[str, int]
    mean_confidence: float | None
    reasons: dict[str, int]
    examples: tuple[tuple[str, str], ...]
    seconds: float
    audio_seconds: float
    resumed: int
    passed_over: int
    hidden: int
    model: str
    device: str
    outputs: tuple[str, ...]
    failures_file: str | None

    @property
    def exit_code(self) -> int:
        """0 when every clip has a result, 3 when some failed, 1 when all did."""
        failed = self.statuses.get("failed", 0)
        if not failed:
            return 0
        return 1 if failed == self.clips else 3
