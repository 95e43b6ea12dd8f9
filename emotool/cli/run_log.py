"""Messages of a run while it goes: to a terminal, into a log, or none."""

import contextlib
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from emotool.cli.progress import ProgressBar
from emotool.errors import OutputError
from emotool.results.row import UNCERTAIN
from emotool.text import printable

if TYPE_CHECKING:
    from emotool.results.row import ClipResult

__all__ = ["RunLog"]

_MOST_LINES = 10  # clips up to which each has a line
_MOST_LABELS = 3
LINE_SECONDS = 30.0  # between plain lines of progress, for logs


class RunLog:
    """Shows a run's progress and keeps a log of it.

    On a terminal that is a bar. Where standard error goes to a file or a pipe, and in a log
    file, it is a plain line each half minute.

    Parameters
    ----------
    quiet : bool, default False
        Say nothing on standard error; the log file is written all the same.
    verbose : bool, default False
        Tell of each clip that gets no label as it happens.
    log_file : str, optional
        Where lines with a time before them are added.
    each : bool, default False
        Show a line with the label of every clip, if there are at most ten.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        verbose: bool = False,
        log_file: str | None = None,
        each: bool = False,
    ) -> None:
        self._bar = None if quiet else ProgressBar()
        self._plain = not quiet and sys.stderr is not None and not sys.stderr.isatty()
        self._verbose = verbose
        self._log = None if log_file is None else _open(log_file)
        self._each = each and not quiet
        self._labels: Sequence[str] = ()
        self._total = self._resumed = self._done = 0
        self._began = self._told = time.monotonic()

    def begin(
        self, total: int, resumed: int, labels: Sequence[str] = (), unchanged: int = 0
    ) -> None:
        """Receive the number of rows, how many need no work, and the labels."""
        self._total, self._resumed, self._labels = total, resumed + unchanged, labels
        self._each = self._each and total <= _MOST_LINES
        self._began = self._told = time.monotonic()
        kept = f", {unchanged:,} unchanged" if unchanged else ""
        self.record(f"{total:,} clips, {resumed:,} of them done by an earlier run{kept}")
        if self._bar is not None:
            self._bar.begin(total, resumed, unchanged)

    def advance(self, result: "ClipResult") -> None:
        """Hear of a row."""
        self._done += 1
        if self._bar is not None:
            self._bar.advance(result)
            if self._each:
                self._bar.note(_line(result, self._labels))
        if result.status != "ok":
            reason = f"{result.stage}: {result.error}" if result.stage else result.error
            line = f"{result.status}: {result.shown}: {reason}"
            self.record(line)
            if self._verbose and not self._each and self._bar is not None:
                self._bar.note(line)
        now = time.monotonic()
        if now - self._told >= LINE_SECONDS:
            self._told = now
            self._tell(now - self._began)

    def embedded(self, done: int) -> None:
        """Receive the number of clips that are embedded: labels of all come after the last."""
        now = time.monotonic()
        if self._bar is not None:
            self._bar.embedded(done)
        if now - self._told >= LINE_SECONDS:
            self._told = now
            line = f"{done:,} of {self._total:,} clips embedded"
            self.record(line)
            if self._plain and self._bar is not None:
                self._bar.note(line)

    def note(self, message: str) -> None:
        """Hear something a person should know."""
        self.record(message)
        if self._bar is not None:
            self._bar.note(message)

    def record(self, message: str) -> None:
        """Add a line to the log file, if there is one."""
        if self._log is not None:
            when = datetime.now().astimezone().isoformat(timespec="seconds")
            with contextlib.suppress(OSError):  # a full disk must not cost the run its rows
                self._log.write(f"{when} {printable(message)}\n")
                self._log.flush()

    def _tell(self, seconds: float) -> None:
        rate = max(self._done - self._resumed, 0) / seconds
        line = f"{self._done:,} of {self._total:,} clips, {rate:,.1f} clips/s"
        self.record(line)
        if self._plain and self._bar is not None:
            self._bar.note(line)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)
        if kind is not None:
            self.record(f"stopped: {error}" if str(error) else f"stopped: {kind.__name__}")
        if self._log is not None:
            with contextlib.suppress(OSError):
                self._log.close()


def _line(result: "ClipResult", labels: Sequence[str]) -> str:
    """Return a clip's labels, the most probable first, or why it has none.

    Examples
    --------
    >>> from emotool.results.row import ClipResult
    >>> _line(ClipResult(0, "a.wav", "ok", "cnn", "sad", 0.83, (0.17, 0.83)), ["happy", "sad"])
    'a.wav  sad 0.83  happy 0.17'
    """
    if result.status != "ok":
        return f"{result.shown}  {result.status}: {result.error}"
    ranked = sorted(zip(result.probabilities, labels, strict=True), key=lambda pair: -pair[0])
    texts = [f"{label} {share:.2f}" for share, label in ranked[:_MOST_LABELS]]
    if result.label == UNCERTAIN:
        texts.insert(0, UNCERTAIN)
    return "  ".join([result.shown, *texts])


def _open(log_file: str) -> IO[str]:
    try:
        if Path(log_file).is_file() and not _is_text(Path(log_file)):
            raise OutputError(
                f"{printable(log_file)} is not a text file: appending to it would damage it",
                hint="give --log-file another name",
            )
        return Path(log_file).open("a", encoding="utf-8", errors="backslashreplace")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"cannot write the log {printable(log_file)}: {reason}") from error


def _is_text(file: Path) -> bool:
    """Return whether a file begins like text, in whatever encoding; recordings do not."""
    with file.open("rb") as handle:
        head = handle.read(4_096)
    return b"\0" not in head and not head.startswith((b"ID3", b"OggS", b"fLaC", b"\xff"))
