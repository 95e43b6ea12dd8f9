"""Show progress on stderr: bars on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

__all__ = ["Display", "progress_bar"]


@contextmanager
def progress_bar(
    description: str, console: Console | None = None
) -> Iterator[Callable[[int, int], None]]:
    """Show a bar while the block runs, from the first update on, where stderr is a terminal.

    Parameters
    ----------
    description : str
        Stands before the bar.
    console : rich.console.Console, optional
        Where to; stderr if not given.

    Yields
    ------
    callable
        Takes how many of how many are done.
    """
    with _bars(console or Console(stderr=True)) as progress:
        task = None

        def update(done: int, total: int) -> None:
            nonlocal task
            if task is None:
                task = progress.add_task(description, total=total)
            progress.update(task, completed=done, total=total)

        yield update


class Display:
    """Bars and lines for `emotool_training.jobs.train`.

    Parameters
    ----------
    epochs : int
        Epochs at most.
    console : rich.console.Console, optional
        Where to; stderr if not given.
    check : callable
        Called after each epoch. A signal's exception may come where a library swallows it;
        here it can be raised again.
    """

    def __init__(
        self,
        epochs: int,
        console: Console | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._epochs = epochs
        self._check = check
        self._console = console or Console(file=sys.stderr, highlight=False)
        self._progress: Progress | None = None
        self._began = 0.0

    def say(self, text: str) -> None:
        """Print a line; file names in it are not taken for markup."""
        self._console.print(text, markup=False, soft_wrap=True)

    def bar(self, description: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """Show a bar while the block runs, as `progress_bar` does."""
        return progress_bar(description, self._console)

    @contextmanager
    def training(self, epochs: int | None = None) -> Iterator[None]:
        """Show each epoch's bar while the block runs, of ``epochs`` if a stage has its own."""
        self._epochs = epochs or self._epochs
        with _bars(self._console, TextColumn("{task.fields[loss]}")) as progress:
            self._progress = progress
            try:
                yield
            finally:
                self._progress = None

    def epoch_begins(self, epoch: int, steps: int) -> None:
        """Show an epoch in the bar, which is over all epochs: its time left is the stage's."""
        self._began = time.monotonic()
        if self._progress is not None:
            shown = f"epoch {epoch + 1}/{self._epochs}"
            for task in self._progress.task_ids:
                self._progress.update(task, description=shown)
            if not self._progress.task_ids:
                total, done = self._epochs * steps, epoch * steps
                self._progress.add_task(shown, total=total, completed=done, loss="")

    def step_ends(self, loss: float) -> None:
        """Move the bar on and show the epoch's mean loss so far."""
        if self._progress is not None:
            for task in self._progress.task_ids:
                self._progress.update(task, advance=1, loss=f"loss {loss:.4f}")

    def epoch_ends(self, row: dict[str, float], best: int) -> None:
        """Print an epoch's figures."""
        epoch = int(row["epoch"])
        parts = [f"epoch {epoch:3}/{self._epochs}"]
        parts += [_figure(name, value) for name, value in row.items() if name in SHOWN]
        mark = f"  (kept: epoch {best + 1})" if best >= 0 else ""
        if best == epoch - 1:
            # Not "best": epochs before it may have been better, but too early to be kept.
            mark = "  kept: last epoch" if epoch == self._epochs else "  best so far"
        self.say("  ".join(parts) + f"  {time.monotonic() - self._began:.0f} s" + mark)
        self._check()


def _bars(console: Console, *columns: TextColumn) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


SHOWN = {
    "loss": "loss",
    "validation_loss": "validation: loss",
    "validation_accuracy": "accuracy",
    "validation_uar": "UAR",
}


def _figure(name: str, value: float) -> str:
    """Show one figure: losses as numbers, scores as percentages.

    Examples
    --------
    >>> _figure("validation_uar", 0.8125)
    'UAR 81.2 %'
    """
    shown = f"{value:.4f}" if name.endswith("loss") else f"{100 * value:.1f} %"
    return f"{SHOWN[name]} {shown}"
