"""A progress bar on stderr, for people; nothing where stderr is not a terminal."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from emotool.text import printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from emotool.results.row import ClipResult

__all__ = ["ProgressBar"]

_PATIENCE_SECONDS = 0.5  # a run that is over sooner needs no bar, and no time spent on one
_UPDATE_SECONDS = 0.1


class ProgressBar:
    """Shows clips done, clips/s and the time left, if stderr is a terminal."""

    def __init__(self) -> None:
        self._watched = sys.stderr is not None and sys.stderr.isatty()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._total = self._resumed = self._done = 0
        self._began = self._updated = time.monotonic()

    def begin(self, total: int, resumed: int, unchanged: int = 0) -> None:
        """Receive the number of rows, and how many an interrupted run or the table has."""
        self._total, self._resumed = total, resumed + unchanged
        self._began = self._updated = time.monotonic()
        if unchanged:
            self.note(f"update: {total - unchanged:,} new or changed, {unchanged:,} unchanged")
        if resumed:
            self.note(f"resuming: {resumed:,} of {total - unchanged:,} clips already done")

    def advance(self, result: "ClipResult") -> None:
        """Hear of a row."""
        self._done += 1
        now = time.monotonic()
        if self._watched and now - self._updated >= _UPDATE_SECONDS:
            self._updated = now
            self._show(now - self._began)

    def embedded(self, done: int) -> None:
        """Receive the number of clips that are embedded: most of a run that adapts the model."""
        now = time.monotonic()
        if self._watched and now - self._updated >= _UPDATE_SECONDS:
            self._updated = now
            self._show(now - self._began, done)

    def note(self, message: str) -> None:
        """Say something, above the bar."""
        if self._bar is not None:
            from rich.text import Text

            self._bar.console.print(Text(printable(message)))
        elif sys.stderr is not None:
            print(printable(message), file=sys.stderr)  # noqa: T201

    def _show(self, seconds: float, done: int | None = None) -> None:
        if self._bar is None:
            if seconds < _PATIENCE_SECONDS:
                return
            self._bar = _bar()
            self._task = self._bar.add_task("", total=self._total, rate="", left="")
            self._bar.start()
        assert self._task is not None
        # What an earlier run has done takes no time: it does not predict what is to come.
        done = self._done if done is None else done
        rate = max(done - self._resumed, 0) / seconds
        self._bar.update(
            self._task,
            completed=done,
            rate=f"{rate:,.1f}" if rate else "–",
            left=_clock((self._total - done) / rate) if rate else "–:––",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]} clips/s"),
        TextColumn("{task.fields[left]} left"),
        console=Console(stderr=True),
        transient=True,
    )


def _clock(seconds: float) -> str:
    """Write a time as a clock does.

    Examples
    --------
    >>> _clock(75), _clock(3_675)
    ('1:15', '1:01:15')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
